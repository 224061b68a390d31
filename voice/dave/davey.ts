/**
 * @snazzah/davey as a {@linkcode DaveProvider}.
 *
 * The library is not imported: a program that wants it installs it and passes its module in. The facts below
 * come from its source and from experiments with version 0.1.12:
 *
 * - It panics, and ends the process, where a private key has not 32 bytes, or a frame is encrypted for codec 0. This file
 *   rejects the first, and offers no way to do the second.
 * - Its `reset()` leaves the old keys in use; only `reinit()` starts over.
 * - Its errors are sentences in which one word names the cause. A message for another group, or of an epoch that has
 *   passed, is no failure.
 */

import { VoiceMediaError } from "../media/media_error.ts";
import { messageOf } from "../../ratelimit/unknown.ts";
import type {
  DaveDecryption,
  DaveOutcome,
  DaveProvider,
  DaveSession,
  DaveSessionOptions,
} from "./provider.ts";

/** A key pair in davey's form. */
export interface DaveyKeyPair {
  /** 32 bytes. */
  readonly private: Uint8Array;
  /** The point on the curve, uncompressed. */
  readonly public: Uint8Array;
}

/** The part of davey's `DAVESession` that is used. */
export interface DaveySession {
  /** Whether it has keys to encrypt with. */
  readonly ready: boolean;
  /** The group's epoch; `null` without a group. */
  readonly epoch: bigint | null;
  /** Thirty digits, or an empty string. */
  readonly voicePrivacyCode: string;
  /** Starts over. */
  reinit(version: number, userId: string, channelId: string, keyPair?: DaveyKeyPair | null): void;
  /** Takes the payload of op 25. */
  setExternalSender(externalSender: Uint8Array): void;
  /** Makes the payload of op 26. */
  getSerializedKeyPackage(): Uint8Array;
  /** Takes the payload of op 27 after the operation. */
  processProposals(
    operation: number,
    proposals: Uint8Array,
    recognizedUserIds?: string[] | null,
  ): { commit?: Uint8Array; welcome?: Uint8Array };
  /** Takes the commit of op 29. */
  processCommit(commit: Uint8Array): void;
  /** Takes the welcome of op 30. */
  processWelcome(welcome: Uint8Array): void;
  /** Encrypts an Opus frame. */
  encryptOpus(frame: Uint8Array): Uint8Array;
  /** Decrypts a frame. */
  decrypt(userId: string, mediaType: number, frame: Uint8Array): Uint8Array;
}

/**
 * The part of the module `@snazzah/davey` that is used.
 *
 * @typeParam KeyPair What the module takes for a key pair.
 */
export interface Davey<KeyPair extends DaveyKeyPair = DaveyKeyPair> {
  /** The newest version that it speaks. */
  readonly DAVE_PROTOCOL_VERSION: number;
  /** Makes a session. */
  readonly DAVESession: new (
    version: number,
    userId: string,
    channelId: string,
    keyPair?: KeyPair | null,
  ) => DaveySession;
}

/**
 * Options of {@linkcode daveyProvider}.
 *
 * @typeParam KeyPair What the module takes for a key pair.
 */
export interface DaveyOptions<KeyPair extends DaveyKeyPair = DaveyKeyPair> {
  /** A key pair that identifies the bot in more than one call; a fresh one per session by default. */
  readonly keyPair?: KeyPair;
}

const PRIVATE_KEY_BYTES = 32;
const PUBLIC_KEY_BYTES = 65;
const AUDIO = 0;
const APPEND = 0;
const REVOKE = 1;

/**
 * Makes a provider of the davey module.
 *
 * @throws {VoiceMediaError} `ERR_DAVE_KEY`: the private key has not 32 bytes, or the public key not 65.
 *
 * @example
 * ```ts
 * import { daveyProvider } from "@discordgateway/edge/voice";
 * import davey from "npm:@snazzah/davey@0.1.12";
 *
 * const provider = daveyProvider(davey);
 * const session = provider.create({ version: provider.maxVersion, userId: "1", channelId: "2" });
 * if (session.keyPackage().subarray(0, 4).join() !== "0,1,0,2") throw new Error("version 1, suite 2");
 * if (session.ready) throw new Error("there is no group yet");
 * ```
 */
export function daveyProvider<KeyPair extends DaveyKeyPair>(
  davey: Davey<KeyPair>,
  { keyPair }: DaveyOptions<KeyPair> = {},
): DaveProvider {
  if (keyPair !== undefined) checkKeyPair(keyPair);
  return {
    maxVersion: davey.DAVE_PROTOCOL_VERSION,
    create: (options) => {
      const { version, userId, channelId } = options;
      return new DaveyAdapter(new davey.DAVESession(version, userId, channelId, keyPair), options, keyPair);
    },
  };
}

function checkKeyPair({ private: secret, public: open }: DaveyKeyPair): void {
  if (secret.length === PRIVATE_KEY_BYTES && open.length === PUBLIC_KEY_BYTES) return;
  throw new VoiceMediaError(
    `Cannot use the key pair: it has ${PRIVATE_KEY_BYTES} and ${PUBLIC_KEY_BYTES} bytes: ${secret.length} and ${open.length}`,
    { code: "ERR_DAVE_KEY" },
  );
}

class DaveyAdapter implements DaveSession {
  readonly #session: DaveySession;
  readonly #options: DaveSessionOptions;
  readonly #keyPair: DaveyKeyPair | undefined;

  constructor(session: DaveySession, options: DaveSessionOptions, keyPair: DaveyKeyPair | undefined) {
    this.#session = session;
    this.#options = options;
    this.#keyPair = keyPair;
  }

  get ready(): boolean {
    return this.#session.ready;
  }

  get epoch(): bigint | null {
    return this.#session.epoch;
  }

  get privacyCode(): string {
    return this.#session.voicePrivacyCode;
  }

  reset(version: number): void {
    const { userId, channelId } = this.#options;
    this.#session.reinit(version, userId, channelId, this.#keyPair);
  }

  setExternalSender(externalSender: Uint8Array): void {
    this.#session.setExternalSender(externalSender);
  }

  keyPackage(): Uint8Array {
    return this.#session.getSerializedKeyPackage();
  }

  processProposals(
    operation: "append" | "revoke",
    proposals: Uint8Array,
    recognizedUserIds: readonly string[],
  ): { commit: Uint8Array; welcome: Uint8Array | null } | null {
    try {
      const kind = operation === "append" ? APPEND : REVOKE;
      const { commit, welcome } = this.#session.processProposals(kind, proposals, [...recognizedUserIds]);
      return commit === undefined ? null : { commit, welcome: welcome ?? null };
    } catch (error) {
      // Proposals for a group that this client has yet to join.
      if (!this.#isMember && /NoGroup|WrongEpoch/.test(messageOf(error))) return null;
      throw error;
    }
  }

  processCommit(commit: Uint8Array): DaveOutcome {
    // Read before: a commit that fails can change the epoch, such as one that evicts this client.
    const epoch = this.epoch ?? 0n;
    return this.#attempt(() => this.#session.processCommit(commit), (message) => {
      if (/NoGroup|PendingGroup|MessageForDifferentGroup/.test(message)) return true;
      const from = epochOf(commit);
      return from !== null && from < epoch;
    });
  }

  processWelcome(welcome: Uint8Array): DaveOutcome {
    return this.#attempt(
      () => this.#session.processWelcome(welcome),
      (message) => /AlreadyInGroup/.test(message),
    );
  }

  encrypt(frame: Uint8Array): Uint8Array {
    return this.#session.encryptOpus(frame);
  }

  decrypt(userId: string, frame: Uint8Array): DaveDecryption {
    try {
      return { outcome: "decrypted", frame: this.#session.decrypt(userId, AUDIO, frame) };
    } catch (error) {
      if (/NoDecryptorForUser/.test(messageOf(error))) return { outcome: "unknown_sender" };
      return { outcome: "failed", error: asError(error) };
    }
  }

  /** A pending group of this client, at epoch 0, does not count: it waits for its first commit. */
  get #isMember(): boolean {
    return (this.#session.epoch ?? 0n) > 0n;
  }

  #attempt(act: () => void, isHarmless: (message: string) => boolean): DaveOutcome {
    try {
      act();
      return { outcome: "applied" };
    } catch (error) {
      const message = messageOf(error);
      return isHarmless(message)
        ? { outcome: "ignored", reason: message }
        : { outcome: "failed", error: asError(error) };
    }
  }
}

/** The epoch that a commit starts from: after version, wire format and a group id of eight bytes. */
function epochOf(commit: Uint8Array): bigint | null {
  const [, , , , groupIdBytes] = commit;
  if (groupIdBytes !== 8 || commit.length < 21) return null;
  return new DataView(commit.buffer, commit.byteOffset, commit.byteLength).getBigUint64(13);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

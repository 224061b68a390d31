/**
 * A DAVE library with a script: it records every call and returns what the test says. Its "encryption" puts a trailer behind
 * the frame, so that a frame in the clear can be told from one that is not.
 */

import type {
  DaveCommit,
  DaveDecryption,
  DaveOutcome,
  DaveProvider,
  DaveSession,
  DaveSessionOptions,
} from "../../voice/mod.ts";

/** A trailer with the nonce 1 and no clear range. */
const TRAILER = [9, 9, 9, 9, 9, 9, 9, 9, 1, 12, 0xfa, 0xfa];

/** Looks like an encrypted frame. */
export function sealed(frame: ArrayLike<number>): Uint8Array {
  return Uint8Array.from([...Array.from(frame), ...TRAILER]);
}

/** The one session of a {@linkcode ScriptedProvider}. */
export class ScriptedSession implements DaveSession {
  /** What was called, in order. */
  readonly calls: string[] = [];
  /** What it was made from. */
  readonly options: DaveSessionOptions;
  ready = false;
  epoch: bigint | null = null;
  privacyCode = "";
  /** What the next proposals lead to. */
  commits: (DaveCommit | null | Error)[] = [];
  /** What the next commit or welcome leads to; applied by default. */
  outcomes: DaveOutcome[] = [];
  /** What the next frames lead to; decrypted by default. */
  decryptions: DaveDecryption[] = [];
  /** What encrypting gives; a sealed frame by default. */
  encryption: (frame: Uint8Array) => Uint8Array = sealed;
  /** Whether it takes external senders. */
  takesSender = true;
  #keyPackages = 0;

  constructor(options: DaveSessionOptions) {
    this.options = options;
  }

  reset(version: number): void {
    this.calls.push(`reset ${version}`);
    // As in davey's reset, "ready" may be about the old keys.
    this.epoch = null;
  }

  setExternalSender(externalSender: Uint8Array): void {
    this.calls.push(`sender ${externalSender}`);
    if (!this.takesSender) throw new Error("not this one");
  }

  keyPackage(): Uint8Array {
    return Uint8Array.from([0xab, ++this.#keyPackages]);
  }

  processProposals(operation: string, proposals: Uint8Array, users: readonly string[]): DaveCommit | null {
    this.calls.push(`${operation} ${proposals} of ${[...users].sort()}`);
    const next = this.commits.shift() ?? null;
    if (next instanceof Error) throw next;
    return next;
  }

  processCommit(commit: Uint8Array): DaveOutcome {
    this.calls.push(`commit ${commit}`);
    return this.#outcome();
  }

  processWelcome(welcome: Uint8Array): DaveOutcome {
    this.calls.push(`welcome ${welcome}`);
    return this.#outcome();
  }

  encrypt(frame: Uint8Array): Uint8Array {
    return this.encryption(frame);
  }

  decrypt(_userId: string, frame: Uint8Array): DaveDecryption {
    return this.decryptions.shift() ?? { outcome: "decrypted", frame: frame.subarray(0, -TRAILER.length) };
  }

  #outcome(): DaveOutcome {
    const next = this.outcomes.shift() ?? { outcome: "applied" };
    if (next.outcome === "applied") {
      this.epoch = (this.epoch ?? 0n) + 1n;
      this.ready = true;
      this.privacyCode = `code of ${this.epoch}`;
    }
    return next;
  }
}

/** Makes scripted sessions, and keeps them. */
export class ScriptedProvider implements DaveProvider {
  readonly maxVersion: number = 1;
  /** All that were made. */
  readonly sessions: ScriptedSession[] = [];

  create(options: DaveSessionOptions): ScriptedSession {
    const session = new ScriptedSession(options);
    this.sessions.push(session);
    return session;
  }

  /** The only one; fails the test if there is another number of them. */
  get session(): ScriptedSession {
    const [session, second] = this.sessions;
    if (session === undefined || second !== undefined) {
      throw new Error(`Not one session: ${this.sessions.length}`);
    }
    return session;
  }
}

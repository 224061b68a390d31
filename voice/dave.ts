/**
 * The end-to-end encryption of a call as a deterministic machine.
 *
 * Theory of operation. Two things move apart from each other. The *group* is what MLS knows: it is begun by a key package,
 * established by the first commit or welcome, and goes on from epoch to epoch. The *version* is what the sender does: 0 sends
 * frames as they are, 1 encrypts them. A transition, announced by its number, moves the version when it is executed, while
 * receivers are ready from its announcement on.
 *
 * The rule above all: at version 1 no frame leaves unless the group has given keys. `encrypt` then returns `null`, and the
 * sender drops the frame. While this client is alone there is no group with keys and nobody to hear: nothing to wait for.
 *
 * A client that cannot follow the group says so (op 31) and starts over with a new key package; the server then removes and
 * adds it. The machine outlives a connection: what a resume replays goes on where the group stands.
 *
 * The cryptography is injected ({@linkcode DaveSession}). The machine trusts it with keys, and with nothing else: whether
 * there is a group is remembered here, a commit of our own that is no longer the newest is refused here (a library takes it
 * for the newest, and the group splits in silence), and what `encrypt` gives is looked at before it leaves.
 *
 * @see https://daveprotocol.com
 */

import { equalBytes } from "./bytes.ts";
import { isSilenceFrame, readDaveTrailer } from "./dave_frame.ts";
import type {
  DaveCounters,
  DaveDropReason,
  DaveEvent,
  DaveOutput,
  DavePhase,
  DaveReceived,
  DaveSend,
} from "./dave_io.ts";
import type { DaveOutcome, DaveProvider, DaveSession } from "./dave_session.ts";
import { VoiceProtocolError } from "./errors.ts";
import { type DaveMessage, encodeVoiceBinary } from "./frame.ts";
import { VoiceOpcode } from "./opcode.ts";
import type { VoiceRoster } from "./roster.ts";

/** After an upgrade, how long frames of those who have not heard of it yet are let in as they are, in ms. */
const UPGRADE_PASSTHROUGH_MS = 10_000;
/** The same from the announcement of a downgrade on, whose execution may be long in coming. */
const DOWNGRADE_PASSTHROUGH_MS = 24_000;
/** For how long after an announcement undecryptable frames are no surprise, in ms: old keys live as long. */
const TRANSITION_MS = 10_000;
/** Undecryptable frames in a row beyond which this client asks to be added anew. */
const MAX_FAILURES = 36;
/** Transitions that wait for their execution; beyond it the oldest is forgotten. */
const MAX_PENDING = 64;

const NEW_GROUP_EPOCH = 1;

/** What a machine is made from. */
export interface DaveOptions {
  /** Makes sessions; `null` announces version 0. */
  readonly provider: DaveProvider | null;
  /** The bot's user id. */
  readonly userId: string;
  /** The voice channel's id. */
  readonly channelId: string;
  /** Who is in the call. */
  readonly roster: VoiceRoster;
}

/**
 * The DAVE side of one call.
 *
 * @example
 * ```ts
 * import { Dave, VoiceRoster } from "@discordgateway/edge/voice";
 *
 * const dave = new Dave({ provider: null, userId: "1", channelId: "2", roster: new VoiceRoster("1") });
 * dave.describe(0);                              // a stage channel
 * const frame = dave.encrypt(new Uint8Array([1, 2]));
 * if (dave.phase !== "plain" || frame?.join() !== "1,2") throw new Error("unexpected");
 * ```
 */
export class Dave {
  readonly #provider: DaveProvider | null;
  readonly #ids: { readonly userId: string; readonly channelId: string };
  readonly #roster: VoiceRoster;
  readonly #counters = {
    encrypted: 0,
    held: 0,
    decrypted: 0,
    passed: 0,
    dropped: { plain: 0, unknown_sender: 0, undecryptable: 0 },
  };
  #session: DaveSession | null = null;
  #externalSender: Uint8Array | null = null;
  /** What the sender does. */
  #version = 0;
  /** What the group is for: the version that its transition leads to. */
  #groupVersion = 0;
  /** A commit or welcome has given keys, and nothing has taken them since. */
  #established = false;
  /** The version that each announced transition leads to. */
  readonly #pending = new Map<number, number>();
  #lastTransitionId = 0;
  #announcedAt = -Infinity;
  #plainUntil = -Infinity;
  /** Our newest commit in this epoch, and those that newer proposals have overtaken. */
  #ownCommit: Uint8Array | null = null;
  #overtaken: Uint8Array[] = [];
  /** The newest op 28 and op 26, as they were sent. */
  #commitMessage: DaveSend["frame"] | null = null;
  #keyPackageMessage: DaveSend["frame"] | null = null;
  #failures = 0;
  #recoveryDue = false;
  #announcedPhase: DavePhase = "plain";

  /** Starts plain, without a group. */
  constructor({ provider, userId, channelId, roster }: DaveOptions) {
    this.#provider = provider;
    this.#ids = { userId, channelId };
    this.#roster = roster;
  }

  // Getters.

  /** The newest version that this client speaks, which the identify announces. */
  get maxVersion(): number {
    return this.#provider?.maxVersion ?? 0;
  }

  /** The version that the sender goes by. */
  get version(): number {
    return this.#version;
  }

  /** Where the sender stands. */
  get phase(): DavePhase {
    if (this.#version === 0) return "plain";
    return this.#established && this.#session?.ready ? "secured" : "joining";
  }

  /** Nobody to talk to: without keys, there are none to wait for. */
  get alone(): boolean {
    return this.#roster.alone;
  }

  /** The group's epoch, `null` without an established group. */
  get epoch(): bigint | null {
    return this.#established ? this.#session?.epoch ?? null : null;
  }

  /** Thirty digits that members compare to be sure of each other; empty without an established group. */
  get privacyCode(): string {
    return this.#established ? this.#session?.privacyCode ?? "" : "";
  }

  /** Too many frames in a row did not decrypt: the voice state's next `tick` asks to be added anew. */
  get recoveryDue(): boolean {
    return this.#recoveryDue;
  }

  /** How many frames went which way. */
  get counters(): DaveCounters {
    return { ...this.#counters, dropped: { ...this.#counters.dropped } };
  }

  // Inputs of the voice gateway.

  /**
   * Op 4: a new voice session, with its version.
   *
   * @throws {VoiceProtocolError} A version above the one announced.
   */
  describe(version: number): readonly DaveOutput[] {
    this.#checkVersion(version);
    this.#pending.clear();
    this.#plainUntil = -Infinity;
    this.#version = version;
    const outputs: DaveOutput[] = [];
    if (version > 0) this.#newGroup(version, outputs);
    return this.#withPhase(outputs);
  }

  /**
   * A DAVE message.
   *
   * @throws {VoiceProtocolError} A version above the one announced.
   */
  receive(message: DaveMessage, now: number): readonly DaveOutput[] {
    const outputs: DaveOutput[] = [];
    switch (message.op) {
      case VoiceOpcode.DavePrepareTransition:
        this.#prepareTransition(message, now, outputs);
        break;
      case VoiceOpcode.DaveExecuteTransition:
        this.#executeTransition(message.transitionId, now);
        break;
      case VoiceOpcode.DavePrepareEpoch:
        this.#prepareEpoch(message, outputs);
        break;
      case VoiceOpcode.DaveMlsExternalSender:
        this.#externalSender = message.externalSender;
        this.#giveExternalSender(outputs);
        break;
      case VoiceOpcode.DaveMlsProposals:
        this.#proposals(message.operation, message.proposals, outputs);
        break;
      case VoiceOpcode.DaveMlsAnnounceCommitTransition:
        this.#follow(message.transitionId, this.#commit(message.commit), now, outputs);
        break;
      case VoiceOpcode.DaveMlsWelcome:
        this.#follow(message.transitionId, this.#welcome(message.welcome), now, outputs);
        break;
    }
    return this.#withPhase(outputs);
  }

  /** Asks to be added anew, if {@linkcode recoveryDue}. */
  recover(): readonly DaveOutput[] {
    if (!this.#recoveryDue) return [];
    const outputs: DaveOutput[] = [];
    const error = new Error(`Cannot decrypt: more than ${MAX_FAILURES} frames in a row failed`);
    this.#recover(this.#lastTransitionId, error, outputs);
    return this.#withPhase(outputs);
  }

  /**
   * Whether a message that may have been lost with its connection still says something: a confirmation, while its
   * transition waits; whatever asks for membership, while there is none; a commit, while it is the newest.
   */
  isStillDue({ op, transitionId, frame }: DaveSend): boolean {
    switch (op) {
      case VoiceOpcode.DaveTransitionReady:
        return transitionId !== null && this.#pending.has(transitionId);
      case VoiceOpcode.DaveMlsCommitWelcome:
        return frame === this.#commitMessage;
      case VoiceOpcode.DaveMlsKeyPackage:
        return frame === this.#keyPackageMessage && !this.#established;
      case VoiceOpcode.DaveMlsInvalidCommitWelcome:
        return !this.#established;
    }
  }

  // Media.

  /** Encrypts an Opus frame as the call demands. `null`: there are no keys, and the frame must not leave. */
  encrypt(frame: Uint8Array): Uint8Array | null {
    if (this.#version === 0 || isSilenceFrame(frame)) {
      this.#counters.passed++;
      return frame;
    }
    const encrypted = this.phase === "secured" ? this.#tryEncrypt(frame) : null;
    if (encrypted === null) this.#counters.held++;
    else this.#counters.encrypted++;
    return encrypted;
  }

  /** Decrypts a received frame; `null` for a sender whom no op 5 has named yet. */
  decrypt(userId: string | null, frame: Uint8Array, now: number): DaveReceived {
    if (isSilenceFrame(frame)) return this.#pass(frame);
    const encrypted = readDaveTrailer(frame) !== null;
    if (!encrypted || this.#session === null) {
      return this.#version === 0 || !encrypted && now < this.#plainUntil
        ? this.#pass(frame)
        : this.#drop("plain");
    }
    if (userId === null) return this.#drop("unknown_sender");
    const result = this.#session.decrypt(userId, frame);
    switch (result.outcome) {
      case "decrypted":
        this.#failures = 0;
        this.#counters.decrypted++;
        return { frame: result.frame, dropped: null };
      case "unknown_sender":
        return this.#drop("unknown_sender");
      case "failed":
        this.#countFailure(now);
        return this.#drop("undecryptable");
    }
  }

  // Transitions: what moves the version.

  #prepareTransition(
    { transitionId, version }: { readonly transitionId: number; readonly version: number },
    now: number,
    outputs: DaveOutput[],
  ): void {
    this.#checkVersion(version);
    this.#announce(transitionId, version, now, outputs);
    if (version === 0 && this.#version > 0) this.#plainUntil = now + DOWNGRADE_PASSTHROUGH_MS;
  }

  /** Number 0 takes effect at once, and is not confirmed. */
  #announce(transitionId: number, version: number, now: number, outputs: DaveOutput[]): void {
    this.#lastTransitionId = transitionId;
    this.#announcedAt = now;
    this.#failures = 0;
    if (transitionId === 0) {
      this.#moveTo(version, now);
      return;
    }
    this.#pending.delete(transitionId);
    this.#pending.set(transitionId, version);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > MAX_PENDING && oldest !== undefined) this.#pending.delete(oldest);
    outputs.push(command(VoiceOpcode.DaveTransitionReady, transitionId));
  }

  #executeTransition(transitionId: number, now: number): void {
    const version = this.#pending.get(transitionId);
    if (version === undefined) return;
    this.#pending.delete(transitionId);
    this.#announcedAt = now;
    this.#moveTo(version, now);
  }

  #moveTo(version: number, now: number): void {
    if (this.#version === 0 && version > 0) this.#plainUntil = now + UPGRADE_PASSTHROUGH_MS;
    this.#version = version;
  }

  // The group.

  #prepareEpoch(
    { epoch, version }: { readonly epoch: number; readonly version: number },
    outputs: DaveOutput[],
  ): void {
    this.#checkVersion(version);
    if (version === 0) return;
    if (epoch === NEW_GROUP_EPOCH) this.#newGroup(version, outputs);
    else this.#groupVersion = version;
  }

  #newGroup(version: number, outputs: DaveOutput[]): void {
    this.#groupVersion = version;
    this.#established = false;
    this.#failures = 0;
    this.#recoveryDue = false;
    this.#forgetCommits();
    if (this.#session === null) {
      this.#session = this.#provider?.create({ version, ...this.#ids }) ?? null;
    } else {
      this.#session.reset(version);
    }
    if (this.#session === null) return;
    this.#giveExternalSender(outputs);
    const message = binary(VoiceOpcode.DaveMlsKeyPackage, this.#session.keyPackage());
    this.#keyPackageMessage = message.frame;
    outputs.push(message);
  }

  /** It may come before there is a session; within an established group it has no use. */
  #giveExternalSender(outputs: DaveOutput[]): void {
    if (this.#session === null || this.#externalSender === null || this.#established) return;
    try {
      this.#session.setExternalSender(this.#externalSender);
    } catch (error) {
      outputs.push(refused(error));
    }
  }

  #proposals(operation: "append" | "revoke", proposals: Uint8Array, outputs: DaveOutput[]): void {
    if (this.#session === null || this.#externalSender === null) return;
    try {
      const answer = this.#session.processProposals(operation, proposals, this.#roster.recognizedUserIds);
      if (this.#ownCommit !== null) this.#overtaken.push(this.#ownCommit);
      this.#ownCommit = answer?.commit ?? null;
      this.#commitMessage = null;
      if (answer === null) return;
      const parts = answer.welcome === null ? [answer.commit] : [answer.commit, answer.welcome];
      const message = binary(VoiceOpcode.DaveMlsCommitWelcome, ...parts);
      this.#commitMessage = message.frame;
      outputs.push(message);
    } catch (error) {
      outputs.push(refused(error));
    }
  }

  #commit(commit: Uint8Array): DaveOutcome {
    if (this.#session === null) return { outcome: "ignored", reason: "no session" };
    if (this.#isOvertaken(commit)) {
      const error = new Error(
        "Cannot follow the group: a commit that newer proposals have overtaken was announced",
      );
      return { outcome: "failed", error };
    }
    return this.#session.processCommit(commit);
  }

  #isOvertaken(commit: Uint8Array): boolean {
    if (this.#ownCommit !== null && equalBytes(this.#ownCommit, commit)) return false;
    return this.#overtaken.some((own) => equalBytes(own, commit));
  }

  #welcome(welcome: Uint8Array): DaveOutcome {
    if (this.#session === null) return { outcome: "ignored", reason: "no session" };
    return this.#session.processWelcome(welcome);
  }

  #follow(transitionId: number, result: DaveOutcome, now: number, outputs: DaveOutput[]): void {
    switch (result.outcome) {
      case "ignored":
        return;
      case "failed":
        this.#recover(transitionId, result.error, outputs);
        return;
      case "applied":
        this.#established = true;
        this.#forgetCommits();
        this.#announce(transitionId, this.#groupVersion, now, outputs);
        outputs.push(event({ type: "dave_epoch", epoch: this.epoch, privacyCode: this.privacyCode }));
    }
  }

  #recover(transitionId: number, error: Error, outputs: DaveOutput[]): void {
    outputs.push(command(VoiceOpcode.DaveMlsInvalidCommitWelcome, transitionId));
    outputs.push(event({ type: "dave_recovery", transitionId, error }));
    this.#newGroup(this.#groupVersion, outputs);
  }

  #forgetCommits(): void {
    this.#ownCommit = null;
    this.#overtaken = [];
    this.#commitMessage = null;
  }

  // Frames.

  #tryEncrypt(frame: Uint8Array): Uint8Array | null {
    try {
      const encrypted = this.#session?.encrypt(frame) ?? null;
      return encrypted !== null && readDaveTrailer(encrypted) !== null ? encrypted : null;
    } catch {
      return null;
    }
  }

  /** Around a transition, and before there is a group, frames with other keys are to be expected. */
  #countFailure(now: number): void {
    if (!this.#established || now < this.#announcedAt + TRANSITION_MS) return;
    this.#failures++;
    if (this.#failures > MAX_FAILURES) this.#recoveryDue = true;
  }

  #pass(frame: Uint8Array): DaveReceived {
    this.#counters.passed++;
    return { frame, dropped: null };
  }

  #drop(reason: DaveDropReason): DaveReceived {
    this.#counters.dropped[reason]++;
    return { frame: null, dropped: reason };
  }

  #checkVersion(version: number): void {
    if (Number.isInteger(version) && version >= 0 && version <= this.maxVersion) return;
    throw new VoiceProtocolError(
      `Cannot take the DAVE version: it is from 0 to the one announced, ${this.maxVersion}: ${version}`,
    );
  }

  #withPhase(outputs: DaveOutput[]): readonly DaveOutput[] {
    const { phase, version } = this;
    if (phase === this.#announcedPhase) return outputs;
    this.#announcedPhase = phase;
    return [...outputs, event({ type: "dave_phase", phase, version })];
  }
}

function command(op: 23 | 31, transitionId: number): DaveSend {
  return {
    type: "send",
    frame: JSON.stringify({ op, d: { transition_id: transitionId } }),
    op,
    transitionId,
  };
}

function binary(op: 26 | 28, ...parts: readonly Uint8Array[]): DaveSend {
  return { type: "send", frame: encodeVoiceBinary(op, ...parts), op, transitionId: null };
}

function event(one: DaveEvent): DaveOutput {
  return { type: "event", event: one };
}

function refused(error: unknown): DaveOutput {
  return event({ type: "dave_refused", error: error instanceof Error ? error : new Error(String(error)) });
}

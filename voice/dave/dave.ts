/**
 * The end-to-end encryption of a call as a deterministic machine.
 *
 * Theory of operation. Two things change independently. The *group* is what MLS knows: a key package begins it, the first
 * commit or welcome establishes it, and commits take it from epoch to epoch. The *version* is what the sender does: 0 sends
 * frames as they are, 1 encrypts them. A transition, announced by its number, changes the version when it is executed;
 * receivers are ready from its announcement on.
 *
 * The most important rule: at version 1 no frame is sent unless the group has given keys. Without keys `encrypt` returns
 * `null`, and the sender drops the frame. A client that is alone has no keys, and needs none.
 *
 * A client that cannot follow the group reports it (op 31) and starts over with a new key package; the server then removes
 * and adds it. If that fails as well, a pause comes first. The machine outlives a connection: a resume replays the messages
 * that the group has missed.
 *
 * This file joins the two: `group.ts` is the group, `media.ts` the sender's and the receivers' side, and `recovery.ts` says
 * when to start over. The cryptography is injected, as a `DaveSession`.
 *
 * @see https://daveprotocol.com
 */

import type { DaveProvider } from "./provider.ts";
import { DaveMedia, MAX_FAILURES } from "./media.ts";
import { DaveGroup } from "./group.ts";
import type { DaveCounters, DaveOptions, DaveOutput, DavePhase, DaveReceived, DaveSend } from "./io.ts";
import { daveCommand, daveEvent } from "./outputs.ts";
import { DaveRecovery } from "./recovery.ts";
import type { DaveOutcome } from "./provider.ts";
import { ProtocolError } from "../../gateway/errors.ts";
import type { DaveMessage } from "../wire/frame.ts";
import { VoiceOpcode } from "../wire/opcode.ts";
import type { VoiceRoster } from "../wire/roster.ts";

/** How many transitions may wait for their execution; beyond that the oldest is forgotten. */
const MAX_PENDING = 64;

const NEW_GROUP_EPOCH = 1;

/**
 * The DAVE side of one call.
 *
 * @example
 * ```ts
 * import { Dave, VoiceRoster } from "@discordgateway/edge/voice/core";
 *
 * const dave = new Dave({ provider: null, userId: "1", channelId: "2", roster: new VoiceRoster("1") });
 * dave.describe(0);                              // a stage channel
 * const frame = dave.encrypt(new Uint8Array([1, 2]));
 * if (dave.phase !== "plain" || frame?.join() !== "1,2") throw new Error("unexpected");
 * ```
 */
export class Dave {
  readonly #provider: DaveProvider | null;
  readonly #roster: VoiceRoster;
  readonly #group: DaveGroup;
  readonly #media: DaveMedia;
  readonly #recovery = new DaveRecovery();
  /** The version that each announced transition leads to. */
  readonly #pending = new Map<number, number>();
  #lastTransitionId = 0;
  #announcedPhase: DavePhase = "plain";

  /** Starts plain, without a group. */
  constructor(options: DaveOptions) {
    this.#provider = options.provider;
    this.#roster = options.roster;
    this.#group = new DaveGroup(options);
    this.#media = new DaveMedia(this.#group);
  }

  // Getters.

  /** The newest version that this client speaks, which the identify announces. */
  get maxVersion(): number {
    return this.#provider?.maxVersion ?? 0;
  }

  /** The version that the sender uses. */
  get version(): number {
    return this.#media.version;
  }

  /** The phase of the sender. */
  get phase(): DavePhase {
    if (this.version === 0) return "plain";
    return this.#group.ready ? "secured" : "joining";
  }

  /** Whether nobody else is in the call: then there are no keys to wait for. */
  get alone(): boolean {
    return this.#roster.alone;
  }

  /** The group's epoch, `null` without an established group. */
  get epoch(): bigint | null {
    return this.#group.epoch;
  }

  /** Thirty digits that members compare to be sure of each other; empty without an established group. */
  get privacyCode(): string {
    return this.#group.privacyCode;
  }

  /** Too many frames in a row did not decrypt: the voice state's next `tick` asks to be added again. */
  get recoveryDue(): boolean {
    return this.#media.recoveryDue;
  }

  /** When to call {@linkcode recover} next, in ms; `-Infinity` if {@linkcode recoveryDue}, `Infinity` for never. */
  get recoveryAt(): number {
    return this.recoveryDue ? -Infinity : this.#recovery.at;
  }

  /** Counts of frames. */
  get counters(): DaveCounters {
    return this.#media.counters;
  }

  // Inputs of the voice gateway.

  /**
   * Op 4: a new voice session, with its version.
   *
   * @throws {ProtocolError} A version above the one announced.
   */
  describe(version: number): readonly DaveOutput[] {
    this.#checkVersion(version);
    this.#pending.clear();
    this.#recovery.reset();
    this.#media.restart(version);
    const outputs: DaveOutput[] = [];
    if (version > 0) this.#newGroup(version, outputs);
    return this.#withPhase(outputs);
  }

  /**
   * A DAVE message.
   *
   * @throws {ProtocolError} A version above the one announced.
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
        this.#group.setExternalSender(message.externalSender, outputs);
        break;
      case VoiceOpcode.DaveMlsProposals:
        this.#group.propose(message.operation, message.proposals, outputs);
        break;
      case VoiceOpcode.DaveMlsAnnounceCommitTransition:
        this.#follow(message.transitionId, this.#group.commit(message.commit), now, outputs);
        break;
      case VoiceOpcode.DaveMlsWelcome:
        this.#follow(message.transitionId, this.#group.welcome(message.welcome), now, outputs);
        break;
    }
    return this.#withPhase(outputs);
  }

  /** Asks to be added again, if {@linkcode recoveryAt} has come. */
  recover(now: number): readonly DaveOutput[] {
    const outputs: DaveOutput[] = [];
    if (this.recoveryDue) {
      const error = new Error(`Cannot decrypt: more than ${MAX_FAILURES} frames in a row failed`);
      this.#recovery.failed({ transitionId: this.#lastTransitionId, error });
    }
    this.#recover(now, outputs);
    return this.#withPhase(outputs);
  }

  /**
   * Whether a message that may have been lost with its connection is still needed: a confirmation, while its transition
   * waits; a request for membership, while there is none; a commit, while it is the newest.
   */
  isStillDue(message: DaveSend): boolean {
    const { op, transitionId } = message;
    if (op !== VoiceOpcode.DaveTransitionReady) return this.#group.isStillDue(message);
    return transitionId !== null && this.#pending.has(transitionId);
  }

  // Media.

  /** Encrypts an Opus frame as the call demands. `null`: there are no keys, and the frame must not leave. */
  encrypt(frame: Uint8Array): Uint8Array | null {
    return this.#media.encrypt(frame);
  }

  /** Decrypts a received frame; `null` for a sender whom no op 5 has named yet. */
  decrypt(userId: string | null, frame: Uint8Array, now: number): DaveReceived {
    return this.#media.decrypt(userId, frame, now);
  }

  // Transitions: what changes the version.

  #prepareTransition(
    { transitionId, version }: { readonly transitionId: number; readonly version: number },
    now: number,
    outputs: DaveOutput[],
  ): void {
    this.#checkVersion(version);
    this.#announce(transitionId, version, now, outputs);
    if (version === 0) this.#media.downgrading(now);
  }

  /** Number 0 takes effect at once, and is not confirmed. */
  #announce(transitionId: number, version: number, now: number, outputs: DaveOutput[]): void {
    this.#lastTransitionId = transitionId;
    this.#media.announced(now);
    if (transitionId === 0) {
      this.#media.moveTo(version, now);
      return;
    }
    this.#pending.delete(transitionId);
    this.#pending.set(transitionId, version);
    const [oldest] = this.#pending.keys();
    if (this.#pending.size > MAX_PENDING && oldest !== undefined) this.#pending.delete(oldest);
    outputs.push(daveCommand(VoiceOpcode.DaveTransitionReady, transitionId));
  }

  #executeTransition(transitionId: number, now: number): void {
    const version = this.#pending.get(transitionId);
    if (version === undefined) return;
    this.#pending.delete(transitionId);
    this.#media.executed(now);
    this.#media.moveTo(version, now);
  }

  // The group.

  #prepareEpoch(
    { epoch, version }: { readonly epoch: number; readonly version: number },
    outputs: DaveOutput[],
  ): void {
    this.#checkVersion(version);
    if (version === 0) return;
    if (epoch === NEW_GROUP_EPOCH) this.#newGroup(version, outputs);
    else this.#group.prepare(version);
  }

  #newGroup(version: number, outputs: DaveOutput[]): void {
    this.#media.forgetFailures();
    this.#recovery.begun();
    this.#group.begin(version, outputs);
  }

  #follow(transitionId: number, result: DaveOutcome, now: number, outputs: DaveOutput[]): void {
    switch (result.outcome) {
      case "ignored":
        return;
      case "failed":
        this.#recovery.failed({ transitionId, error: result.error });
        this.#recover(now, outputs);
        return;
      case "applied":
        this.#recovery.reset();
        this.#announce(transitionId, this.#group.version, now, outputs);
        outputs.push(daveEvent({ type: "dave_epoch", epoch: this.epoch, privacyCode: this.privacyCode }));
    }
  }

  #recover(now: number, outputs: DaveOutput[]): void {
    const failure = this.#recovery.due(now);
    if (failure === null) return;
    const { transitionId, error } = failure;
    outputs.push(daveCommand(VoiceOpcode.DaveMlsInvalidCommitWelcome, transitionId));
    outputs.push(daveEvent({ type: "dave_recovery", transitionId, error }));
    this.#newGroup(this.#group.version, outputs);
  }

  #checkVersion(version: number): void {
    if (Number.isInteger(version) && version >= 0 && version <= this.maxVersion) return;
    throw new ProtocolError(
      `Cannot take the DAVE version: it is from 0 to the one announced, ${this.maxVersion}: ${version}`,
    );
  }

  #withPhase(outputs: DaveOutput[]): readonly DaveOutput[] {
    const { phase, version } = this;
    if (phase === this.#announcedPhase) return outputs;
    this.#announcedPhase = phase;
    return [...outputs, daveEvent({ type: "dave_phase", phase, version })];
  }
}

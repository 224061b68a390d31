/**
 * The voice gateway connection as a deterministic machine, the sibling of `gateway/state.ts`.
 *
 * Theory of operation. One state serves one connection, from the moment its socket is open. Messages, ends and the present
 * time go in; messages to write, requests and events come out, and one deadline. Getters answer at any time; inputs throw
 * {@linkcode VoiceStateClosedError} after the end, but for a second `connectionEnded`. Whatever ends the connection ends the
 * state, and the first cause is kept. A peer's fault never throws.
 *
 * A new session goes HELLO, IDENTIFY, READY; then the caller finds out under which address its media comes from here, and
 * says so by `selectProtocol`; the description brings the key. A resume is a new state made from `end.session`, and the media
 * connection, its cipher included, goes on meanwhile. The session holds what outlives a connection: who is in the call, and
 * the DAVE group, whose messages pass through here, replayed ones too.
 *
 * Steps and ends are tables (`transitions.ts`); what follows an end is another (`verdict.ts`).
 */

import { END_SESSION_CLOSE_CODE, KEEP_SESSION_CLOSE_CODE } from "../../gateway/close_code.ts";
import { ConnectionState } from "../../gateway/connection_state.ts";
import type { LatencyReading } from "../../gateway/latency.ts";
import { VoiceHeartbeats } from "./heartbeats.ts";
import { noteOthers } from "../wire/call_messages.ts";
import { identify, resume, selectProtocol, speaking } from "../wire/commands.ts";
import { Dave } from "../dave/dave.ts";
import type { DaveOutput, DaveSend } from "../dave/io.ts";
import {
  VoiceFrameError,
  VoiceNotReadyError,
  VoiceProtocolError,
  VoiceStateClosedError,
} from "../wire/errors.ts";
import {
  isSequenceAfter,
  parseVoiceBinary,
  parseVoicePayload,
  type RawVoicePayload,
  readDaveBinary,
} from "../wire/frame.ts";
import { VoiceOpcode } from "../wire/opcode.ts";
import type { EncryptionMode } from "../wire/payload.ts";
import { readDaveJson, readDescription, readInterval, readReady } from "../wire/read.ts";
import { VoiceRoster } from "../wire/roster.ts";
import type {
  MediaServer,
  VoiceDeadline,
  VoiceEnd,
  VoiceEvent,
  VoiceOutput,
  VoiceServer,
  VoiceSession,
  VoiceStateOptions,
} from "./state_io.ts";
import {
  nextVoicePhase,
  voiceCloseCause,
  type VoicePhase,
  type VoiceStateEndCause,
  type VoiceTrigger,
} from "./transitions.ts";

const NOTHING: readonly VoiceOutput[] = [];
const NO_DEADLINE: VoiceDeadline = { at: Infinity, reason: "none" };
const TIMEOUT_MS = 20_000;
const MODES: readonly EncryptionMode[] = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"];
/**
 * One voice gateway connection, without the connection.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections
 *
 * @example
 * ```ts
 * import { VoiceState } from "@discordgateway/edge/voice/core";
 *
 * const server = { endpoint: "a:443", token: "t", sessionId: "s", guildId: "1", channelId: "2", userId: "3" };
 * const state = new VoiceState({ server, now: 0 });
 *
 * const [identify] = state.receive('{"op":8,"d":{"v":8,"heartbeat_interval":13750}}', 5);
 * if (identify?.type !== "send" || identify.what !== "identify") throw new Error("unexpected");
 *
 * const modes = ["aead_xchacha20_poly1305_rtpsize"];
 * const ready = { op: 2, d: { ssrc: 7, ip: "192.0.2.1", port: 50_000, modes } };
 * const [discover] = state.receive(JSON.stringify(ready), 10);
 * if (discover?.type !== "discover") throw new Error("unexpected");
 *
 * state.selectProtocol({ address: "198.51.100.9", port: 40_000 }, 20);
 * const description = { mode: modes[0], secret_key: new Array(32).fill(1), dave_protocol_version: 0 };
 * state.receive(JSON.stringify({ op: 4, d: description, seq: 1 }), 30);
 * if (state.phase !== "live" || state.session?.sequence !== 1) throw new Error("unexpected");
 * if (state.deadline.reason !== "heartbeat" || state.deadline.at !== 13_755) throw new Error("unexpected");
 * ```
 */
export class VoiceState {
  readonly #server: VoiceServer;
  readonly #options: VoiceStateOptions;
  readonly #connection: ConnectionState<VoiceEnd>;
  readonly #heartbeats = new VoiceHeartbeats();
  readonly #roster: VoiceRoster;
  readonly #dave: Dave;
  #phase: VoicePhase = "awaiting_hello";
  /** From READY, or from the session resumed. */
  #media: { readonly ssrc: number; readonly mode: EncryptionMode | null } | null;
  /** There has been a description: another connection can go on from here. */
  #resumable: boolean;
  /** Up to here everything has been seen; what a sloppy server replays of it is dropped. `null` = nothing to drop. */
  #replayedUpTo: number | null;
  /** Messages of the DAVE machine that the connection before sent, and nothing has confirmed. */
  #carried: readonly DaveSend[];
  #stageDeadline: VoiceDeadline;
  #proven = false;

  /** Starts in `awaiting_hello`. */
  constructor(options: VoiceStateOptions) {
    const { server, session = null, now, helloTimeoutMs = TIMEOUT_MS } = options;
    const { userId, channelId } = server;
    this.#server = server;
    this.#options = options;
    this.#roster = session?.roster ?? new VoiceRoster(userId);
    this.#dave = session?.dave ??
      new Dave({ provider: options.dave ?? null, userId, channelId, roster: this.#roster });
    this.#media = session === null ? null : { ssrc: session.ssrc, mode: null };
    this.#resumable = session !== null;
    this.#carried = session?.unconfirmed ?? [];
    this.#replayedUpTo = session === null || session.sequence < 0 ? null : session.sequence;
    this.#connection = new ConnectionState((end) => new VoiceStateClosedError(end), this.#replayedUpTo);
    this.#stageDeadline = { at: now + helloTimeoutMs, reason: "hello" };
  }

  // Getters.

  /** Where the connection stands. */
  get phase(): VoicePhase {
    return this.#phase;
  }

  /** How it ended, `null` while it lasts. */
  get end(): VoiceEnd | null {
    return this.#connection.end;
  }

  /** The session with the last sequence received; `null` before its description. */
  get session(): VoiceSession | null {
    if (!this.#resumable || this.#media === null) return null;
    return {
      sequence: this.#sequence,
      ssrc: this.#media.ssrc,
      roster: this.#roster,
      dave: this.#dave,
      unconfirmed: [...this.#carried, ...this.#heartbeats.unconfirmed],
    };
  }

  /** Who is in the call. */
  get roster(): VoiceRoster {
    return this.#roster;
  }

  /** The end-to-end encryption of the call; media passes through it. */
  get dave(): Dave {
    return this.#dave;
  }

  /** When to call `tick` next, and why. */
  get deadline(): VoiceDeadline {
    if (this.end !== null) return NO_DEADLINE;
    const recoveryAt = this.#phase === "live" ? this.#dave.recoveryAt : Infinity;
    const heartbeatAt = this.#heartbeats.nextAt;
    if (recoveryAt < heartbeatAt) return { at: recoveryAt, reason: "dave_recovery" };
    return heartbeatAt < this.#stageDeadline.at
      ? { at: heartbeatAt, reason: "heartbeat" }
      : this.#stageDeadline;
  }

  /** How long heartbeats took to be acknowledged on this connection. */
  get latency(): LatencyReading {
    return this.#heartbeats.latency;
  }

  // Inputs.

  /** A message came in. One that cannot be understood ends the state; see `end.error`. */
  receive(message: string | Uint8Array, now: number): readonly VoiceOutput[] {
    this.#connection.assertOpen();
    // Whatever it says, it says that the peer lives.
    this.#heartbeats.heard();
    try {
      return typeof message === "string"
        ? this.#handle(parseVoicePayload(message), now)
        : this.#handleBinary(message, now);
    } catch (error) {
      if (error instanceof VoiceFrameError) return this.#end("frame_error", { error });
      if (error instanceof VoiceProtocolError) return this.#end("protocol_error", { error });
      throw error;
    }
  }

  /** Time has passed. Call it at `deadline.at`; calling it earlier does nothing. */
  tick(now: number): readonly VoiceOutput[] {
    this.#connection.assertOpen();
    if (now >= this.#stageDeadline.at) return this.#stageTimeout();
    const outputs = this.#phase === "live" ? this.#fromDave(this.#dave.recover(now)) : NOTHING;
    if (now < this.#heartbeats.nextAt) return outputs;
    if (this.#heartbeats.silent) return this.#end("zombie");
    return [...outputs, this.#heartbeats.send(this.#sequence, now)];
  }

  /**
   * The address is known under which media comes from here: returns the SELECT_PROTOCOL to write.
   *
   * @throws {TypeError} If it was not asked for.
   */
  selectProtocol(
    address: { readonly address: string; readonly port: number },
    now: number,
  ): readonly VoiceOutput[] {
    this.#connection.assertOpen();
    const from = this.#phase;
    const mode = this.#media?.mode;
    if (!mode || !this.#step("address")) {
      throw new TypeError(`Cannot select the protocol: no address was asked for: ${from}`);
    }
    const { descriptionTimeoutMs = TIMEOUT_MS } = this.#options;
    this.#stageDeadline = { at: now + descriptionTimeoutMs, reason: "session_description" };
    return [selectProtocol(address, mode)];
  }

  /**
   * The media connection failed: no address was found, or its socket broke. The state ends.
   *
   * @throws {TypeError} Before READY, when there can be none.
   */
  mediaFailed(error: Error): readonly VoiceOutput[] {
    this.#connection.assertOpen();
    if (this.#phase === "awaiting_hello" || this.#phase === "identifying") {
      throw new TypeError(`Cannot lose the media connection: there is none before READY: ${this.#phase}`);
    }
    return this.#end("media_failed", { error });
  }

  /**
   * Says how this client speaks: returns the message to write in this turn. Before the first packet it must have been said
   * once with a bit set, or the server takes the SSRC for a stranger's.
   *
   * @param bits How: 1 microphone, 2 soundshare, 4 priority; 0 when falling silent.
   *
   * @throws {VoiceNotReadyError} Before the description, or before RESUMED.
   */
  speaking(bits: number): string {
    this.#connection.assertOpen();
    if (this.#phase !== "live" || this.#media === null) throw new VoiceNotReadyError(this.#phase);
    return speaking(bits, this.#media.ssrc);
  }

  /** Writing a message failed: the state ends. */
  writeFailed(error: Error): readonly VoiceOutput[] {
    this.#connection.assertOpen();
    return this.#end("write_failed", { error });
  }

  /** The socket closed or was lost: the state ends. A second end has no effect. */
  connectionEnded(
    { code, reason, error }: {
      readonly code: number | null;
      readonly reason: string;
      readonly error?: Error;
    },
  ): void {
    this.#end(voiceCloseCause(code), { closeCode: code, reason, error: error ?? null });
  }

  /** The program closes the connection: it leaves the call, or another server takes over. */
  close(): readonly VoiceOutput[] {
    this.#connection.assertOpen();
    return this.#end("closed");
  }

  // The interpreter.

  get #sequence(): number {
    return this.#connection.sequence ?? -1;
  }

  #handle(payload: RawVoicePayload, now: number): readonly VoiceOutput[] {
    const { op, d } = payload;
    if (payload.seq !== null && !this.#isNew(payload.seq, now)) return NOTHING;
    switch (op) {
      case VoiceOpcode.Hello:
        return this.#hello(d, now);
      case VoiceOpcode.Ready:
        return this.#ready(d);
      case VoiceOpcode.SessionDescription:
        return this.#description(d);
      case VoiceOpcode.Resumed:
        return this.#resumed();
      case VoiceOpcode.HeartbeatAck:
        return this.#acknowledged(d, now);
      case VoiceOpcode.Heartbeat:
        // Not documented for servers; where one asks, a heartbeat is what it wants.
        return this.#heartbeats.started ? [this.#heartbeats.send(this.#sequence, now)] : NOTHING;
      case VoiceOpcode.DavePrepareTransition:
      case VoiceOpcode.DaveExecuteTransition:
      case VoiceOpcode.DavePrepareEpoch:
        return this.#fromDave(this.#dave.receive(readDaveJson(op, d), now));
      default: {
        const said = noteOthers(payload, this.#roster, this.#server.userId);
        return said === null ? NOTHING : [event(said)];
      }
    }
  }

  #handleBinary(bytes: Uint8Array, now: number): readonly VoiceOutput[] {
    const { seq, op, payload } = parseVoiceBinary(bytes);
    if (!this.#isNew(seq, now)) return NOTHING;
    const message = readDaveBinary(op, payload);
    if (message !== null) return this.#fromDave(this.#dave.receive(message, now));
    if (!BINARY.includes(op)) return NOTHING;
    throw new VoiceProtocolError(`Cannot take op ${op}: it is cut short: ${payload.length} bytes`);
  }

  /**
   * Notes a numbered message, unless it is one from before the resume point: a DAVE group that hears a commit twice is
   * lost. The numbers go around; once a newer one has come, every number is taken as it is.
   */
  #isNew(seq: number, now: number): boolean {
    if (this.#replayedUpTo !== null && !isSequenceAfter(seq, this.#replayedUpTo)) return false;
    this.#replayedUpTo = null;
    this.#connection.receivedWrapping(seq);
    if (this.#phase === "resuming") this.#awaitReplay(now);
    return true;
  }

  #hello(d: unknown, now: number): readonly VoiceOutput[] {
    const isFirst = !this.#heartbeats.started;
    this.#heartbeats.start(readInterval(d), now);
    if (!isFirst) return NOTHING;
    if (this.#resumable) {
      this.#step("HELLO, session");
      this.#awaitReplay(now);
      return [resume(this.#server, this.#sequence)];
    }
    this.#step("HELLO, no session");
    this.#stageDeadline = { at: now + (this.#options.readyTimeoutMs ?? TIMEOUT_MS), reason: "ready" };
    return [identify(this.#server, this.#dave.maxVersion)];
  }

  /** Its `heartbeat_interval` is wrong, says Discord: the one of HELLO counts. */
  #ready(d: unknown): readonly VoiceOutput[] {
    if (this.#phase !== "identifying") return NOTHING;
    const { ssrc, ip, port, modes } = readReady(d);
    const mode = (this.#options.modes ?? MODES).find((one) => modes.includes(one));
    if (mode === undefined) {
      const error = new VoiceProtocolError(`Cannot encrypt media: no offered mode is spoken here: ${modes}`);
      return this.#end("no_common_mode", { error });
    }
    const media: MediaServer = { ssrc, ip, port, mode };
    this.#media = media;
    this.#step("READY");
    // From here the caller decides how long the discovery may take; heartbeats keep the connection.
    this.#stageDeadline = NO_DEADLINE;
    return [{ type: "discover", media }];
  }

  #description(d: unknown): readonly VoiceOutput[] {
    const mode = this.#media?.mode;
    if (this.#phase !== "selecting" || !mode) return NOTHING;
    const { key, version } = readDescription(d, mode);
    const outputs = this.#fromDave(this.#dave.describe(version));
    this.#step("SESSION_DESCRIPTION");
    this.#stageDeadline = NO_DEADLINE;
    this.#resumable = true;
    const live = event({ type: "live", resumed: false, daveVersion: version });
    return [{ type: "key", mode, key }, live, ...outputs];
  }

  #resumed(): readonly VoiceOutput[] {
    if (!this.#step("RESUMED")) return NOTHING;
    this.#stageDeadline = NO_DEADLINE;
    // What went into a connection that was dead already was never heard, and nobody will ask for it.
    const due = this.#carried.filter((message) => this.#dave.isStillDue(message));
    this.#carried = [];
    const live = event({ type: "live", resumed: true, daveVersion: this.#dave.version });
    return [live, ...this.#fromDave(due)];
  }

  #acknowledged(d: unknown, now: number): readonly VoiceOutput[] {
    if (this.#heartbeats.acknowledged(d, now) && this.#phase === "live") this.#proven = true;
    return NOTHING;
  }

  #awaitReplay(now: number): void {
    this.#stageDeadline = { at: now + (this.#options.resumedTimeoutMs ?? TIMEOUT_MS), reason: "resumed" };
  }

  #stageTimeout(): readonly VoiceOutput[] {
    switch (this.#stageDeadline.reason) {
      case "hello":
        return this.#end("hello_timeout");
      case "ready":
        return this.#end("ready_timeout");
      case "resumed":
        return this.#end("resumed_timeout");
      default:
        return this.#end("session_description_timeout");
    }
  }

  #fromDave(outputs: readonly DaveOutput[]): readonly VoiceOutput[] {
    return outputs.map((output) => {
      if (output.type !== "send") return output;
      this.#heartbeats.sent(output);
      return { type: "send", frame: output.frame, what: "dave" };
    });
  }

  #step(on: VoiceTrigger): boolean {
    const to = nextVoicePhase(this.#phase, on);
    if (to === null) return false;
    this.#phase = to;
    return true;
  }

  #end(
    cause: VoiceStateEndCause,
    { closeCode = null, reason = "", error = null }: Partial<
      Pick<VoiceEnd, "closeCode" | "reason" | "error">
    > = {},
  ): readonly VoiceOutput[] {
    const phase = this.#phase;
    if (phase === "closed") return NOTHING;
    const { session } = this;
    this.#connection.close({ cause, phase, session, closeCode, reason, proven: this.#proven, error });
    this.#phase = "closed";
    return [{
      type: "close",
      code: cause === "closed" ? END_SESSION_CLOSE_CODE : KEEP_SESSION_CLOSE_CODE,
      reason: cause.replaceAll("_", " "),
    }];
  }
}

/** What a server sends in binary messages. */
const BINARY: readonly number[] = [
  VoiceOpcode.DaveMlsExternalSender,
  VoiceOpcode.DaveMlsProposals,
  VoiceOpcode.DaveMlsAnnounceCommitTransition,
  VoiceOpcode.DaveMlsWelcome,
];

function event(one: VoiceEvent): VoiceOutput {
  return { type: "event", event: one };
}

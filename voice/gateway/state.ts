/**
 * The voice gateway connection as a deterministic machine, the sibling of `gateway/state.ts`.
 *
 * One state serves one connection, from the moment its socket is open. Messages, ends and the present time go in; messages
 * to write, requests and events come out, and one deadline. Getters can be read at any time; inputs throw
 * {@linkcode StateClosedError} after the end, except for a second `connectionEnded`. Whatever ends the connection ends the
 * state, and the first cause is kept. A peer's fault never throws.
 *
 * A new session goes HELLO, IDENTIFY, READY; then the caller finds out from which address its media comes, and passes it to
 * `selectProtocol`; the description brings the key. A resume is a new state made from `end.session`, and the media
 * connection, its cipher included, continues meanwhile. The session holds what outlives a connection: who is in the call,
 * and the DAVE group, whose messages pass through here, replayed ones too.
 *
 * Steps and ends are tables (`transitions.ts`), which `gateway/machine.ts` interprets; what follows an end is another table
 * (`verdict.ts`).
 */

import {
  type EndDetails,
  FrameError,
  NO_DETAILS,
  NotReadyError,
  ProtocolError,
} from "../../gateway/errors.ts";
import type { LatencyReading } from "../../gateway/latency.ts";
import { Machine, type SocketEnd } from "../../gateway/machine.ts";
import { Dave } from "../dave/dave.ts";
import { noteOthers } from "../wire/call_messages.ts";
import { speaking } from "../wire/commands.ts";
import { parseVoiceBinary, parseVoicePayload, type RawVoicePayload } from "../wire/frame.ts";
import { VoiceOpcode } from "../wire/opcode.ts";
import { readDaveJson, readInterval } from "../wire/read.ts";
import { VoiceRoster } from "../wire/roster.ts";
import { DaveLink } from "./dave_link.ts";
import { NO_DEADLINE, VoiceHandshake, type VoiceMachine } from "./handshake.ts";
import { VoiceHeartbeats } from "./heartbeats.ts";
import { ReceivedSequence } from "./received_sequence.ts";
import type { VoiceDeadline, VoiceEnd, VoiceOutput, VoiceSession, VoiceStateOptions } from "./state_io.ts";
import { VOICE_TABLES, voiceCloseCause, type VoicePhase, type VoiceStateEndCause } from "./transitions.ts";

const NOTHING: readonly VoiceOutput[] = [];

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
  readonly #userId: string;
  readonly #machine: VoiceMachine = new Machine(VOICE_TABLES);
  readonly #handshake: VoiceHandshake;
  readonly #heartbeats = new VoiceHeartbeats();
  readonly #received: ReceivedSequence;
  readonly #roster: VoiceRoster;
  readonly #link: DaveLink;
  #proven = false;

  /** Starts in `awaiting_hello`. */
  constructor(options: VoiceStateOptions) {
    const { server, session = null } = options;
    const { userId, channelId } = server;
    this.#userId = userId;
    this.#received = new ReceivedSequence(session?.sequence ?? -1);
    this.#roster = session?.roster ?? new VoiceRoster(userId);
    const dave = session?.dave ??
      new Dave({ provider: options.dave ?? null, userId, channelId, roster: this.#roster });
    this.#link = new DaveLink(dave, this.#heartbeats, session?.unconfirmed ?? []);
    this.#handshake = new VoiceHandshake(options, this.#machine, this.#link);
  }

  // Getters.

  /** Where the connection stands. */
  get phase(): VoicePhase {
    return this.#machine.phase;
  }

  /** How it ended, `null` while it lasts. */
  get end(): VoiceEnd | null {
    return this.#machine.end;
  }

  /** The session with the last sequence received; `null` before its description. */
  get session(): VoiceSession | null {
    const { ssrc, resumable } = this.#handshake;
    if (!resumable || ssrc === null) return null;
    return {
      sequence: this.#received.last,
      ssrc,
      roster: this.#roster,
      dave: this.dave,
      unconfirmed: this.#link.unconfirmed,
    };
  }

  /** Who is in the call. */
  get roster(): VoiceRoster {
    return this.#roster;
  }

  /** The end-to-end encryption of the call; media passes through it. */
  get dave(): Dave {
    return this.#link.dave;
  }

  /** When to call `tick` next, and why. */
  get deadline(): VoiceDeadline {
    if (this.end !== null) return NO_DEADLINE;
    const recoveryAt = this.phase === "live" ? this.dave.recoveryAt : Infinity;
    const heartbeatAt = this.#heartbeats.nextAt;
    if (recoveryAt < heartbeatAt) return { at: recoveryAt, reason: "dave_recovery" };
    const { next } = this.#handshake;
    return heartbeatAt < next.at ? { at: heartbeatAt, reason: "heartbeat" } : next;
  }

  /** How long heartbeats took to be acknowledged on this connection. */
  get latency(): LatencyReading {
    return this.#heartbeats.latency;
  }

  // Inputs.

  /** A message came in. One that cannot be understood ends the state; see `end.error`. */
  receive(message: string | Uint8Array, now: number): readonly VoiceOutput[] {
    this.#machine.assertOpen();
    // A message of any kind shows that the peer is alive.
    this.#heartbeats.heard();
    try {
      return typeof message === "string"
        ? this.#handle(parseVoicePayload(message), now)
        : this.#handleBinary(message, now);
    } catch (error) {
      if (error instanceof FrameError) return this.#end("frame_error", { error });
      if (error instanceof ProtocolError) return this.#end("protocol_error", { error });
      throw error;
    }
  }

  /** Time has passed. Call it at `deadline.at`; calling it earlier does nothing. */
  tick(now: number): readonly VoiceOutput[] {
    this.#machine.assertOpen();
    const timeout = this.#handshake.exceeded(now);
    if (timeout !== null) return this.#end(timeout);
    const outputs = this.phase === "live" ? this.#link.recover(now) : NOTHING;
    if (now < this.#heartbeats.nextAt) return outputs;
    if (this.#heartbeats.silent) return this.#end("zombie");
    return [...outputs, this.#heartbeats.send(this.#received.last, now)];
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
    this.#machine.assertOpen();
    return this.#handshake.selectProtocol(address, now);
  }

  /**
   * The media connection failed: no address was found, or its socket broke. The state ends.
   *
   * @throws {TypeError} Before READY, when there can be none.
   */
  mediaFailed(error: Error): readonly VoiceOutput[] {
    this.#machine.assertOpen();
    if (!this.#machine.mayEnd("media_failed")) {
      throw new TypeError(`Cannot lose the media connection: there is none before READY: ${this.phase}`);
    }
    return this.#end("media_failed", { error });
  }

  /**
   * Announces how this client speaks: returns the message to write now. It must be sent once with a bit set before the first
   * packet, or the server does not know whose SSRC it is.
   *
   * @param bits How: 1 microphone, 2 soundshare, 4 priority; 0 when falling silent.
   *
   * @throws {NotReadyError} Before the description, or before RESUMED.
   */
  speaking(bits: number): string {
    this.#machine.assertOpen();
    const { ssrc } = this.#handshake;
    if (this.phase !== "live" || ssrc === null) throw new NotReadyError("speak", this.phase);
    return speaking(bits, ssrc);
  }

  /** Writing a message failed: the state ends. */
  writeFailed(error: Error): readonly VoiceOutput[] {
    this.#machine.assertOpen();
    return this.#end("write_failed", { error });
  }

  /** The socket closed or was lost: the state ends. A second end has no effect. */
  connectionEnded({ code, reason, error }: SocketEnd): void {
    this.#end(voiceCloseCause(code), { closeCode: code, reason, error: error ?? null });
  }

  /** The program closes the connection: it leaves the call, or another server takes over. */
  close(): readonly VoiceOutput[] {
    this.#machine.assertOpen();
    return this.#end("closed");
  }

  // The interpreter.

  #handle(payload: RawVoicePayload, now: number): readonly VoiceOutput[] {
    const { op, d } = payload;
    if (payload.seq !== null && !this.#isNew(payload.seq, now)) return NOTHING;
    switch (op) {
      case VoiceOpcode.Hello:
        return this.#hello(d, now);
      case VoiceOpcode.Ready:
        return this.#ready(d);
      case VoiceOpcode.SessionDescription:
        return this.#handshake.description(d);
      case VoiceOpcode.Resumed:
        return this.#handshake.resumed();
      case VoiceOpcode.HeartbeatAck:
        return this.#acknowledged(d, now);
      case VoiceOpcode.Heartbeat:
        // Not documented for servers; where one asks, a heartbeat is what it wants.
        return this.#heartbeats.started ? [this.#heartbeats.send(this.#received.last, now)] : NOTHING;
      case VoiceOpcode.DavePrepareTransition:
      case VoiceOpcode.DaveExecuteTransition:
      case VoiceOpcode.DavePrepareEpoch:
        return this.#link.receive(readDaveJson(op, d), now);
      default: {
        const said = noteOthers(payload, this.#roster, this.#userId);
        return said === null ? NOTHING : [{ type: "event", event: said }];
      }
    }
  }

  #handleBinary(bytes: Uint8Array, now: number): readonly VoiceOutput[] {
    const { seq, op, payload } = parseVoiceBinary(bytes);
    return this.#isNew(seq, now) ? this.#link.receiveBinary(op, payload, now) : NOTHING;
  }

  /** Notes a numbered message. Returns `false` for a repetition. */
  #isNew(seq: number, now: number): boolean {
    if (!this.#received.received(seq)) return false;
    if (this.phase === "resuming") this.#handshake.replayed(now);
    return true;
  }

  #hello(d: unknown, now: number): readonly VoiceOutput[] {
    const isFirst = !this.#heartbeats.started;
    this.#heartbeats.start(readInterval(d), now);
    return isFirst ? this.#handshake.hello(this.#received.last, now) : NOTHING;
  }

  #ready(d: unknown): readonly VoiceOutput[] {
    const outputs = this.#handshake.ready(d);
    return outputs instanceof ProtocolError ? this.#end("no_common_mode", { error: outputs }) : outputs;
  }

  #acknowledged(d: unknown, now: number): readonly VoiceOutput[] {
    if (this.#heartbeats.acknowledged(d, now) && this.phase === "live") this.#proven = true;
    return NOTHING;
  }

  #end(cause: VoiceStateEndCause, details: Partial<EndDetails> = {}): readonly VoiceOutput[] {
    const { phase, session } = this;
    if (phase === "closed") return NOTHING;
    const end = { cause, phase, session, ...NO_DETAILS, ...details, proven: this.#proven };
    return [this.#machine.close(end, cause === "closed")];
  }
}

/**
 * The gateway connection as a deterministic machine.
 *
 * Theory of operation. One state serves one connection, from the moment its socket is open. It knows no socket, no
 * clock, no timer and no randomness: the caller brings frames, ends and the present time, and gets back what is to be
 * done about it. There are three kinds of members:
 *
 * - *getters* (`phase`, `deadline`, `session`, …) answer at any time, also after the end;
 * - *inputs* (`receive`, `tick`, `identify`, `send`, …) take `now` where time matters, and throw
 *   {@linkcode StateClosedError} after the end, but for a second `connectionEnded`, which says nothing new;
 * - *outputs* are what inputs return: frames to write in this turn, events for the user, a permit to ask for, a close.
 *
 * The caller sleeps until `deadline.at` and then calls `tick`. Whatever ends the connection ends the state: the first
 * cause is kept, and a resume is a new state made from `end.session`. A peer's fault never throws; it ends the state.
 *
 * Steps and ends are tables (`transitions.ts`); what follows an end is another (`verdict.ts`). This file is the small
 * interpreter between them.
 */

import { CommandLimiter, CommandRateLimitError } from "../ratelimit/mod.ts";
import { END_SESSION_CLOSE_CODE, KEEP_SESSION_CLOSE_CODE } from "./close_code.ts";
import { encodeCommand, EncodedCommand } from "./command.ts";
import { ConnectionState } from "./connection_state.ts";
import { FrameError, NotReadyError, ProtocolError, StateClosedError } from "./errors.ts";
import { field } from "./field.ts";
import { frameText, parsePayload, type RawPayload } from "./frame.ts";
import { scanHeader } from "./header.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Latency, type LatencyReading } from "./latency.ts";
import { GatewayOpcode } from "./opcode.ts";
import type { GatewayCommand, GatewayDispatch, Identify } from "./payload.ts";
import type { SessionRecord } from "./session.ts";
import type { Deadline, GatewayEnd, GatewayOutput, GatewayStateOptions } from "./state_io.ts";
import {
  closeCause,
  type GatewayPhase,
  type GatewayTrigger,
  nextPhase,
  type StateEndCause,
} from "./transitions.ts";

const NOTHING: readonly GatewayOutput[] = [];
const NO_DEADLINE: Deadline = { at: Infinity, reason: "none" };
const DEFAULT_PROPERTIES: Identify["properties"] = {
  os: "unknown",
  browser: "discordgateway",
  device: "discordgateway",
};

/**
 * One gateway connection, without the connection.
 *
 * @see https://docs.discord.com/developers/events/gateway#connection-lifecycle
 *
 * @example
 * ```ts
 * import { GatewayState } from "@discordgateway/edge/gateway";
 *
 * const state = new GatewayState({ token: "bot token", intents: 512, now: 0, random: () => 0.5 });
 *
 * const [permit] = state.receive('{"op":10,"d":{"heartbeat_interval":41250},"s":null,"t":null}', 5);
 * if (permit?.type !== "permit") throw new Error("HELLO asks for a permit to identify");
 *
 * const [identify] = state.identify(10);
 * if (identify?.type !== "send" || identify.what !== "identify") throw new Error("unexpected");
 *
 * state.receive('{"t":"READY","s":1,"op":0,"d":{"session_id":"a","resume_gateway_url":"wss://b"}}', 20);
 * if (state.phase !== "live" || state.session?.sequence !== 1) throw new Error("unexpected");
 * if (state.deadline.reason !== "heartbeat" || state.deadline.at !== 5 + 41_250 / 2) throw new Error("unexpected");
 * ```
 */
export class GatewayState {
  readonly #token: string;
  readonly #options: GatewayStateOptions;
  readonly #wanted: ReadonlySet<string> | null;
  readonly #connection: ConnectionState<GatewayEnd>;
  readonly #limiter: CommandLimiter;
  readonly #latency = new Latency();
  /** What came before this connection; replayed again by a sloppy server, it is dropped. */
  readonly #resumedFrom: number | null;
  #phase: GatewayPhase = "awaiting_hello";
  #session: Omit<SessionRecord, "sequence"> | null;
  #heartbeat: Heartbeat | null = null;
  #stageDeadline: Deadline;
  /** The next heartbeat is one that Discord asked for, and for which the budget had no room at once. */
  #isHeartbeatRequested = false;
  #proven = false;
  #progressed = false;

  /** Starts in `awaiting_hello`. */
  constructor(options: GatewayStateOptions) {
    const { session = null, now, helloTimeoutMs = 20_000, commandPeriodMs = 60_250 } = options;
    this.#token = options.token;
    this.#options = options;
    this.#wanted = options.wanted ?? null;
    this.#session = session;
    this.#resumedFrom = session?.sequence ?? null;
    this.#connection = new ConnectionState((end) => new StateClosedError(end), this.#resumedFrom);
    this.#limiter = new CommandLimiter({ periodMs: commandPeriodMs });
    this.#stageDeadline = { at: now + helloTimeoutMs, reason: "hello" };
  }

  // Getters.

  /** Where the connection stands. */
  get phase(): GatewayPhase {
    return this.#phase;
  }

  /** How it ended, `null` while it lasts. */
  get end(): GatewayEnd | null {
    return this.#connection.end;
  }

  /** The session with the last sequence *received*; `null` before READY of a new one. */
  get session(): SessionRecord | null {
    if (this.#session === null) return null;
    const { sessionId, resumeGatewayUrl, shardId, shardCount } = this.#session;
    return { sessionId, sequence: this.#connection.sequence ?? 0, resumeGatewayUrl, shardId, shardCount };
  }

  /** When to call `tick` next, and why. */
  get deadline(): Deadline {
    if (this.end !== null) return NO_DEADLINE;
    const heartbeatAt = this.#heartbeat?.nextAt ?? Infinity;
    if (heartbeatAt >= this.#stageDeadline.at) return this.#stageDeadline;
    return { at: heartbeatAt, reason: this.#isHeartbeatRequested ? "requested_heartbeat" : "heartbeat" };
  }

  /** How long heartbeats took to be acknowledged on this connection. */
  get latency(): LatencyReading {
    return this.#latency.reading;
  }

  /** Frames in any one window of the budget, heartbeats included. */
  get commandLimit(): number {
    return this.#limiter.limit;
  }

  /** How many commands could be sent right now without waiting; 0 before READY or RESUMED. */
  availableCommands(now: number): number {
    return this.#phase === "live" ? this.#limiter.available(now, this.#heartbeat) : 0;
  }

  /** The first instant at which `send` is admitted, `now` if at once; `Infinity` before READY or RESUMED. */
  nextCommandAt(now: number): number {
    return this.#phase === "live" ? this.#limiter.nextAvailableAt(now, this.#heartbeat) : Infinity;
  }

  // Inputs.

  /** A frame came in. A frame that cannot be understood ends the state; see `end.error`. */
  receive(frame: string | Uint8Array, now: number): readonly GatewayOutput[] {
    this.#connection.assertOpen();
    // Whatever it says, it says that the peer lives.
    this.#heartbeat?.heard();
    try {
      const text = frameText(frame, this.#options.decoder ?? null);
      if (text === null || this.#skip(text, now)) return NOTHING;
      return this.#handle(parsePayload(text), now);
    } catch (error) {
      if (error instanceof FrameError) return this.#end("frame_error", { error });
      if (error instanceof ProtocolError) return this.#end("protocol_error", { error });
      throw error;
    }
  }

  /** Time has passed. Call it at `deadline.at`; calling it earlier does nothing. */
  tick(now: number): readonly GatewayOutput[] {
    this.#connection.assertOpen();
    const stage = this.#stageDeadline;
    if (now >= stage.at) {
      if (stage.reason === "hello") return this.#end("hello_timeout");
      return this.#end(stage.reason === "ready" ? "ready_timeout" : "resumed_timeout");
    }
    const heartbeat = this.#heartbeat;
    if (heartbeat === null || now < heartbeat.nextAt) return NOTHING;
    if (heartbeat.silent) return this.#end("zombie");
    return this.#sendHeartbeat(heartbeat, now);
  }

  /**
   * The identify limiter gave its permit: returns the IDENTIFY to write.
   *
   * @throws {TypeError} If no permit was asked for.
   */
  identify(now: number): readonly GatewayOutput[] {
    this.#connection.assertOpen();
    const from = this.#phase;
    if (!this.#step("permit")) throw new TypeError(`Cannot identify: no permit was asked for: ${from}`);
    const { intents, presence, largeThreshold, capabilities, properties, shard = [0, 1] } = this.#options;
    const d: Identify = {
      token: this.#token,
      intents,
      properties: { ...DEFAULT_PROPERTIES, ...properties },
      shard: [shard[0], shard[1]],
      ...(presence && { presence }),
      ...(largeThreshold !== undefined && { large_threshold: largeThreshold }),
      ...(capabilities !== undefined && { capabilities }),
    };
    this.#stageDeadline = { at: now + (this.#options.readyTimeoutMs ?? 120_000), reason: "ready" };
    this.#limiter.record(now);
    return [{ type: "send", frame: JSON.stringify({ op: GatewayOpcode.Identify, d }), what: "identify" }];
  }

  /**
   * The identify limiter refused for good, or (`failed`) could not be asked: the state ends.
   *
   * @throws {TypeError} If no permit was asked for.
   */
  identifyRefused(error: Error, options: { readonly failed?: boolean } = {}): readonly GatewayOutput[] {
    this.#connection.assertOpen();
    if (this.#phase !== "awaiting_permit") {
      throw new TypeError(`Cannot refuse an identify: no permit was asked for: ${this.#phase}`);
    }
    return this.#end(options.failed ? "identify_limiter_failed" : "identify_refused", { error });
  }

  /**
   * Admits a command: returns the frame to write now. An error leaves the state as it was.
   *
   * @throws {CommandError} A command that Discord would not accept, one of more than 4096 bytes included.
   * @throws {NotReadyError} Before READY or RESUMED.
   * @throws {CommandRateLimitError} The budget is used up; names the first instant at which it is not.
   * @throws {StateClosedError} After the end.
   */
  send(command: GatewayCommand | EncodedCommand, now: number): string {
    this.#connection.assertOpen();
    const { frame } = command instanceof EncodedCommand ? command : encodeCommand(command);
    if (this.#phase !== "live") throw new NotReadyError(this.#phase);
    const at = this.#limiter.nextAvailableAt(now, this.#heartbeat);
    if (at > now) throw new CommandRateLimitError(at, now);
    this.#limiter.record(now);
    return frame;
  }

  /** Writing a frame failed: the state ends. */
  writeFailed(error: Error): readonly GatewayOutput[] {
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
    this.#end(closeCause(code), { closeCode: code, reason, error: error ?? null });
  }

  /** The program closes the connection: keeping the session for a resume, or ending it at Discord (bot offline). */
  close(
    options: { readonly keepSession: boolean; readonly consumerBehind?: boolean },
  ): readonly GatewayOutput[] {
    this.#connection.assertOpen();
    if (options.consumerBehind) return this.#end("consumer_behind");
    return this.#end(options.keepSession ? "closed_keeping_session" : "closed_ending_session");
  }

  // The interpreter.

  /** Drops an event that nobody asked for by its header alone. */
  #skip(text: string, now: number): boolean {
    if (this.#wanted === null) return false;
    const header = scanHeader(text);
    if (header === null || header.op !== GatewayOpcode.Dispatch) return false;
    const { s, t } = header;
    if (s === null || t === null || t === "READY" || t === "RESUMED" || this.#wanted.has(t)) return false;
    this.#dispatched(s, now);
    return true;
  }

  #handle(payload: RawPayload, now: number): readonly GatewayOutput[] {
    switch (payload.op) {
      case GatewayOpcode.Dispatch:
        return this.#dispatch(payload, now);
      case GatewayOpcode.Hello:
        return this.#hello(payload.d, now);
      case GatewayOpcode.HeartbeatAck:
        if (this.#latency.acknowledged(now) && this.#phase === "live") this.#proven = true;
        return NOTHING;
      case GatewayOpcode.Heartbeat:
        return this.#heartbeatRequested(now);
      case GatewayOpcode.Reconnect:
        return this.#end("reconnect");
      case GatewayOpcode.InvalidSession:
        return this.#end(payload.d === true ? "invalid_session_resumable" : "invalid_session");
      default:
        // Discord adds opcodes without a new version.
        return NOTHING;
    }
  }

  #hello(d: unknown, now: number): readonly GatewayOutput[] {
    const intervalMs = field(d, "heartbeat_interval");
    if (typeof intervalMs !== "number" || !Number.isFinite(intervalMs) || intervalMs < 1) {
      const shown = typeof intervalMs === "number" ? intervalMs : typeof intervalMs;
      throw new ProtocolError(`Cannot take HELLO: heartbeat_interval is a number of ms from 1: ${shown}`);
    }
    if (this.#heartbeat !== null) {
      this.#heartbeat.changeInterval(intervalMs, now);
      return NOTHING;
    }
    this.#heartbeat = new Heartbeat(intervalMs, now, this.#options.random());
    if (this.#session === null) {
      this.#step("HELLO, no session");
      // From here the permit decides when, however long that takes; heartbeats keep the connection.
      this.#stageDeadline = NO_DEADLINE;
      return [{ type: "permit" }];
    }
    this.#step("HELLO, session");
    this.#awaitReplay(now);
    this.#limiter.record(now);
    const { sessionId } = this.#session;
    const d6 = { token: this.#token, session_id: sessionId, seq: this.#connection.sequence };
    return [{ type: "send", frame: JSON.stringify({ op: GatewayOpcode.Resume, d: d6 }), what: "resume" }];
  }

  #dispatch(payload: RawPayload, now: number): readonly GatewayOutput[] {
    const { s, t } = payload;
    if (t === "READY") this.#ready(payload);
    else if (s !== null && !this.#dispatched(s, now) && t !== "RESUMED") return NOTHING;
    if (t === "RESUMED" && this.#step("RESUMED")) {
      this.#stageDeadline = NO_DEADLINE;
      this.#progressed = true;
    }
    if (this.#wanted !== null && (t === null || !this.#wanted.has(t))) return NOTHING;
    return [{ type: "event", event: asDispatch(payload) }];
  }

  /** Notes a numbered event, unless it is one from before the resume point, which says nothing new. */
  #dispatched(s: number, now: number): boolean {
    if (this.#phase === "resuming") {
      if (this.#resumedFrom !== null && s <= this.#resumedFrom) return false;
      this.#awaitReplay(now);
    }
    this.#connection.received(s);
    this.#progressed = true;
    return true;
  }

  #awaitReplay(now: number): void {
    this.#stageDeadline = { at: now + (this.#options.resumedTimeoutMs ?? 30_000), reason: "resumed" };
  }

  #ready({ d, s }: RawPayload): void {
    const sessionId = field(d, "session_id");
    if (typeof sessionId !== "string" || sessionId === "") {
      throw new ProtocolError(`Cannot take READY: session_id is a string: ${typeof sessionId}`);
    }
    const url = field(d, "resume_gateway_url");
    const [shardId, shardCount] = this.#options.shard ?? [0, 1];
    const resumeGatewayUrl = typeof url === "string" && URL.canParse(url) ? url : null;
    this.#session = { sessionId, resumeGatewayUrl, shardId, shardCount };
    this.#connection.restart(s);
    this.#progressed = true;
    if (this.#step("READY")) this.#stageDeadline = NO_DEADLINE;
  }

  /** Discord asks for a heartbeat: it takes the place of the next scheduled one, at once if the budget has room. */
  #heartbeatRequested(now: number): readonly GatewayOutput[] {
    const heartbeat = this.#heartbeat;
    // Before HELLO there is no schedule to protect.
    if (heartbeat === null) return this.#openingWouldNotFit(now) ? NOTHING : [this.#heartbeatFrame(now)];
    heartbeat.moveTo(this.#limiter.requestedHeartbeatAt(now, heartbeat));
    this.#isHeartbeatRequested = true;
    return heartbeat.nextAt > now ? NOTHING : this.#sendHeartbeat(heartbeat, now);
  }

  /** Sends the heartbeat that is due. Only one that nobody could plan for finds the budget full, and waits. */
  #sendHeartbeat(heartbeat: Heartbeat, now: number): readonly GatewayOutput[] {
    const fitsAt = this.#openingWouldNotFit(now)
      ? now + heartbeat.intervalMs
      : this.#limiter.nextUrgentAt(now);
    if (fitsAt > now) {
      heartbeat.moveTo(fitsAt);
      return NOTHING;
    }
    heartbeat.sent(now);
    this.#isHeartbeatRequested = false;
    return [this.#heartbeatFrame(now)];
  }

  /** IDENTIFY or RESUME is still to come, and one more heartbeat would take its place in the budget. */
  #openingWouldNotFit(now: number): boolean {
    const opening = this.#phase === "awaiting_hello" || this.#phase === "awaiting_permit";
    return opening && this.#limiter.available(now, null) < 2;
  }

  #heartbeatFrame(now: number): GatewayOutput {
    this.#latency.sent(now);
    this.#limiter.record(now);
    const frame = `{"op":${GatewayOpcode.Heartbeat},"d":${this.#connection.sequence ?? "null"}}`;
    return { type: "send", frame, what: "heartbeat" };
  }

  #step(on: GatewayTrigger): boolean {
    const to = nextPhase(this.#phase, on);
    if (to === null) return false;
    this.#phase = to;
    return true;
  }

  #end(
    cause: StateEndCause,
    { closeCode = null, reason = "", error = null }: Partial<
      Pick<GatewayEnd, "closeCode" | "reason" | "error">
    > = {},
  ): readonly GatewayOutput[] {
    const phase = this.#phase;
    if (phase === "closed") return NOTHING;
    const { session } = this;
    const proven = this.#proven;
    const progressed = this.#progressed;
    this.#connection.close({ cause, phase, session, closeCode, reason, proven, progressed, error });
    this.#phase = "closed";
    // Either nothing is left of the session, or the program wants it gone. Any other close keeps it.
    const ends = cause === "closed_ending_session" || cause === "invalid_session";
    return [{
      type: "close",
      code: ends ? END_SESSION_CLOSE_CODE : KEEP_SESSION_CLOSE_CODE,
      reason: cause.replaceAll("_", " "),
    }];
  }
}

/** Trusts Discord for the shape of `d`, as every client must: the payload's documented type is the event's name. */
function asDispatch(payload: RawPayload): GatewayDispatch {
  return payload as GatewayDispatch;
}

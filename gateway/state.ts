/**
 * The gateway connection as a deterministic machine.
 *
 * One state serves one connection, from the moment its socket is open. It knows no socket, no clock, no timer and no
 * randomness: the caller passes in frames, ends and the present time, and gets back what to do. *Getters* can be read at
 * any time. *Inputs* throw {@linkcode StateClosedError} after the end, except for a second `connectionEnded`, which has
 * no effect. *Outputs* are what inputs return: frames to write now, events for the user, a permit to ask for, a close.
 *
 * The caller sleeps until `deadline.at` and then calls `tick`. Whatever ends the connection ends the state: the first
 * cause is kept, and a resume is a new state made from `end.session`. A peer's fault never throws; it ends the state.
 *
 * Steps and ends are tables (`transitions.ts`), which `machine.ts` interprets; what follows an end is another table
 * (`verdict.ts`). This file decides which trigger or cause an input is.
 */

import { encodeCommand, EncodedCommand } from "./command.ts";
import { type EndDetails, FrameError, NO_DETAILS, NotReadyError, ProtocolError } from "./errors.ts";
import { FrameBudget } from "./frame_budget.ts";
import { asDispatch, frameText, parsePayload, type RawPayload } from "./frame.ts";
import { HandshakeDeadline, identifyOutput, NO_DEADLINE, readInterval, resumeOutput } from "./handshake.ts";
import { scanHeader } from "./header.ts";
import type { LatencyReading } from "./latency.ts";
import { Machine, type SocketEnd } from "./machine.ts";
import { GatewayOpcode } from "./opcode.ts";
import type { GatewayCommand } from "./payload.ts";
import { ReceivedSession } from "./received_session.ts";
import type { SessionRecord } from "./session.ts";
import type { CloseOptions, Deadline, GatewayEnd, GatewayOutput, GatewayStateOptions } from "./state_io.ts";
import {
  closeCause,
  type GatewayPhase,
  type GatewayTrigger,
  type StateEndCause,
  TABLES,
} from "./transitions.ts";

const NOTHING: readonly GatewayOutput[] = [];

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
 * const [identify] = state.identify(10);
 * if (identify?.type !== "send" || identify.what !== "identify") throw new Error("unexpected");
 * state.receive('{"t":"READY","s":1,"op":0,"d":{"session_id":"a","resume_gateway_url":"wss://b"}}', 20);
 * if (state.phase !== "live" || state.session?.sequence !== 1) throw new Error("unexpected");
 * if (state.deadline.reason !== "heartbeat" || state.deadline.at !== 5 + 41_250 / 2) throw new Error("unexpected");
 * ```
 */
export class GatewayState {
  readonly #options: GatewayStateOptions;
  readonly #wanted: ReadonlySet<string> | null;
  readonly #machine = new Machine<GatewayPhase, GatewayTrigger, GatewayEnd>(TABLES);
  readonly #budget: FrameBudget;
  readonly #session: ReceivedSession;
  readonly #handshake: HandshakeDeadline;
  #proven = false;

  /** Starts in `awaiting_hello`. */
  constructor(options: GatewayStateOptions) {
    this.#options = options;
    this.#wanted = options.wanted ?? null;
    this.#session = new ReceivedSession(options.session ?? null);
    this.#budget = new FrameBudget(options.commandPeriodMs ?? 60_250);
    this.#handshake = new HandshakeDeadline(options);
  }

  // Getters.

  /** Where the connection stands. */
  get phase(): GatewayPhase {
    return this.#machine.phase;
  }

  /** How it ended, `null` while it lasts. */
  get end(): GatewayEnd | null {
    return this.#machine.end;
  }

  /** The session with the last sequence *received*; `null` before READY of a new one. */
  get session(): SessionRecord | null {
    return this.#session.record;
  }

  /** When to call `tick` next, and why. */
  get deadline(): Deadline {
    if (this.end !== null) return NO_DEADLINE;
    const { heartbeatAt, isHeartbeatRequested } = this.#budget;
    if (heartbeatAt >= this.#handshake.next.at) return this.#handshake.next;
    return { at: heartbeatAt, reason: isHeartbeatRequested ? "requested_heartbeat" : "heartbeat" };
  }

  /** How long heartbeats took to be acknowledged on this connection. */
  get latency(): LatencyReading {
    return this.#budget.latency.reading;
  }

  /** Frames in any one window of the budget, heartbeats included. */
  get commandLimit(): number {
    return this.#budget.limit;
  }

  /** How many commands could be sent right now without waiting; 0 before READY or RESUMED. */
  availableCommands(now: number): number {
    return this.phase === "live" ? this.#budget.available(now) : 0;
  }

  /** The first instant at which `send` is admitted, `now` if at once; `Infinity` before READY or RESUMED. */
  nextCommandAt(now: number): number {
    return this.phase === "live" ? this.#budget.nextAvailableAt(now) : Infinity;
  }

  // Inputs.

  /** A frame came in. A frame that cannot be understood ends the state; see `end.error`. */
  receive(frame: string | Uint8Array, now: number): readonly GatewayOutput[] {
    this.#machine.assertOpen();
    // A frame of any kind shows that the peer is alive.
    this.#budget.heartbeat?.heard();
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
    this.#machine.assertOpen();
    const timeout = this.#handshake.exceeded(now);
    if (timeout !== null) return this.#end(timeout);
    if (now < this.#budget.heartbeatAt) return NOTHING;
    if (this.#budget.heartbeat?.silent) return this.#end("zombie");
    return this.#budget.heartbeatDue(this.#session.sequence, now);
  }

  /**
   * The identify limiter gave its permit: returns the IDENTIFY to write.
   *
   * @throws {TypeError} If no permit was asked for.
   */
  identify(now: number): readonly GatewayOutput[] {
    this.#machine.assertOpen();
    const { phase } = this;
    if (!this.#machine.step("permit")) {
      throw new TypeError(`Cannot identify: no permit was asked for: ${phase}`);
    }
    this.#handshake.awaitReady(now);
    this.#budget.open(now);
    return [identifyOutput(this.#options)];
  }

  /**
   * The identify limiter refused for good, or (`failed`) could not be asked: the state ends.
   *
   * @throws {TypeError} If no permit was asked for.
   */
  identifyRefused(error: Error, options: { readonly failed?: boolean } = {}): readonly GatewayOutput[] {
    this.#machine.assertOpen();
    const cause = options.failed ? "identify_limiter_failed" : "identify_refused";
    if (!this.#machine.mayEnd(cause)) {
      throw new TypeError(`Cannot refuse an identify: no permit was asked for: ${this.phase}`);
    }
    return this.#end(cause, { error });
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
    this.#machine.assertOpen();
    const { frame } = command instanceof EncodedCommand ? command : encodeCommand(command);
    if (this.phase !== "live") throw new NotReadyError("send a command", this.phase);
    this.#budget.admit(now);
    return frame;
  }

  /** Writing a frame failed: the state ends. */
  writeFailed(error: Error): readonly GatewayOutput[] {
    this.#machine.assertOpen();
    return this.#end("write_failed", { error });
  }

  /** The socket closed or was lost: the state ends. A second end has no effect. */
  connectionEnded({ code, reason, error }: SocketEnd): void {
    this.#end(closeCause(code), { closeCode: code, reason, error: error ?? null });
  }

  /** The program closes the connection: keeping the session for a resume, or ending it at Discord (bot offline). */
  close(options: CloseOptions): readonly GatewayOutput[] {
    this.#machine.assertOpen();
    if (options.consumerBehind) return this.#end("consumer_behind");
    return this.#end(options.keepSession ? "closed_keeping_session" : "closed_ending_session");
  }

  // The interpreter.

  /** Drops an event that is not wanted by its header alone. */
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
        if (this.#budget.latency.acknowledged(now) && this.phase === "live") this.#proven = true;
        return NOTHING;
      case GatewayOpcode.Heartbeat:
        return this.#budget.heartbeatRequested(this.#session.sequence, now);
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
    if (!this.#budget.start(readInterval(d), now, this.#options.random)) return NOTHING;
    const { session } = this;
    if (session === null) {
      this.#machine.step("HELLO, no session");
      // The permit may take any time; heartbeats keep the connection meanwhile.
      this.#handshake.clear();
      return [{ type: "permit" }];
    }
    this.#machine.step("HELLO, session");
    this.#handshake.awaitReplay(now);
    this.#budget.open(now);
    return [resumeOutput(this.#options.token, session)];
  }

  #dispatch(payload: RawPayload, now: number): readonly GatewayOutput[] {
    const { s, t } = payload;
    if (t === "READY") {
      this.#session.begin(payload.d, s, this.#options.shard);
      if (this.#machine.step("READY")) this.#handshake.clear();
    } else if (s !== null && !this.#dispatched(s, now) && t !== "RESUMED") return NOTHING;
    if (t === "RESUMED" && this.#machine.step("RESUMED")) {
      this.#handshake.clear();
      this.#session.resumed();
    }
    if (this.#wanted !== null && (t === null || !this.#wanted.has(t))) return NOTHING;
    return [{ type: "event", event: asDispatch(payload) }];
  }

  /** Notes a numbered event. Returns `false` for one from before the resume point, which was seen before. */
  #dispatched(s: number, now: number): boolean {
    const isReplay = this.#machine.phase === "resuming";
    if (!this.#session.dispatched(s, isReplay)) return false;
    if (isReplay) this.#handshake.awaitReplay(now);
    return true;
  }

  #end(cause: StateEndCause, details: Partial<EndDetails> = {}): readonly GatewayOutput[] {
    const { phase, session } = this;
    if (phase === "closed") return NOTHING;
    const { progressed } = this.#session;
    const end = { cause, phase, session, ...NO_DETAILS, ...details, proven: this.#proven, progressed };
    // Either the session is invalid, or the program ends it. Any other close keeps it.
    return [this.#machine.close(end, cause === "closed_ending_session" || cause === "invalid_session")];
  }
}

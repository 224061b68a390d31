/**
 * Drives a state without a connection: a clock that moves only when a test says so and stops at each of the state's
 * own deadlines, a peer that acknowledges heartbeats, and a record of all that came out.
 *
 * Whatever a test is about, the driver also holds the state to its tables: a phase changes only along a row of
 * TRANSITIONS, an end is a row of ENDS, and a connection is closed once.
 */

import {
  ENDS,
  type GatewayCommand,
  type GatewayDispatch,
  type GatewayEnd,
  type GatewayOutput,
  type GatewayPhase,
  GatewayState,
  type GatewayStateOptions,
  type SessionRecord,
  TRANSITIONS,
} from "../../gateway/mod.ts";

/** Searched for wherever it must not show. */
export const TOKEN = "MTIzNDU2.secret-token.of-the-bot";

/** A session that another process left behind. */
export const SESSION: SessionRecord = {
  sessionId: "d1c2",
  sequence: 1337,
  resumeGatewayUrl: "wss://gateway-us-east1-b.discord.gg",
  shardId: 0,
  shardCount: 1,
};

/** A phase of a connection that lasts. */
export type OpenPhase = Exclude<GatewayPhase, "closed">;

/** All phases of a connection that lasts. */
export const OPEN_PHASES: readonly OpenPhase[] = [
  "awaiting_hello",
  "awaiting_permit",
  "identifying",
  "resuming",
  "live",
];

/** A frame that is no dispatch, in Discord's layout. */
export function frame(op: number, d: unknown = null): string {
  return JSON.stringify({ t: null, s: null, op, d });
}

/** A dispatch in Discord's layout. */
export function dispatch(t: string | null, s: number | null, d: unknown = {}): string {
  return JSON.stringify({ t, s, op: 0, d });
}

/** A READY of the session in {@linkcode SESSION}. */
export function ready(s: number | null = 1, d: object = {}): string {
  const { sessionId, resumeGatewayUrl } = SESSION;
  return dispatch("READY", s, { v: 10, session_id: sessionId, resume_gateway_url: resumeGatewayUrl, ...d });
}

/** HELLO with the usual interval. */
export function hello(intervalMs: number = 41_250): string {
  return frame(10, { heartbeat_interval: intervalMs, _trace: ["fake"] });
}

/** The acknowledgement of a heartbeat, as short as Discord sends it. */
export const ACK = '{"op":11}';

/** A frame that went out. */
export interface SentFrame {
  /** When, in ms. */
  readonly at: number;
  /** What for. */
  readonly what: "heartbeat" | "identify" | "resume" | "command";
  /** The text. */
  readonly frame: string;
}

/** A state, its clock, its peer and its journal. */
export class Driver {
  /** The state under test. */
  readonly state: GatewayState;
  /** Everything written, in order. */
  readonly sent: SentFrame[] = [];
  /** Every event handed to the user. */
  readonly events: GatewayDispatch[] = [];
  /** The request to close; there is one at most. */
  close: { readonly code: number; readonly reason: string } | null = null;
  /** How often a permit to identify was asked for. */
  permits = 0;
  /** The present, in ms. */
  now = 0;
  /** How long the peer takes to acknowledge a heartbeat, in ms; `null` = it never does. */
  acksAfterMs: number | null = 40;
  #ackAt = Infinity;

  /** Opens a connection at 0; the first heartbeat comes after half an interval. */
  constructor(options: Partial<GatewayStateOptions> = {}) {
    this.state = new GatewayState({ token: TOKEN, intents: 512, now: 0, random: () => 0.5, ...options });
  }

  /** How it ended; fails the test if it has not. */
  get end(): GatewayEnd {
    if (this.state.end === null) throw new Error(`The state has not ended: ${this.state.phase}`);
    return this.state.end;
  }

  /** The frames sent for one purpose. */
  framesOf(what: SentFrame["what"]): string[] {
    return this.sent.filter((sent) => sent.what === what).map((sent) => sent.frame);
  }

  /** Each event's name and number. */
  get eventNames(): string[] {
    return this.events.map((event) => `${event.t} ${event.s}`);
  }

  /** A frame comes in now. */
  receive(frame: string | Uint8Array): readonly GatewayOutput[] {
    return this.#watch(() => this.state.receive(frame, this.now));
  }

  /** Several frames come in now. */
  receiveAll(...frames: readonly string[]): void {
    for (const frame of frames) this.receive(frame);
  }

  /** The limiter gives its permit now. */
  identify(): readonly GatewayOutput[] {
    return this.#watch(() => this.state.identify(this.now));
  }

  /** Any other input. */
  input(act: (state: GatewayState) => readonly GatewayOutput[] | void): readonly GatewayOutput[] {
    return this.#watch(() => act(this.state) ?? []);
  }

  /** The user sends a command now. */
  send(command: GatewayCommand): string {
    const frame = this.state.send(command, this.now);
    this.sent.push({ at: this.now, what: "command", frame });
    return frame;
  }

  /** Calls `tick` now. */
  tick(): readonly GatewayOutput[] {
    return this.#watch(() => this.state.tick(this.now));
  }

  /** Moves the clock to the state's deadline and calls `tick`. */
  toDeadline(): readonly GatewayOutput[] {
    this.now = Math.max(this.now, this.state.deadline.at);
    return this.tick();
  }

  /** Lets time pass, stopping at each deadline and each acknowledgement on the way. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (let turns = 0; this.state.end === null; turns++) {
      if (turns > 1_000_000) throw new Error(`The state does not let time pass: ${this.now}`);
      const dueAt = this.state.deadline.at;
      const at = Math.min(dueAt, this.#ackAt);
      if (at > until) break;
      this.now = Math.max(this.now, at);
      if (this.#ackAt < dueAt) {
        this.#ackAt = Infinity;
        this.receive(ACK);
      } else this.tick();
    }
    this.now = until;
  }

  #watch(act: () => readonly GatewayOutput[]): readonly GatewayOutput[] {
    const from = this.state.phase;
    const outputs = act();
    const to = this.state.phase;
    if (to === "closed" && from !== "closed") checkEnd(this.end, from);
    else if (to !== from && !Object.values(TRANSITIONS[from] ?? {}).includes(to)) {
      throw new Error(`No row of TRANSITIONS leads from ${from} to ${to}`);
    }
    for (const output of outputs) this.#note(output);
    return outputs;
  }

  #note(output: GatewayOutput): void {
    switch (output.type) {
      case "send":
        this.sent.push({ at: this.now, what: output.what, frame: output.frame });
        if (output.what === "heartbeat" && this.acksAfterMs !== null) {
          this.#ackAt = this.now + this.acksAfterMs;
        }
        break;
      case "event":
        this.events.push(output.event);
        break;
      case "permit":
        this.permits++;
        break;
      case "close":
        if (this.close !== null) throw new Error("The connection was closed twice");
        this.close = output;
    }
  }
}

function checkEnd({ cause, phase }: GatewayEnd, from: GatewayPhase): void {
  const ends: Readonly<Record<string, readonly GatewayPhase[]>> = ENDS;
  if (!ends[cause.startsWith("close_") ? "close_*" : cause]?.includes(from)) {
    throw new Error(`No row of ENDS has ${cause} end ${from}`);
  }
  if (phase !== from) throw new Error(`The end says ${phase}, it was ${from}`);
}

/** A connection that has just come to a phase, at 0, with a heartbeat due after half the interval. */
export function inPhase(
  phase: OpenPhase,
  { intervalMs = 41_250, ...options }: Partial<GatewayStateOptions> & { readonly intervalMs?: number } = {},
): Driver {
  const driver = new Driver(phase === "resuming" ? { session: SESSION, ...options } : options);
  if (phase === "awaiting_hello") return driver;
  driver.receive(hello(intervalMs));
  if (phase === "awaiting_permit" || phase === "resuming") return driver;
  driver.identify();
  if (phase === "live") driver.receive(ready());
  if (driver.state.phase !== phase) throw new Error(`Not ${phase}: ${driver.state.phase}`);
  return driver;
}

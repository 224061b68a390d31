/** What opens a session: HELLO and READY as they are read, IDENTIFY and RESUME as they are written, and their deadlines. */

import { ProtocolError } from "./errors.ts";
import { field } from "./field.ts";
import { GatewayOpcode } from "./opcode.ts";
import type { Identify, Resume } from "./payload.ts";
import type { SessionRecord } from "./session.ts";
import type { Deadline, GatewayOutput, GatewayStateOptions } from "./state_io.ts";

/** A session without its sequence number, which every event changes. */
export type SessionIdentity = Omit<SessionRecord, "sequence">;

const DEFAULT_PROPERTIES: Identify["properties"] = {
  os: "unknown",
  browser: "discordgateway",
  device: "discordgateway",
};

/**
 * HELLO's interval in ms.
 *
 * @throws {ProtocolError} There is none.
 */
export function readInterval(d: unknown): number {
  const intervalMs = field(d, "heartbeat_interval");
  if (typeof intervalMs === "number" && Number.isFinite(intervalMs) && intervalMs >= 1) return intervalMs;
  const shown = typeof intervalMs === "number" ? intervalMs : typeof intervalMs;
  throw new ProtocolError(`Cannot take HELLO: heartbeat_interval is a number of ms from 1: ${shown}`);
}

/**
 * READY's session.
 *
 * @throws {ProtocolError} It has no id.
 */
export function readSession(
  d: unknown,
  [shardId, shardCount]: readonly [id: number, count: number] = [0, 1],
): SessionIdentity {
  const sessionId = field(d, "session_id");
  if (typeof sessionId !== "string" || sessionId === "") {
    throw new ProtocolError(`Cannot take READY: session_id is a string: ${typeof sessionId}`);
  }
  const url = field(d, "resume_gateway_url");
  const resumeGatewayUrl = typeof url === "string" && URL.canParse(url) ? url : null;
  return { sessionId, resumeGatewayUrl, shardId, shardCount };
}

/** The IDENTIFY to write. */
export function identifyOutput(options: GatewayStateOptions): GatewayOutput {
  const { token, intents, presence, largeThreshold, capabilities, properties, shard = [0, 1] } = options;
  const d: Identify = {
    token,
    intents,
    properties: { ...DEFAULT_PROPERTIES, ...properties },
    shard: [shard[0], shard[1]],
    ...(presence && { presence }),
    ...(largeThreshold !== undefined && { large_threshold: largeThreshold }),
    ...(capabilities !== undefined && { capabilities }),
  };
  return { type: "send", frame: JSON.stringify({ op: GatewayOpcode.Identify, d }), what: "identify" };
}

/** The RESUME to write. */
export function resumeOutput(token: string, { sessionId, sequence }: SessionRecord): GatewayOutput {
  const d: Resume = { token, session_id: sessionId, seq: sequence };
  return { type: "send", frame: JSON.stringify({ op: GatewayOpcode.Resume, d }), what: "resume" };
}

/** Nothing is due. */
export const NO_DEADLINE: Deadline = { at: Infinity, reason: "none" };

/** How long the peer may take for the next step of the handshake. */
export class HandshakeDeadline {
  readonly #options: GatewayStateOptions;
  #next: Deadline;

  /** Waits for HELLO. */
  constructor(options: GatewayStateOptions) {
    this.#options = options;
    this.#next = { at: options.now + (options.helloTimeoutMs ?? 20_000), reason: "hello" };
  }

  /** When the present step is given up, and which. */
  get next(): Deadline {
    return this.#next;
  }

  /** Waits for READY from now on. */
  awaitReady(now: number): void {
    this.#next = { at: now + (this.#options.readyTimeoutMs ?? 120_000), reason: "ready" };
  }

  /** Waits for RESUMED, or for the next event of the replay, from now on. */
  awaitReplay(now: number): void {
    this.#next = { at: now + (this.#options.resumedTimeoutMs ?? 30_000), reason: "resumed" };
  }

  /** Waits for nothing. */
  clear(): void {
    this.#next = NO_DEADLINE;
  }

  /** The cause of an end if the peer took too long; otherwise `null`. */
  exceeded(now: number): "hello_timeout" | "ready_timeout" | "resumed_timeout" | null {
    if (now < this.#next.at) return null;
    if (this.#next.reason === "hello") return "hello_timeout";
    return this.#next.reason === "ready" ? "ready_timeout" : "resumed_timeout";
  }
}

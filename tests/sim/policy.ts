/**
 * What a simulation asks of a client: when may a frame leave? One policy serves one connection, opened at 0.
 *
 * The files in `policies/` are this project's limiter and four others, each modelled after a client that people use.
 * A model has the client's algorithm and its numbers, and nothing else of it.
 */

import type { HeartbeatSchedule } from "../../ratelimit/mod.ts";

/** Discord's budget: so many frames ... */
export const LIMIT = 120;
/** ... in any so many ms. */
export const PERIOD_MS = 60_000;

/** What a frame is. */
export type FrameKind = "identify" | "heartbeat" | "command";

/** The rules of one client on one connection. Times are ms since the connection opened. */
export interface Policy {
  /** The first instant from `now` on at which a user command may leave. Asking changes nothing. */
  commandAt(now: number, heartbeats: HeartbeatSchedule): number;
  /** The first instant from `now` on at which a heartbeat that is due may leave. Asking changes nothing. */
  heartbeatAt(now: number): number;
  /** A frame leaves. */
  record(kind: FrameKind, now: number): void;
  /**
   * When to send a heartbeat that the server asks for; the schedule goes on from there. Without this method it is
   * sent at once, in addition to those of the schedule.
   */
  requestedHeartbeatAt?(now: number, heartbeats: HeartbeatSchedule): number;
  /** Heartbeats stand in one queue with the commands: a caller who waits already goes first. */
  readonly heartbeatsQueue?: boolean;
}

/** A policy to choose from. */
export interface PolicyKind {
  /** Its name in a table. */
  readonly name: string;
  /** What it does, in one line. */
  readonly legend: string;
  /** Makes the policy of a fresh connection whose HELLO named this interval. */
  make(intervalMs: number): Policy;
}

/** What a shard is doing, as one discriminated union. */

import type { EndCause, GatewayPhase } from "../gateway/mod.ts";
import type { ShardDialing, ShardLocating } from "./connect/status.ts";

/** Made, but the consumer has not asked for an event yet. */
export interface ShardIdle {
  /** The discriminant. */
  readonly state: "idle";
}

/** Connected; `state` is the phase of the connection. `live` means that events come and commands may be sent. */
export interface ShardConnected {
  /** The discriminant: the phase of the connection. */
  readonly state: Exclude<GatewayPhase, "closed">;
}

/** A connection has ended, or could not be opened; the next one follows. */
export interface ShardDisconnected {
  /** The discriminant. */
  readonly state: "disconnected";
  /** The cause, a row of the verdict table. */
  readonly cause: EndCause;
  /** The cause in a sentence. */
  readonly why: string;
  /** Discord's close code, if one came. */
  readonly closeCode: number | null;
  /** The error that was thrown, if there was one. */
  readonly error: Error | null;
  /** What the next connection does. */
  readonly action: "identify" | "resume";
  /** How long until the next attempt, in ms. */
  readonly delayMs: number;
}

/** The consumer fell behind: the session waits at Discord until these events are taken. */
export interface ShardDraining {
  /** The discriminant. */
  readonly state: "draining";
  /** Events that wait for the consumer. */
  readonly queued: number;
}

/** Closed for good. */
export interface ShardClosed {
  /** The discriminant. */
  readonly state: "closed";
  /** Why it stopped; `null` if the program closed it. */
  readonly error: unknown;
}

/** What a shard is doing. */
export type ShardStatus =
  | ShardIdle
  | ShardLocating
  | ShardDialing
  | ShardConnected
  | ShardDisconnected
  | ShardDraining
  | ShardClosed;

/**
 * Rate limits of the gateway: the budget of commands, who waits for it, the backoff, as pure objects to which time and
 * randomness are arguments; and the limiters of identifies, which are given a clock.
 *
 * A shard brings its own; take them one by one for an event loop of your own.
 *
 * @example
 * ```ts
 * import { CommandLimiter } from "@discordgateway/edge/ratelimit";
 *
 * const limiter = new CommandLimiter();
 * const heartbeats = { nextAt: 20_000, intervalMs: 41_250 };
 * const now = 0;
 *
 * if (limiter.nextAvailableAt(now, heartbeats) <= now) {
 *   limiter.record(now); // and send
 * }
 * if (limiter.available(now, heartbeats) !== 118) throw new Error("one sent, one kept for the heartbeat");
 * ```
 *
 * @module
 */

export { Backoff } from "./backoff.ts";
export { CommandLimiter } from "./commands/command_limiter.ts";
export { CommandRateLimitError, IdentifyLimiterError, IdentifyRefusedError } from "./errors.ts";
export { GatedQueue } from "./commands/gated_queue.ts";
export { DEFAULT_IDENTIFY_PERIOD_MS, sessionStartLimit } from "./identify/limits.ts";
export { newIdentifyRecord } from "./identify/record.ts";
export { exchangeIdentifies } from "./identify/schedule.ts";
export { MemoryIdentifyLimiter } from "./identify/limiter.ts";
export { SlidingLog } from "./commands/sliding_log.ts";
export { StoredIdentifyLimiter } from "./identify/stored_limiter.ts";
export { SubLimit } from "./commands/sublimit.ts";
export { TurnQueue } from "./commands/turn_queue.ts";

export type { BackoffOptions } from "./backoff.ts";
export type { Clock } from "./clock.ts";
export type { CommandLimiterOptions, HeartbeatSchedule } from "./commands/command_limiter.ts";
export type { GatedPosition, GatedQueueOptions, QueueGate } from "./commands/gated_queue.ts";
export type { IdentifyLimiterErrorOptions, IdentifyRefusedErrorOptions } from "./errors.ts";
export type { IdentifyLimits, SessionStartLimit } from "./identify/limits.ts";
export type {
  IdentifyBudgetState,
  IdentifyRecord,
  IdentifyReply,
  IdentifyRequest,
} from "./identify/record.ts";
export type { IdentifyLimiter, MemoryIdentifyLimiterOptions } from "./identify/limiter.ts";
export type { IdentifyOutcome, IdentifyPermit } from "./identify/permit.ts";
export type { IdentifyStore, IdentifyStoreContext, StoredIdentifyLimiterOptions } from "./identify/store.ts";
export type { SubLimitOptions } from "./commands/sublimit.ts";
export type { QueueOptions, QueuePosition } from "./commands/turn_queue.ts";

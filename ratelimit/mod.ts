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
 * const beats = { nextAt: 20_000, intervalMs: 41_250 };
 * const now = 0;
 *
 * if (limiter.nextAvailableAt(now, beats) <= now) {
 *   limiter.record(now); // and send
 * }
 * if (limiter.available(now, beats) !== 118) throw new Error("one sent, one kept for the heartbeat");
 * ```
 *
 * @module
 */

export { Backoff } from "./backoff.ts";
export { CommandLimiter } from "./command_limiter.ts";
export { CommandRateLimitError, IdentifyLimiterError, IdentifyRefusedError } from "./errors.ts";
export { GatedQueue } from "./gated_queue.ts";
export { DEFAULT_IDENTIFY_PERIOD_MS, sessionStartLimit } from "./identify_limits.ts";
export { newIdentifyRecord } from "./identify_record.ts";
export { exchangeIdentifies } from "./identify_schedule.ts";
export { MemoryIdentifyLimiter } from "./identify.ts";
export { SlidingLog } from "./sliding_log.ts";
export { StoredIdentifyLimiter } from "./stored_identify_limiter.ts";
export { SubLimit } from "./sublimit.ts";
export { TurnQueue } from "./turn_queue.ts";

export type { BackoffOptions } from "./backoff.ts";
export type { Clock } from "./clock.ts";
export type { CommandLimiterOptions, HeartbeatSchedule } from "./command_limiter.ts";
export type { Gate, GatedTurn, GatedTurnOptions } from "./gated_queue.ts";
export type { IdentifyLimiterErrorOptions, IdentifyRefusedErrorOptions } from "./errors.ts";
export type { IdentifyLimits, SessionStartLimit } from "./identify_limits.ts";
export type {
  IdentifyBudgetState,
  IdentifyRecord,
  IdentifyReply,
  IdentifyRequest,
} from "./identify_record.ts";
export type {
  IdentifyLimiter,
  IdentifyOutcome,
  IdentifyPermit,
  MemoryIdentifyLimiterOptions,
} from "./identify.ts";
export type { IdentifyStore, IdentifyStoreContext, StoredIdentifyLimiterOptions } from "./identify_store.ts";
export type { SubLimitOptions } from "./sublimit.ts";
export type { Turn, TurnOptions } from "./turn_queue.ts";

/** What bounds the identifies of one token: as a program gives it, and as Discord tells it. */

/**
 * How long a key rests after an identify, in ms, unless told otherwise.
 *
 * Discord counts arrivals: of two identifies sent 5 s apart, the later one may travel faster. A quarter of a second
 * absorbs that.
 *
 * @example
 * ```ts
 * import { DEFAULT_IDENTIFY_PERIOD_MS } from "@discordgateway/edge/ratelimit";
 *
 * if (DEFAULT_IDENTIFY_PERIOD_MS !== 5_250) throw new Error("unexpected");
 * ```
 */
export const DEFAULT_IDENTIFY_PERIOD_MS = 5_250;

/** What bounds the identifies of one token. An option left out keeps its default, in an update its present value. */
export interface IdentifyLimits {
  /**
   * How many keys there are: that many shards may identify at once.
   * @default {1}
   */
  readonly maxConcurrency?: number;
  /**
   * Identifies in a full daily budget.
   * @default {1_000}
   */
  readonly total?: number;
  /**
   * Identifies left of the budget. In an update during the same day the lower number counts, this or our own:
   * Discord has not counted yet what is under way, and we know nothing of other programs.
   * @default {total}
   */
  readonly remaining?: number;
  /**
   * How long until the budget is full again, in ms; without meaning for a full one.
   * @default {86_400_000}
   */
  readonly resetAfterMs?: number;
  /**
   * How long a key rests after an identify, in ms.
   * @default {DEFAULT_IDENTIFY_PERIOD_MS}
   */
  readonly periodMs?: number;
}

/** `session_start_limit`, as `GET /gateway/bot` gives it. */
export interface SessionStartLimit {
  /** Identifies in a full daily budget. */
  readonly total: number;
  /** Identifies left of the budget. */
  readonly remaining: number;
  /** How long until the budget is full again, in ms. */
  readonly reset_after: number;
  /** How many shards may identify at once. */
  readonly max_concurrency: number;
}

/**
 * Reads Discord's `session_start_limit` as {@linkcode IdentifyLimits}.
 *
 * @see https://docs.discord.com/developers/events/gateway#session-start-limit-object
 *
 * @example
 * ```ts
 * import { sessionStartLimit } from "@discordgateway/edge/ratelimit";
 *
 * const limits = sessionStartLimit({ total: 1000, remaining: 999, reset_after: 14_400_000, max_concurrency: 1 });
 * if (limits.resetAfterMs !== 14_400_000 || limits.maxConcurrency !== 1) throw new Error("unexpected");
 * ```
 */
export function sessionStartLimit(limit: SessionStartLimit): IdentifyLimits {
  return {
    maxConcurrency: limit.max_concurrency,
    total: limit.total,
    remaining: limit.remaining,
    resetAfterMs: limit.reset_after,
  };
}

/**
 * Checks limits that somebody gives.
 *
 * @throws {RangeError} where one is out of range.
 */
export function requireIdentifyLimits(limits: IdentifyLimits): void {
  // Only what is left out has a default: a `null`, as JSON may bring it, would go into the record.
  const { maxConcurrency = 1, total = 1, remaining = 0, periodMs = 0, resetAfterMs = 0 } = limits;
  requireInteger("maxConcurrency", maxConcurrency, 1);
  requireInteger("total", total, 1);
  requireInteger("remaining", remaining, 0);
  requireDuration("periodMs", periodMs);
  requireDuration("resetAfterMs", resetAfterMs);
}

/**
 * Checks a shard's id.
 *
 * @throws {RangeError} where it is no integer from 0 on.
 */
export function requireShardId(shardId: number): void {
  requireInteger("shardId", shardId, 0);
}

function requireInteger(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`Cannot limit identifies: ${name} must be an integer, ${least} or more: ${value}`);
}

function requireDuration(name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw new RangeError(`Cannot limit identifies: ${name} must be ms, 0 or more: ${value}`);
}

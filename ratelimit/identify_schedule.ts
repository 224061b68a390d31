/**
 * When which shard may identify, as a pure function of time.
 *
 * Discord takes one identify in 5 s from each key, and the key of a shard is its id modulo `max_concurrency`. On top
 * there is a budget for the day, over all shards of a token. Overrunning the former ends in an invalid session;
 * overrunning the latter ends every session and resets the token, so it is counted here and refused before it can
 * happen.
 *
 * The day of a budget starts with the first identify of a full one. Nobody waits in here: a schedule that promised
 * turns ahead would hold the place of a shard that has given up since.
 */

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

const DAY_MS = 86_400_000;

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
   * Identifies left of the budget.
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

/** When a shard may identify: from `at` on, or not before the budget's reset at `resetAt`; both in ms. */
export type IdentifyTurn =
  | { readonly allowed: true; readonly at: number }
  | { readonly allowed: false; readonly resetAt: number };

/**
 * Says when a shard may identify, and counts those that did. Ask, identify, then record.
 *
 * @see https://docs.discord.com/developers/events/gateway#sharding-max-concurrency
 *
 * @example
 * ```ts
 * import { IdentifySchedule } from "@discordgateway/edge/ratelimit";
 *
 * const schedule = new IdentifySchedule({ maxConcurrency: 2, total: 1_000, remaining: 2, periodMs: 5_000 }, 0);
 * schedule.record(0, 0);
 *
 * const [other, same] = [schedule.turn(1, 0), schedule.turn(2, 0)];
 * if (!other.allowed || other.at !== 0) throw new Error("another key is free");
 * if (!same.allowed || same.at !== 5_000) throw new Error("the same key rests");
 *
 * schedule.record(1, 0);
 * const spent = schedule.turn(2, 5_000);
 * if (spent.allowed || spent.resetAt !== 86_400_000) throw new Error("the budget is spent");
 * ```
 */
export class IdentifySchedule {
  #maxConcurrency = 1;
  #total = 1_000;
  #remaining: number;
  #periodMs = DEFAULT_IDENTIFY_PERIOD_MS;
  /** Null while the budget is full: its day has not begun. */
  #resetAt: number | null = null;
  /** The last identify of each key. */
  #last = new Map<number, { readonly shardId: number; readonly at: number }>();

  /**
   * Makes a schedule in which nobody has identified yet.
   *
   * @throws {RangeError} where a limit is out of range, `maxConcurrency` 0 for one.
   */
  constructor(limits: IdentifyLimits, now: number) {
    this.#remaining = limits.total ?? this.#total;
    this.update(limits, now);
  }

  /** Identifies left of the budget at `now`. */
  remaining(now: number): number {
    this.#refill(now);
    return this.#remaining;
  }

  /** When the budget is full again, in ms; `null` where it is full at `now`. */
  resetAt(now: number): number | null {
    this.#refill(now);
    return this.#resetAt;
  }

  /**
   * When this shard may identify, if no other one does before.
   *
   * @throws {RangeError} where `shardId` is no integer from 0 on.
   */
  turn(shardId: number, now: number): IdentifyTurn {
    const key = this.#key(shardId);
    this.#refill(now);
    if (this.#remaining === 0) return { allowed: false, resetAt: this.#resetAt ?? now + DAY_MS };
    const last = this.#last.get(key);
    return { allowed: true, at: last ? Math.max(now, last.at + this.#periodMs) : now };
  }

  /**
   * Counts an identify of this shard at `now`.
   *
   * @throws {RangeError} where `shardId` is no integer from 0 on.
   */
  record(shardId: number, now: number): void {
    const key = this.#key(shardId);
    this.#refill(now);
    this.#resetAt ??= now + DAY_MS;
    this.#remaining = Math.max(0, this.#remaining - 1);
    this.#last.set(key, { shardId, at: now });
  }

  /**
   * Takes over new limits; keys that rest go on resting under their new number.
   *
   * @throws {RangeError} where a limit is out of range; nothing has changed then.
   */
  update(limits: IdentifyLimits, now: number): void {
    this.#refill(now);
    const { maxConcurrency = this.#maxConcurrency, total = this.#total, periodMs = this.#periodMs } = limits;
    const remaining = limits.remaining ?? Math.min(this.#remaining, total);
    requireInteger("maxConcurrency", maxConcurrency, 1);
    requireInteger("total", total, 1);
    requireInteger("remaining", remaining, 0);
    requireDuration("periodMs", periodMs);
    if (limits.resetAfterMs !== undefined) requireDuration("resetAfterMs", limits.resetAfterMs);

    this.#total = total;
    this.#remaining = remaining;
    this.#periodMs = periodMs;
    if (remaining >= total) this.#resetAt = null;
    else if (limits.resetAfterMs !== undefined) this.#resetAt = now + limits.resetAfterMs;
    else this.#resetAt ??= now + DAY_MS;
    if (maxConcurrency !== this.#maxConcurrency) this.#rekey(maxConcurrency);
  }

  /** The last identify of each old key is enough: the one before it is a whole period older, so its rest is over. */
  #rekey(maxConcurrency: number): void {
    const old = this.#last;
    this.#maxConcurrency = maxConcurrency;
    this.#last = new Map();
    for (const identify of old.values()) {
      const key = this.#key(identify.shardId);
      const known = this.#last.get(key);
      if (!known || known.at < identify.at) this.#last.set(key, identify);
    }
  }

  #refill(now: number): void {
    if (this.#resetAt === null || now < this.#resetAt) return;
    this.#remaining = this.#total;
    this.#resetAt = null;
  }

  #key(shardId: number): number {
    requireInteger("shardId", shardId, 0);
    return shardId % this.#maxConcurrency;
  }
}

function requireInteger(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(`Cannot limit identifies: ${name} must be an integer, ${least} or more: ${value}`);
}

function requireDuration(name: string, value: number): void {
  if (value >= 0 && value < Infinity) return;
  throw new RangeError(`Cannot limit identifies: ${name} must be ms, 0 or more: ${value}`);
}

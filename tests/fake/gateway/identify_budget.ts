/**
 * How often a bot may identify: once per 5 s and `shard % max_concurrency`, and so many times a day.
 *
 * @see https://docs.discord.com/developers/events/gateway#rate-limiting
 */

const DAY_MS = 86_400_000;

/** The day's budget to start with. */
export interface IdentifyLimit {
  /** Identifies per window. @default {1000} */
  readonly total?: number;
  /** How many are left of it. @default {total} */
  readonly remaining?: number;
  /** How long the window still lasts, in ms. @default {86_400_000} */
  readonly resetAfter?: number;
}

/** `session_start_limit` in Discord's own shape. */
export interface SessionStartLimit {
  /** Identifies per window. */
  readonly total: number;
  /** How many are left of it. */
  readonly remaining: number;
  /** How long the window still lasts, in ms. */
  readonly reset_after: number;
  /** How many identifies may start at once. */
  readonly max_concurrency: number;
}

/** Counts identifies; time passes only through `now`. */
export class IdentifyBudget {
  readonly #total: number;
  readonly #maxConcurrency: number;
  readonly #periodMs: number;
  readonly #lastByKey = new Map<number, number>();
  #remaining: number;
  #resetAt: number;

  /** Starts the window at `now`. */
  constructor(
    limit: IdentifyLimit,
    { maxConcurrency, periodMs }: { readonly maxConcurrency: number; readonly periodMs: number },
    now: number,
  ) {
    this.#total = limit.total ?? 1000;
    this.#remaining = limit.remaining ?? this.#total;
    this.#resetAt = now + (limit.resetAfter ?? DAY_MS);
    this.#maxConcurrency = maxConcurrency;
    this.#periodMs = periodMs;
  }

  /** Takes one identify: fine, too soon after the last one of its key, or one too many for the day. */
  take(shardId: number, now: number): "ok" | "too soon" | "exhausted" {
    this.#renew(now);
    if (this.#remaining <= 0) return "exhausted";
    this.#remaining--;
    const key = shardId % this.#maxConcurrency;
    const last = this.#lastByKey.get(key);
    if (last !== undefined && now - last < this.#periodMs) return "too soon";
    this.#lastByKey.set(key, now);
    return "ok";
  }

  /** What `GET /gateway/bot` says about it. */
  limit(now: number): SessionStartLimit {
    this.#renew(now);
    return {
      total: this.#total,
      remaining: this.#remaining,
      reset_after: Math.ceil(this.#resetAt - now),
      max_concurrency: this.#maxConcurrency,
    };
  }

  #renew(now: number): void {
    if (now < this.#resetAt) return;
    this.#remaining = this.#total;
    this.#resetAt += DAY_MS * (1 + Math.floor((now - this.#resetAt) / DAY_MS));
  }
}

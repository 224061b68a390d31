/** An identify limiter that adds a persistent backoff to another one. */

import type { Clock } from "../clock.ts";
import { IDENTIFY_BACKOFF, persistentBackoffMs } from "../persistent_backoff.ts";
import { wait } from "../wait.ts";
import type { IdentifyLimiter } from "./limiter.ts";
import { type IdentifyPermit, releasePermit } from "./permit.ts";
import type { IdentifyLimits } from "./limits.ts";

/** What a {@linkcode BackoffIdentifyLimiter} is made from. */
export interface BackoffIdentifyLimiterOptions {
  /** Asked once the backoff has passed. */
  readonly limiter: IdentifyLimiter;
  /** Identifies in a row without progress, and when the last one was, by the wall clock in ms. */
  readonly last: () => { readonly identifies: number; readonly identifiedAt: number };
  /** Stores that there is one more; called before it goes out. */
  readonly count: () => void;
  /** Timers. */
  readonly clock: Clock;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
}

/** Waits for a backoff that outlives the process, then asks another limiter. */
export class BackoffIdentifyLimiter implements IdentifyLimiter {
  readonly #options: BackoffIdentifyLimiterOptions;

  /** Makes a limiter around another. */
  constructor(options: BackoffIdentifyLimiterOptions) {
    this.#options = options;
  }

  /** Waits for the backoff, and then for the other limiter. */
  async take(shardId: number, options: { signal?: AbortSignal } = {}): Promise<boolean | IdentifyPermit> {
    const { limiter, last, count, clock, wallClock } = this.#options;
    const { identifies, identifiedAt } = last();
    const backoffMs = persistentBackoffMs(identifies, IDENTIFY_BACKOFF);
    // A wall clock may jump: no wait is longer than the backoff.
    await wait(Math.min(backoffMs, identifiedAt + backoffMs - wallClock()), { clock, ...options });
    options.signal?.throwIfAborted();
    const permit = await limiter.take(shardId, options);
    if (!permit) return false;
    try {
      count();
    } catch (error) {
      if (typeof permit === "object") void releasePermit(permit, "unused");
      throw error;
    }
    return permit;
  }

  /** Passes the limits on to the other limiter. */
  update(limits: IdentifyLimits): void | Promise<void> {
    return this.#options.limiter.update?.(limits);
  }
}

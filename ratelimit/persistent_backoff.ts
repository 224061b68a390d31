/**
 * How fast something may be tried that has just failed in an earlier life of the same object.
 *
 * A backoff in memory is of no use where failing means to lose the memory: an object that dies right after each identify
 * would spend the day's thousand in minutes. So the count of failures is stored, and these are the waits that follow.
 */

import type { IdentifyLimiter, IdentifyLimits, IdentifyPermit } from "./mod.ts";
import type { Platform } from "../shard/pipe/platform.ts";
import { releasePermit } from "./identify/release_permit.ts";

/** The wait before the next attempt, in ms, after so many in a row that proved nothing; the first ones are free. */
export function paceMs(
  failures: number,
  { free, baseMs, capMs }: { readonly free: number; readonly baseMs: number; readonly capMs: number },
): number {
  if (failures <= free) return 0;
  return Math.min(capMs, baseMs * 2 ** Math.min(failures - free - 1, 32));
}

/** Identifies: 5 s, 10 s, … at most five minutes apart, which makes 288 a day and leaves most of the thousand. */
export const IDENTIFY_PACE = { free: 1, baseMs: 5_000, capMs: 300_000 };

/** Starts of a shard: after two lives in a row that proved nothing, 1 s, 2 s, … at most a minute. */
export const LAUNCH_PACE = { free: 2, baseMs: 1_000, capMs: 60_000 };

/** What a {@linkcode PacedIdentifyLimiter} is made from. */
export interface PacedIdentifyLimiterOptions {
  /** Asked once the pace allows it. */
  readonly limiter: IdentifyLimiter;
  /** Identifies in a row that proved nothing, and when the last was, by the wall clock in ms. */
  readonly last: () => { readonly identifies: number; readonly identifiedAt: number };
  /** Stores that there is one more; called before it goes out. */
  readonly count: () => void;
  /** Timers. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
}

/** Puts a pace that outlives the object before another limiter. */
export class PacedIdentifyLimiter implements IdentifyLimiter {
  readonly #options: PacedIdentifyLimiterOptions;

  /** Makes a limiter around another. */
  constructor(options: PacedIdentifyLimiterOptions) {
    this.#options = options;
  }

  /** Waits for the pace, and then for the limiter behind. */
  async take(shardId: number, options: { signal?: AbortSignal } = {}): Promise<boolean | IdentifyPermit> {
    const { limiter, last, count, wallClock } = this.#options;
    const { identifies, identifiedAt } = last();
    const pace = paceMs(identifies, IDENTIFY_PACE);
    // A wall clock may jump: no wait is longer than the pace.
    await this.#sleep(Math.min(pace, identifiedAt + pace - wallClock()), options.signal);
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

  /** Tells the limiter behind, where it wants to know. */
  update(limits: IdentifyLimits): void | Promise<void> {
    return this.#options.limiter.update?.(limits);
  }

  #sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const { platform } = this.#options;
    if (ms <= 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        platform.clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = platform.setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      if (signal?.aborted) onAbort();
      else signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

/**
 * The wait before an attempt, from a count of failures that is stored.
 *
 * A backoff in memory does not help where a failure loses the memory: an object that dies right after each identify
 * would spend the day's thousand in minutes. So the count of failures is stored, and these are the waits that follow.
 */

/** How a persistent backoff grows. */
export interface PersistentBackoff {
  /** How many failures in a row cause no wait. */
  readonly free: number;
  /** The first wait, in ms; each further failure doubles it. */
  readonly baseMs: number;
  /** The longest wait, in ms. */
  readonly capMs: number;
}

/** Identifies: 5 s, 10 s, … at most five minutes apart, which makes 288 a day and leaves most of the thousand. */
export const IDENTIFY_BACKOFF: PersistentBackoff = { free: 1, baseMs: 5_000, capMs: 300_000 };

/** Launches of a shard: after two runs in a row without progress, 1 s, 2 s, … at most a minute. */
export const LAUNCH_BACKOFF: PersistentBackoff = { free: 2, baseMs: 1_000, capMs: 60_000 };

/** The wait before the next attempt in ms, after so many failures in a row. */
export function persistentBackoffMs(
  failures: number,
  { free, baseMs, capMs }: PersistentBackoff,
): number {
  if (failures <= free) return 0;
  return Math.min(capMs, baseMs * 2 ** Math.min(failures - free - 1, 32));
}

/**
 * How fast something may be tried that has just failed in an earlier life of the same object.
 *
 * A backoff in memory is of no use where failing means to lose the memory: an object that dies right after each identify
 * would spend the day's thousand in minutes. So the count of failures is stored, and these are the waits that follow.
 */

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

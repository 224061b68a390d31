/**
 * Timers: those of the code under test, with a count of what is pending, and those of the suite itself.
 *
 * The global functions stay as they are, since some runtimes use them for their own sockets.
 */

import type { Clock } from "../../ratelimit/mod.ts";
import { systemPlatform } from "../../shard/mod.ts";

const pending = new Set<unknown>();

/** The runtime's clock with a count. */
export const COUNTED_CLOCK: Clock = {
  now: systemPlatform.now,
  setTimeout: (callback, delayMs) => {
    const timer = systemPlatform.setTimeout(() => {
      pending.delete(timer);
      callback();
    }, delayMs);
    pending.add(timer);
    return timer;
  },
  clearTimeout: (timer) => {
    pending.delete(timer);
    systemPlatform.clearTimeout(timer);
  },
};

/** How many timers of the code under test are pending. */
export function pendingTimers(): number {
  return pending.size;
}

/** Waits. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Resolves as soon as the condition holds.
 *
 * @throws {Error} If it does not for a minute, far longer than anything that works takes.
 */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn === 12_000) throw new Error(`nothing came of it: ${what}`);
    await pause(5);
  }
}

/**
 * The promise's result.
 *
 * @throws {Error} If it does not settle within `ms`.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it takes longer than ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

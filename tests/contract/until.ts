/** Waiting for what is to happen, without a guess how long it takes. */

/**
 * How long a broken test takes to say so, unless told otherwise, in ms. What works takes milliseconds, and much longer
 * where many others are at work.
 */
const LIMIT_MS = 120_000;

/**
 * Resolves as soon as the condition holds.
 *
 * @throws {Error} If it does not for `limitMs`.
 */
export async function until(
  what: string,
  condition: () => boolean,
  limitMs: number = LIMIT_MS,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > giveUpAt) throw new Error(`Nothing came of it: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Lets everything run that is ready to run without any input from outside: promises, not timers, not sockets. */
export async function promisesSettle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await null;
}

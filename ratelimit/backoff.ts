/**
 * How long to wait before the next attempt.
 *
 * Full jitter: the wait is drawn evenly from nothing up to a ceiling that doubles with each attempt. After an outage
 * that hits every shard at once, the attempts spread over the whole span instead of arriving in waves.
 */

/** Options of a {@linkcode Backoff}. */
export interface BackoffOptions {
  /** A number in [0, 1), such as `Math.random`. */
  readonly random: () => number;
  /**
   * The ceiling of the first wait, in ms.
   * @default {1_000}
   */
  readonly baseMs?: number;
  /**
   * No wait is longer, in ms.
   * @default {60_000}
   */
  readonly capMs?: number;
}

/**
 * Exponential backoff with full jitter: attempt n, from 0, waits `random() × min(capMs, baseMs × 2ⁿ)`.
 *
 * @example
 * ```ts
 * import { Backoff } from "@discordgateway/edge/ratelimit";
 *
 * const backoff = new Backoff({ random: () => 0.5 });
 * const waits = [backoff.next(), backoff.next(), backoff.next()];
 * if (waits.join() !== "500,1000,2000") throw new Error(`unexpected: ${waits}`);
 *
 * backoff.reset(); // the connection has proved itself
 * if (backoff.attempts !== 0 || backoff.next() !== 500) throw new Error("unexpected");
 * ```
 */
export class Backoff {
  readonly #random: () => number;
  readonly #baseMs: number;
  readonly #capMs: number;
  #attempts = 0;

  /**
   * Makes a backoff that has counted no attempt.
   *
   * @throws {RangeError} where `baseMs` or `capMs` is negative or no number.
   */
  constructor(options: BackoffOptions) {
    const { random, baseMs = 1_000, capMs = 60_000 } = options;
    if (!(baseMs >= 0 && capMs >= 0)) {
      throw new RangeError(`Cannot back off: base and cap must be ms, 0 or more: ${baseMs}, ${capMs}`);
    }
    this.#random = random;
    this.#baseMs = baseMs;
    this.#capMs = capMs;
  }

  /** How many waits were given out since the start or the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The wait before the next attempt, in ms; counts the attempt. */
  next(): number {
    // Doubling goes on far beyond any cap in use, and ends before it leaves the range of numbers.
    const ceiling = Math.min(this.#capMs, this.#baseMs * 2 ** Math.min(this.#attempts, 64));
    this.#attempts++;
    return this.#random() * ceiling;
  }

  /** Starts over, after a connection that proved itself. */
  reset(): void {
    this.#attempts = 0;
  }
}

/**
 * The send times of the last frames of one connection, kept to count those of the last period.
 *
 * Discord does not say when its window of 60 s starts, so every window must hold: a frame sent at `t` counts in
 * `[t, t + period)` and is forgotten at exactly `t + period`. Nothing is pruned, since a query reads the ring as it
 * is. A full ring overwrites its oldest entry, even one that still counts: who asks whether `capacity` frames are
 * exceeded needs no older one.
 */

/**
 * Checks what a log is made from.
 *
 * @throws {RangeError} where `capacity` is no positive integer, or `periodMs` no positive number.
 */
export function checkLog(capacity: number, periodMs: number): void {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`Cannot make a log: the capacity must be a positive integer: ${capacity}`);
  }
  if (!(periodMs > 0 && periodMs < Infinity)) {
    throw new RangeError(`Cannot make a log: the period must be a positive number of ms: ${periodMs}`);
  }
}

/**
 * A ring of send times: records without allocating, counts in O(log n), and tells when entries leave in O(1).
 *
 * @example
 * ```ts
 * import { SlidingLog } from "@discordgateway/edge/ratelimit";
 *
 * const log = new SlidingLog(120, 60_000);
 * log.record(0);
 * log.record(20);
 * if (log.liveAt(59_999) !== 2 || log.liveAt(60_000) !== 1) throw new Error("unexpected");
 * if (log.dropsTo(1) !== 60_000 || log.dropsTo(0) !== 60_020) throw new Error("unexpected");
 * ```
 */
export class SlidingLog {
  /** How many send times are remembered. */
  readonly capacity: number;
  /** How long an entry counts, in ms. */
  readonly periodMs: number;
  readonly #times: Float64Array;
  #size = 0;
  #oldest = 0;

  /**
   * Makes an empty log.
   *
   * @throws {RangeError} where `capacity` is no positive integer, or `periodMs` no positive number.
   */
  constructor(capacity: number, periodMs: number) {
    checkLog(capacity, periodMs);
    this.capacity = capacity;
    this.periodMs = periodMs;
    this.#times = new Float64Array(capacity);
  }

  /**
   * Notes a frame sent at `now`; see {@linkcode SlidingLog.observe} for a time before the last one.
   *
   * @throws {RangeError} where `now` is no finite number: it would never leave, or never have come.
   */
  record(now: number): void {
    if (!Number.isFinite(now)) {
      throw new RangeError(`Cannot log a frame: its time must be a number of ms: ${now}`);
    }
    this.observe(now);
    this.#times[(this.#oldest + this.#size) % this.capacity] = now;
    if (this.#size < this.capacity) this.#size++;
    else this.#oldest = (this.#oldest + 1) % this.capacity;
  }

  /**
   * Takes note that it is `now`. A time before the last entry comes from a clock that went back: all entries go back with
   * it, as if no time had passed since the last. None is then older here than it is in truth.
   */
  observe(now: number): void {
    if (this.#size === 0) return;
    const byMs = now - this.#sentAt(this.#size - 1);
    if (byMs < 0 && byMs > -Infinity) this.#shift(byMs);
  }

  /** How many entries count at `instant`, which is the last recorded time or later. */
  liveAt(instant: number): number {
    // Leaving times ascend: find how many of them have come.
    let gone = 0;
    let end = this.#size;
    while (gone < end) {
      const middle = (gone + end) >> 1;
      if (this.#sentAt(middle) + this.periodMs > instant) end = middle;
      else gone = middle + 1;
    }
    return this.#size - gone;
  }

  /** The first instant at which no more than `count` entries still count, if none is added; `-Infinity` = always. */
  dropsTo(count: number): number {
    const last = this.#size - count - 1;
    return last < 0 ? -Infinity : this.#sentAt(last) + this.periodMs;
  }

  #shift(byMs: number): void {
    for (let index = 0; index < this.capacity; index++) this.#times[index]! += byMs;
  }

  #sentAt(index: number): number {
    return this.#times[(this.#oldest + index) % this.capacity]!;
  }
}

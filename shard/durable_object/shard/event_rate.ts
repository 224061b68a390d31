/** The rate of events over the last minute. */

const SPAN_MS = 60_000;
const BUCKET_MS = 5_000;
const BUCKETS = SPAN_MS / BUCKET_MS;

/** Counts events in twelve buckets of five seconds each. */
export class EventRate {
  readonly #counts: number[] = Array(BUCKETS).fill(0);
  readonly #startedAt: number;
  #bucket: number;

  /** Starts counting now. */
  constructor(now: number) {
    this.#startedAt = now;
    this.#bucket = Math.floor(now / BUCKET_MS);
  }

  /** Counts one event. */
  count(now: number): void {
    this.#moveTo(now);
    this.#counts[this.#bucket % BUCKETS]! += 1;
  }

  /** Events per second over the last minute, or since the start if that is shorter. */
  perSecond(now: number): number {
    this.#moveTo(now);
    const sum = this.#counts.reduce((total, count) => total + count, 0);
    const spanMs = Math.min(SPAN_MS - BUCKET_MS + now % BUCKET_MS, now - this.#startedAt);
    return Math.round(sum * 10_000 / Math.max(spanMs, 1_000)) / 10;
  }

  #moveTo(now: number): void {
    const bucket = Math.floor(now / BUCKET_MS);
    const steps = Math.min(bucket - this.#bucket, BUCKETS);
    for (let step = 1; step <= steps; step++) this.#counts[(this.#bucket + step) % BUCKETS] = 0;
    if (bucket > this.#bucket) this.#bucket = bucket;
  }
}

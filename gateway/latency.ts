/** How long Discord takes to acknowledge a heartbeat. Starts anew with every connection. */

/** A reading of {@linkcode Latency}; `null` where nothing was measured yet. */
export interface LatencyReading {
  /** Mean over all acknowledged heartbeats of the connection, in ms. */
  readonly meanMs: number | null;
  /** The most recent measurements in ms, newest first, at most five. */
  readonly recentMs: readonly number[];
  /** How many heartbeats of the connection were acknowledged. */
  readonly acknowledged: number;
}

const RECENT = 5;

/**
 * Measures from a heartbeat to its acknowledgement.
 *
 * @example
 * ```ts
 * import { Latency } from "@discordgateway/edge/gateway";
 *
 * const latency = new Latency();
 * latency.sent(1_000);
 * latency.acknowledged(1_040);
 * latency.acknowledged(1_050);                // nobody asked for this one: ignored
 * if (latency.reading.meanMs !== 40) throw new Error("unexpected");
 * ```
 */
export class Latency {
  #sentAt: number | null = null;
  #sumMs = 0;
  #count = 0;
  readonly #recentMs: number[] = [];

  /** A heartbeat went out. */
  sent(now: number): void {
    this.#sentAt = now;
  }

  /** An acknowledgement came in. Returns `false`, and ignores it, if no heartbeat waits for one. */
  acknowledged(now: number): boolean {
    if (this.#sentAt === null) return false;
    const elapsedMs = now - this.#sentAt;
    this.#sentAt = null;
    this.#sumMs += elapsedMs;
    this.#count++;
    this.#recentMs.unshift(elapsedMs);
    if (this.#recentMs.length > RECENT) this.#recentMs.pop();
    return true;
  }

  /** What was measured so far. */
  get reading(): LatencyReading {
    return {
      meanMs: this.#count === 0 ? null : this.#sumMs / this.#count,
      recentMs: [...this.#recentMs],
      acknowledged: this.#count,
    };
  }
}

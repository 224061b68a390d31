/**
 * A limit below the connection's budget: so many of one kind in a period, or none before Discord says so.
 *
 * Discord counts some commands a second time: presence updates, and full member lists for each guild. It does not say
 * when its periods start, so every period must hold, as for the budget itself.
 */

import { SlidingLog } from "./sliding_log.ts";

/** What a {@linkcode SubLimit} counts; without it, it only rests when it is told to. */
export interface SubLimitOptions {
  /** How many in any one period, 1 or more. */
  readonly limit: number;
  /** The period in ms. */
  readonly periodMs: number;
}

/**
 * Says when the next one of a kind may go. Ask, send, then record.
 *
 * @example
 * ```ts
 * import { SubLimit } from "@discordgateway/edge/ratelimit";
 *
 * const presences = new SubLimit({ limit: 2, periodMs: 20_000 });
 * presences.record(0);
 * presences.record(5_000);
 * if (presences.nextAt(6_000) !== 20_000) throw new Error("the first of the two leaves after its 20 s");
 *
 * presences.restUntil(30_000); // Discord said so
 * if (presences.nextAt(20_000) !== 30_000) throw new Error("unexpected");
 * ```
 */
export class SubLimit {
  readonly #options: SubLimitOptions | null;
  #log: SlidingLog | null;
  #restsUntil = -Infinity;

  /**
   * Makes a limit under which nothing was sent yet.
   *
   * @throws {RangeError} where `limit` is no positive integer, or `periodMs` no positive number.
   */
  constructor(options?: SubLimitOptions) {
    this.#options = options ?? null;
    this.#log = this.#emptyLog();
  }

  /** The first instant from `now` on at which one more may go, in ms; `now` = at once. */
  nextAt(now: number): number {
    return Math.max(now, this.#restsUntil, this.#log?.dropsTo(this.#log.capacity - 1) ?? -Infinity);
  }

  /** Counts one that goes at `now`. */
  record(now: number): void {
    this.#log?.record(now);
  }

  /**
   * Discord refused one, and says that another may go at `instant`: that counts, and what was counted here does not, the
   * refused one for a start. A rest is never shortened.
   */
  restUntil(instant: number): void {
    this.#restsUntil = Math.max(this.#restsUntil, instant);
    this.#log = this.#emptyLog();
  }

  /** Whether a new limit would answer the same from `now` on: nothing that counts is remembered. */
  isIdle(now: number): boolean {
    return this.#restsUntil <= now && (this.#log?.liveAt(now) ?? 0) === 0;
  }

  #emptyLog(): SlidingLog | null {
    return this.#options && new SlidingLog(this.#options.limit, this.#options.periodMs);
  }
}

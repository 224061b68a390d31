/**
 * Who may identify now: the question that a shard asks after HELLO.
 *
 * The interface is one method, so that a limiter over whatever is at hand takes a few lines. Behind the limiters that
 * come with the package stands one rule, `identify_schedule.ts`; here are the interface and the one for a single process.
 */

import type { Clock } from "./clock.ts";
import type { IdentifyLimits } from "./identify_limits.ts";
import { type IdentifyRecord, newIdentifyRecord } from "./identify_record.ts";
import { applyIdentifyLimits, exchangeIdentifies } from "./identify_schedule.ts";
import { type IdentifyStore, StoredIdentifyLimiter } from "./identify_store.ts";

/**
 * Grants shards their turn to identify. Asked after HELLO, and only where the outcome is an identify; heartbeats run
 * already.
 *
 * @example
 * ```ts
 * import type { IdentifyLimiter } from "@discordgateway/edge/ratelimit";
 *
 * const always: IdentifyLimiter = { take: () => true };
 * if (await always.take(0) !== true) throw new Error("unexpected");
 * ```
 */
export interface IdentifyLimiter {
  /**
   * `true`, or a permit, once the shard may identify, at once; `false` where it may not at all: the daily budget is
   * spent, or the limiter shuts down. Rejects with the signal's reason where the shard gives up, with an
   * `IdentifyRefusedError` as another form of `false`, and with what the limiter failed of: then the shard backs off
   * and asks again.
   */
  take(
    shardId: number,
    options?: { signal?: AbortSignal },
  ): boolean | IdentifyPermit | Promise<boolean | IdentifyPermit>;
  /**
   * Takes over Discord's present limits, whenever a shard has asked for them. A shard does not wait for it, and what it
   * fails of is not reported: whatever matters has to come out of `take`.
   */
  update?(limits: IdentifyLimits): void | Promise<void>;
}

/**
 * How an identify ended: with READY, with the end of its connection, or it was never sent.
 */
export type IdentifyOutcome = "ready" | "failed" | "unused";

/** A turn to identify, of which the limiter wants to know how it ended. */
export interface IdentifyPermit {
  /**
   * Ends the turn; called once, as soon as the outcome is known. A shard does not wait for it, and what it fails of is not
   * reported.
   */
  release(outcome: IdentifyOutcome): void | Promise<void>;
}

/** Options of a {@linkcode MemoryIdentifyLimiter}. */
export interface MemoryIdentifyLimiterOptions extends IdentifyLimits {
  /** Time, and the one timer that waits for the next turn. */
  readonly clock: Clock;
  /**
   * Keeps a key closed until its shard has READY or has failed, and for a period from then.
   * @default {false}
   */
  readonly hold?: boolean;
}

/**
 * The identify limiter of one process, shared by all shards of a token.
 *
 * Shards of a key go in the order of their ids, but one that comes back queues behind those who were waiting when it had
 * its turn.
 *
 * @example
 * ```ts
 * import { type Clock, IdentifyRefusedError, MemoryIdentifyLimiter } from "@discordgateway/edge/ratelimit";
 * import { sessionStartLimit } from "@discordgateway/edge/ratelimit";
 *
 * const clock: Clock = {
 *   now: () => performance.now(),
 *   setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
 *   clearTimeout: (timer) => clearTimeout(timer as number),
 * };
 * const limiter = new MemoryIdentifyLimiter({
 *   clock,
 *   ...sessionStartLimit({ total: 1000, remaining: 2, reset_after: 3_600_000, max_concurrency: 2 }),
 * });
 *
 * await Promise.all([limiter.take(0), limiter.take(1)]); // two keys, two turns at once
 * const error = await limiter.take(2).catch((error) => error);
 * if (!(error instanceof IdentifyRefusedError) || error.resetAfterMs === null) throw error; // the budget is spent
 * ```
 */
export class MemoryIdentifyLimiter implements IdentifyLimiter {
  readonly #clock: Clock;
  readonly #record: IdentifyRecord;
  readonly #limiter: StoredIdentifyLimiter;

  /**
   * Makes a limiter in which nobody has identified yet.
   *
   * @throws {RangeError} where a limit is out of range, `maxConcurrency` 0 for one.
   */
  constructor(options: MemoryIdentifyLimiterOptions) {
    const { clock, hold = false, ...limits } = options;
    this.#clock = clock;
    this.#record = newIdentifyRecord("", clock.now());
    applyIdentifyLimits(this.#record, limits, clock.now());
    const store: IdentifyStore = {
      exchange: (request) => exchangeIdentifies(this.#record, request, clock.now()),
    };
    this.#limiter = new StoredIdentifyLimiter(store, { clock, hold, client: "" });
  }

  /** Identifies left of the daily budget. */
  get remaining(): number {
    applyIdentifyLimits(this.#record, {}, this.#clock.now());
    return this.#record.remaining;
  }

  /** When the daily budget is full again, in ms on the limiter's clock; `null` while it is full. */
  get resetAt(): number | null {
    applyIdentifyLimits(this.#record, {}, this.#clock.now());
    return this.#record.resetAt;
  }

  /**
   * Waits for the shard's turn.
   *
   * @throws {RangeError} where `shardId` is no integer from 0 on.
   * @throws {IdentifyRefusedError} where the daily budget is spent; names its reset.
   * @throws the signal's reason, once it is aborted; nothing is spent then.
   */
  take(shardId: number, options: { signal?: AbortSignal } = {}): Promise<IdentifyPermit> {
    return this.#limiter.take(shardId, options);
  }

  /**
   * Takes over new limits, such as a fresh `session_start_limit`; those who wait are sorted into the new keys.
   *
   * @throws {RangeError} where a limit is out of range; nothing has changed then.
   */
  update(limits: IdentifyLimits): void {
    applyIdentifyLimits(this.#record, limits, this.#clock.now());
    this.#limiter.askAgain();
  }
}

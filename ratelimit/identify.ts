/**
 * Who may identify now: the question that a shard asks after HELLO, and the answer within one process.
 *
 * The interface is one method, so that processes can share a limiter over whatever they have at hand. The limiter in
 * memory joins the pure schedule to a clock and to the shards that wait. These are asked again at every turn instead
 * of holding a place in time: a shard that gives up costs nothing and delays nobody.
 */

import type { Clock } from "./clock.ts";
import { type IdentifyLimits, IdentifySchedule } from "./identify_schedule.ts";

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
   * `true` once the shard may identify, at once; `false` where it may not at all: the daily budget is spent, or the
   * limiter shuts down. Rejects with the signal's reason where the shard gives up, or with what the limiter failed of.
   */
  take(shardId: number, options?: { signal?: AbortSignal }): boolean | Promise<boolean>;
}

/** Options of a {@linkcode MemoryIdentifyLimiter}. */
export interface MemoryIdentifyLimiterOptions extends IdentifyLimits {
  /** Time, and the one timer that waits for the next turn. */
  readonly clock: Clock;
}

/**
 * The identify limiter of one process, shared by all shards of a token.
 *
 * First come, first served within a key; shards that ask in the same turn of the event loop, or whose turns come
 * together, go in the order of their ids.
 *
 * @example
 * ```ts
 * import { type Clock, MemoryIdentifyLimiter, sessionStartLimit } from "@discordgateway/edge/ratelimit";
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
 * const [first, second] = await Promise.all([limiter.take(0), limiter.take(1)]);
 * if (!first || !second) throw new Error("two keys, two turns at once");
 * if (await limiter.take(2) !== false) throw new Error("the budget is spent");
 * ```
 */
export class MemoryIdentifyLimiter implements IdentifyLimiter {
  readonly #clock: Clock;
  readonly #schedule: IdentifySchedule;
  /** In the order in which they are asked. */
  #waiting: Waiter[] = [];
  /** Counts the rounds of turns; callers of the same round came together. */
  #round = 0;
  #roundIsDue = false;
  #timer: { readonly handle: unknown; readonly at: number } | null = null;

  /**
   * Makes a limiter in which nobody has identified yet.
   *
   * @throws {RangeError} where a limit is out of range, `maxConcurrency` 0 for one.
   */
  constructor(options: MemoryIdentifyLimiterOptions) {
    this.#clock = options.clock;
    this.#schedule = new IdentifySchedule(options, options.clock.now());
  }

  /** Identifies left of the daily budget. */
  get remaining(): number {
    return this.#schedule.remaining(this.#clock.now());
  }

  /** When the daily budget is full again, in ms on the limiter's clock; `null` while it is full. */
  get resetAt(): number | null {
    return this.#schedule.resetAt(this.#clock.now());
  }

  /**
   * Waits for the shard's turn: `true` = identify now, `false` = the daily budget is spent.
   *
   * @throws {RangeError} where `shardId` is no integer from 0 on.
   * @throws the signal's reason, once it is aborted; nothing is spent then.
   */
  take(shardId: number, options: { signal?: AbortSignal } = {}): Promise<boolean> {
    const { signal } = options;
    return new Promise<boolean>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      // Asks for nothing but the check of the id, which must not wait for the turn.
      this.#schedule.turn(shardId, this.#clock.now());
      const waiter: Waiter = { shardId, round: this.#round, resolve, stopListening: null };
      if (signal) {
        const abort = () => {
          this.#giveUp(waiter);
          reject(signal.reason);
        };
        signal.addEventListener("abort", abort);
        waiter.stopListening = () => signal.removeEventListener("abort", abort);
      }
      this.#insert(waiter);
      this.#playSoon();
    });
  }

  /**
   * Takes over new limits, such as a fresh `session_start_limit`; those who wait are sorted into the new keys.
   *
   * @throws {RangeError} where a limit is out of range; nothing has changed then.
   */
  update(limits: IdentifyLimits): void {
    this.#schedule.update(limits, this.#clock.now());
    this.#playSoon();
  }

  #insert(waiter: Waiter): void {
    let place = this.#waiting.length;
    for (; place > 0; place--) {
      const before = this.#waiting[place - 1]!;
      if (before.round < waiter.round || before.shardId <= waiter.shardId) break;
    }
    this.#waiting.splice(place, 0, waiter);
  }

  #giveUp(waiter: Waiter): void {
    waiter.stopListening?.();
    this.#waiting = this.#waiting.filter((other) => other !== waiter);
    if (this.#waiting.length === 0) this.#wakeAt(Infinity);
  }

  /** A round starts after the present turn of the event loop, so that those who ask together are seen together. */
  #playSoon(): void {
    if (this.#roundIsDue) return;
    this.#roundIsDue = true;
    Promise.resolve().then(() => this.#play());
  }

  #play(): void {
    this.#roundIsDue = false;
    this.#round++;
    const now = this.#clock.now();
    const granted: Waiter[] = [];
    const waiting: Waiter[] = [];
    let nextAt = Infinity;
    for (const waiter of this.#waiting) {
      const turn = this.#schedule.turn(waiter.shardId, now);
      if (!turn.allowed) {
        answer(waiter, false);
      } else if (turn.at > now) {
        waiting.push(waiter);
        nextAt = Math.min(nextAt, turn.at);
      } else {
        this.#schedule.record(waiter.shardId, now);
        granted.push(waiter);
      }
    }
    this.#waiting = waiting;
    this.#wakeAt(nextAt);
    for (const waiter of granted.sort((a, b) => a.shardId - b.shardId)) answer(waiter, true);
  }

  #wakeAt(at: number): void {
    if (this.#timer?.at === at) return;
    if (this.#timer) this.#clock.clearTimeout(this.#timer.handle);
    this.#timer = null;
    if (at === Infinity) return;
    const handle = this.#clock.setTimeout(() => {
      this.#timer = null;
      this.#play();
    }, at - this.#clock.now());
    this.#timer = { handle, at };
  }
}

interface Waiter {
  readonly shardId: number;
  readonly round: number;
  readonly resolve: (go: boolean) => void;
  stopListening: (() => void) | null;
}

function answer(waiter: Waiter, go: boolean): void {
  waiter.stopListening?.();
  waiter.resolve(go);
}

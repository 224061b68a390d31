/**
 * Who may identify now: what a shard asks after HELLO.
 *
 * The interface is one method, so that a limiter over whatever is at hand takes a few lines. Behind the limiters that
 * come with the package stands one rule, `schedule.ts`; here are the interface and the one for a single process.
 */

import { IdentifyWaiter } from "./waiter.ts";
import { type IdentifyPermit, permitOf } from "./permit.ts";
import type { Clock } from "../clock.ts";
import { IdentifyRefusedError } from "../errors.ts";
import { Timer } from "../timer.ts";
import { type IdentifyLimits, requireShardId } from "./limits.ts";
import { type IdentifyRecord, newIdentifyRecord } from "./record.ts";
import { applyIdentifyLimits, exchangeIdentifies } from "./schedule.ts";

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
  readonly #hold: boolean;
  readonly #record: IdentifyRecord;
  /** By ticket, in the order in which they came. */
  readonly #waiting = new Map<string, IdentifyWaiter>();
  /** Turns whose keys stay closed. */
  readonly #held = new Set<string>();
  /** Tickets to be given back. */
  #dropped: string[] = [];
  #tickets = 0;
  #isDue = false;
  readonly #timer: Timer;

  /**
   * Makes a limiter in which nobody has identified yet.
   *
   * @throws {RangeError} where a limit is out of range, `maxConcurrency` 0 for one.
   */
  constructor(options: MemoryIdentifyLimiterOptions) {
    const { clock, hold = false, ...limits } = options;
    this.#clock = clock;
    this.#timer = new Timer(clock);
    this.#hold = hold;
    this.#record = newIdentifyRecord("", clock.now());
    applyIdentifyLimits(this.#record, limits, clock.now());
  }

  /** Identifies left of the daily budget. */
  get remaining(): number {
    this.#apply({});
    return this.#record.remaining;
  }

  /** When the daily budget is full again, in ms on the limiter's clock; `null` while it is full. */
  get resetAt(): number | null {
    this.#apply({});
    return this.#record.resetAt;
  }

  /**
   * Waits for the shard's permit.
   *
   * @throws {RangeError} where `shardId` is no integer from 0 on.
   * @throws {IdentifyRefusedError} where the daily budget is spent; names its reset.
   * @throws the signal's reason, once it is aborted; nothing is spent then.
   */
  async take(shardId: number, { signal }: { signal?: AbortSignal } = {}): Promise<IdentifyPermit> {
    signal?.throwIfAborted();
    requireShardId(shardId);
    const ticket = `${this.#tickets++}`;
    const waiter = new IdentifyWaiter(shardId, signal, () => {
      this.#leave(ticket);
      this.#dropped.push(ticket);
      this.#askSoon();
    });
    this.#waiting.set(ticket, waiter);
    this.#askSoon();
    return await waiter.taken;
  }

  /**
   * Takes over new limits, such as a fresh `session_start_limit`; those who wait are sorted into the new keys.
   *
   * @throws {RangeError} where a limit is out of range; nothing has changed then.
   */
  update(limits: IdentifyLimits): void {
    this.#apply(limits);
    this.#askSoon();
  }

  #apply(limits: IdentifyLimits): void {
    const now = this.#clock.now();
    this.#keepHeld(now);
    applyIdentifyLimits(this.#record, limits, now);
  }

  /** After the present turn of the event loop: whoever asks in the same turn is in it. */
  #askSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    Promise.resolve().then(() => this.#ask());
  }

  /** All that wait ask together, by the rule that limiters with a store ask. */
  #ask(): void {
    const now = this.#clock.now();
    const ask = [...this.#waiting].map(([ticket, { shardId }]) => ({ ticket, shardId }));
    const drop = this.#dropped;
    this.#isDue = false;
    this.#dropped = [];
    this.#keepHeld(now);
    const { granted, refused, retryAfterMs, budget } = exchangeIdentifies(
      this.#record,
      { client: "", ask, keep: [], drop, known: null, limits: null },
      now,
    );
    for (const ticket of refused) {
      const waiter = this.#leave(ticket);
      waiter?.reject(
        new IdentifyRefusedError(waiter.shardId, { resetAfterMs: budget.resetAfterMs ?? 0 }),
      );
    }
    for (const ticket of granted) {
      if (this.#hold) this.#held.add(ticket);
      this.#leave(ticket)?.resolve(this.#permit(ticket));
    }
    this.#timer.set(retryAfterMs ?? Infinity, () => this.#ask());
  }

  #leave(ticket: string): IdentifyWaiter | undefined {
    const waiter = this.#waiting.get(ticket);
    this.#waiting.delete(ticket);
    if (this.#waiting.size === 0) this.#timer.clear();
    return waiter;
  }

  #permit(ticket: string): IdentifyPermit {
    return permitOf((outcome) => {
      // The key of a permit that was held rests for a period from now on.
      this.#keepHeld(this.#clock.now());
      const wasHeld = this.#held.delete(ticket);
      if (outcome === "unused") this.#dropped.push(ticket);
      if (outcome === "unused" || wasHeld) this.#askSoon();
    });
  }

  /** Before anybody looks at the record: what is held rests for a whole period from now on. */
  #keepHeld(now: number): void {
    for (const turn of this.#record.turns) {
      if (this.#held.has(turn.ticket)) turn.until = now + this.#record.periodMs;
    }
  }
}

/**
 * The shards of one process in front of a record that others may share.
 *
 * All that wait ask together, in one exchange at a time; between two exchanges there is one timer. What makes the
 * exchange atomic is the store's business, and all that one store differs in from another.
 *
 * An exchange that fails sends everybody away who asked in it. Should it have been carried out all the same, the next one
 * gives back what it granted. One that is slow grants a turn that began a while ago: its key is told to rest from now on.
 */

import { IdentifyWaiter } from "./waiter.ts";
import { Timer } from "../timer.ts";
import { type IdentifyPermit, permitOf } from "./permit.ts";
import { ASK_ANEW, exchangeWithin, IN_TIME, KnownBudget, latenessOf, TOO_LATE } from "./exchange.ts";
import { isPromiseLike } from "../unknown.ts";
import type { Clock } from "../clock.ts";
import { IdentifyLimiterError, IdentifyRefusedError } from "../errors.ts";
import type { IdentifyLimiter } from "./limiter.ts";
import {
  DEFAULT_IDENTIFY_PERIOD_MS,
  type IdentifyLimits,
  requireIdentifyLimits,
  requireShardId,
} from "./limits.ts";
import type { IdentifyReply, IdentifyRequest } from "./record.ts";
import type { IdentifyStore, IdentifyStoreContext } from "./store.ts";

type Update = Pick<PromiseWithResolvers<void>, "resolve" | "reject">;

/** How often a shard asks once more because its permit came late. */
const MAX_RETRIES = 2;
/** So many tickets of failed exchanges are remembered, to be given back. */
const MAX_DROPPED = 1_000;

/**
 * An identify limiter over a store: what the limiters for Durable Objects, Deno KV and Redis are made of, and one for a
 * store of your own can be.
 *
 * @example
 * ```ts
 * import {
 *   exchangeIdentifies,
 *   newIdentifyRecord,
 *   StoredIdentifyLimiter,
 * } from "@discordgateway/edge/ratelimit";
 * import { systemPlatform } from "@discordgateway/edge/shard";
 *
 * let stored = JSON.stringify(newIdentifyRecord(crypto.randomUUID(), Date.now()));
 * const limiter = new StoredIdentifyLimiter({
 *   exchange(request) {
 *     const record = JSON.parse(stored);
 *     const reply = exchangeIdentifies(record, request, Date.now());
 *     stored = JSON.stringify(record);
 *     return reply;
 *   },
 * }, { clock: systemPlatform, client: crypto.randomUUID(), maxConcurrency: 16 });
 * await limiter.take(0);
 * if (JSON.parse(stored).remaining !== 999) throw new Error("one is spent");
 * ```
 */
export class StoredIdentifyLimiter implements IdentifyLimiter {
  readonly #store: IdentifyStore;
  readonly #clock: Clock;
  readonly #client: string;
  readonly #hold: boolean;
  readonly #deadlineMs: number;
  /** By ticket, in the order in which they came. */
  readonly #waiting = new Map<string, IdentifyWaiter>();
  /** Turns whose keys are to stay closed. */
  readonly #held = new Set<string>();
  /** Turns that ended: their keys rest from now on. */
  readonly #ended = new Set<string>();
  readonly #dropped = new Set<string>();
  #updates: Update[] = [];
  /** What the record has not been told yet. */
  #limits: IdentifyLimits | null;
  readonly #known = new KnownBudget();
  #tickets = 0;
  #isDue = false;
  #isExchanging = false;
  #hasFailed = false;
  /** When those who wait may ask again. */
  #retryAt = Infinity;
  readonly #timer: Timer;
  #timerAt = Infinity;

  /**
   * Makes a limiter; the store is not asked yet.
   *
   * @throws {RangeError} where an option is out of range, `maxConcurrency` 0 for one.
   */
  constructor(store: IdentifyStore, context: IdentifyStoreContext) {
    const { clock, client, hold = false, deadlineMs = 5_000, ...limits } = context;
    requireIdentifyLimits(limits);
    if (!(deadlineMs > 0)) {
      throw new RangeError(`Cannot limit identifies: deadlineMs must be a positive number: ${deadlineMs}`);
    }
    this.#store = store;
    this.#clock = clock;
    this.#timer = new Timer(clock);
    this.#client = client;
    this.#hold = hold;
    this.#deadlineMs = deadlineMs;
    this.#limits = Object.keys(limits).length > 0 ? limits : null;
  }

  /**
   * Waits for the shard's permit.
   *
   * @throws {RangeError} where `shardId` is no integer from 0 on.
   * @throws {IdentifyRefusedError} where the daily budget is spent; names its reset.
   * @throws {IdentifyLimiterError} where the store cannot be asked.
   * @throws the signal's reason, once it is aborted; nothing is spent then.
   */
  async take(shardId: number, { signal }: { signal?: AbortSignal } = {}): Promise<IdentifyPermit> {
    signal?.throwIfAborted();
    requireShardId(shardId);
    const ticket = `${this.#client}.${this.#tickets++}`;
    const waiter = new IdentifyWaiter(shardId, signal, ({ isAsking }) => {
      this.#waiting.delete(ticket);
      this.#armTimer();
      if (isAsking) this.#dropped.add(ticket);
      if (isAsking) this.askAgain();
    });
    this.#waiting.set(ticket, waiter);
    this.askAgain();
    return await waiter.taken;
  }

  /**
   * Tells the record new limits, such as a fresh `session_start_limit`: those who wait, here and in other processes, are
   * sorted into the new keys.
   *
   * @throws {RangeError} where a limit is out of range; nothing has changed then.
   * @throws {IdentifyLimiterError} where the store cannot be told; the next exchange tells it.
   */
  update(limits: IdentifyLimits): Promise<void> {
    requireIdentifyLimits(limits);
    this.#limits = { ...this.#limits, ...limits };
    this.askAgain();
    return new Promise((resolve, reject) => this.#updates.push({ resolve, reject }));
  }

  /** Asks the store anew, after the present turn of the event loop: whoever asks in the same turn is in it. */
  askAgain(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    if (!this.#isExchanging) Promise.resolve().then(() => this.#exchange());
  }

  async #exchange(): Promise<void> {
    this.#isDue = false;
    const asking = new Map(this.#waiting);
    const updates = this.#updates;
    const request = this.#request(asking);
    const askedAt = this.#clock.now();
    if (request === null) return this.#armTimer();
    this.#isExchanging = true;
    this.#updates = [];
    this.#limits = null;
    try {
      const exchange = exchangeWithin(this.#store, request, {
        clock: this.#clock,
        deadlineMs: this.#deadlineMs,
      });
      const reply = isPromiseLike(exchange) ? await exchange : exchange;
      this.#isExchanging = false;
      this.#learn(request, reply, askedAt);
      for (const { resolve } of updates) resolve();
    } catch (cause) {
      this.#isExchanging = false;
      this.#fail(request, asking, updates, cause);
    }
    if (this.#isDue) this.#exchange();
    else this.#armTimer();
  }

  /** What there is to say; `null` where there is nothing. */
  #request(asking: ReadonlyMap<string, IdentifyWaiter>): IdentifyRequest | null {
    const ask = [...asking].map(([ticket, { shardId }]) => ({ ticket, shardId }));
    const keep = [...this.#held, ...this.#ended];
    const drop = [...this.#dropped];
    for (const waiter of asking.values()) waiter.isAsking = true;
    if (ask.length + keep.length + drop.length + this.#updates.length === 0) return null;
    return {
      client: this.#client,
      ask,
      keep,
      drop,
      known: this.#known.recall(this.#clock.now()),
      limits: this.#limits,
    };
  }

  #learn(request: IdentifyRequest, reply: IdentifyReply, askedAt: number): void {
    const now = this.#clock.now();
    const { budget, retryAfterMs } = reply;
    const lateness = latenessOf(now - askedAt, budget.periodMs);
    this.#known.learn(budget, now);
    this.#hasFailed = false;
    for (const ticket of request.keep) this.#ended.delete(ticket);
    for (const ticket of request.drop) this.#dropped.delete(ticket);
    this.#retryAt = retryAfterMs === null ? Infinity : now + retryAfterMs;
    for (const ticket of reply.refused) {
      const resetAfterMs = budget.resetAfterMs ?? 0;
      const waiter = this.#waiting.get(ticket);
      this.#waiting.delete(ticket);
      waiter?.reject(new IdentifyRefusedError(waiter.shardId, { resetAfterMs }));
    }
    const shardOf = (ticket: string) => this.#waiting.get(ticket)?.shardId ?? 0;
    // Those that are granted once more stand in the order of the request.
    for (const ticket of reply.granted.toSorted((a, b) => shardOf(a) - shardOf(b))) {
      const waiter = this.#waiting.get(ticket);
      if (lateness >= ASK_ANEW && waiter && waiter.retries < MAX_RETRIES) {
        waiter.retries++;
        this.#isDue = true;
        continue;
      }
      this.#waiting.delete(ticket);
      if (waiter === undefined || lateness === TOO_LATE) {
        // A shard that gave up while the reply was under way says so in the next request.
        this.#dropped.add(ticket);
        this.#isDue = true;
        const cause = new Error(`The permit came too late: after ${Math.round(now - askedAt)} ms`);
        waiter?.reject(new IdentifyLimiterError({ shardId: waiter.shardId, cause }));
        continue;
      }
      if (this.#hold) this.#held.add(ticket);
      if (lateness > IN_TIME) {
        this.#ended.add(ticket);
        this.#isDue = true;
      }
      waiter.resolve(this.#permit(ticket));
    }
  }

  #fail(
    request: IdentifyRequest,
    asking: ReadonlyMap<string, IdentifyWaiter>,
    updates: readonly Update[],
    cause: unknown,
  ): void {
    this.#retryAt = Infinity;
    this.#hasFailed = true;
    if (request.limits) this.#limits = { ...request.limits, ...this.#limits };
    if (this.#dropped.size > MAX_DROPPED) this.#dropped.clear();
    for (const [ticket, waiter] of asking) {
      this.#dropped.add(ticket);
      if (!this.#waiting.delete(ticket)) continue;
      waiter.reject(new IdentifyLimiterError({ shardId: waiter.shardId, cause }));
    }
    for (const { reject } of updates) reject(new IdentifyLimiterError({ cause }));
  }

  #permit(ticket: string): IdentifyPermit {
    return permitOf((outcome) => {
      const wasHeld = this.#held.delete(ticket);
      if (outcome === "unused") this.#dropped.add(ticket);
      else if (wasHeld) this.#ended.add(ticket);
      else return;
      this.askAgain();
    });
  }

  /** The one timer: for those who wait, and to keep closed the keys that are held. */
  #armTimer(): void {
    const now = this.#clock.now();
    let at = this.#waiting.size > 0 ? this.#retryAt : Infinity;
    if (this.#held.size > 0) {
      const periodMs = this.#known.periodMs ?? DEFAULT_IDENTIFY_PERIOD_MS;
      // After a failure sooner, so that an outage of half a period opens no key.
      at = Math.min(at, this.#timerAt, now + periodMs / (this.#hasFailed ? 12 : 3));
    }
    if (this.#timerAt === at && this.#timer.isSet) return;
    this.#timerAt = at;
    this.#timer.set(at - now, () => {
      this.#timerAt = Infinity;
      this.askAgain();
    });
  }
}

/**
 * Callers that wait in order, some of them behind a gate of their own.
 *
 * A command that falls under a sub-limit must not delay the others behind it, and must not use up the common
 * budget before it may go. So each gate has a queue, and a turn goes to the first caller, by priority and then by
 * arrival, among the heads of all queues whose gate is open. Within a gate the order stays.
 *
 * Where only the newest counts, a gate has one place to wait: who comes later takes it over, with the place in the
 * order and the higher priority of the two, so that a stream of updates delays none for ever.
 */

import { SubLimit } from "./sublimit.ts";
import { type QueueOptions, type QueuePosition, TurnQueue } from "./turn_queue.ts";

/** A sub-limit, as a caller names it. All callers with one key share it. */
export interface QueueGate {
  /** Tells gates apart. */
  readonly key: string;
  /** How many may go in a period; without it the gate only shuts when it is told to. */
  readonly limit?: number;
  /** The period in ms. */
  readonly periodMs?: number;
  /** Only the newest caller waits; it takes the place of the one before. */
  readonly newestOnly?: boolean;
}

/** Options of {@linkcode GatedQueue.wait}. */
export interface GatedQueueOptions extends QueueOptions {
  /** The sub-limit that the caller falls under; none by default. */
  readonly gate?: QueueGate | null;
  /** Called in the moment in which the turn is used, before the caller is answered. */
  readonly onAdmitted?: () => void;
}

/** A caller whose turn has come. Whoever took it writes the frame, and settles it, once. */
export interface GatedPosition<T> extends QueuePosition<T> {
  /** Counts the turn under the caller's sub-limit. To be called as the frame is written; not if there is none. */
  spend(now: number): void;
}

/**
 * A queue of callers under sub-limits: no caller waits behind one whose gate is shut.
 *
 * @example
 * ```ts
 * import { GatedQueue } from "@discordgateway/edge/ratelimit";
 *
 * const queue = new GatedQueue<string>();
 * const gate = { key: "presence", limit: 1, periodMs: 20_000, newestOnly: true };
 * const sent: string[] = [];
 * const serve = (now: number) => {
 *   for (let turn = queue.next(now); turn; turn = queue.next(now)) {
 *     turn.spend(now);
 *     sent.push(turn.item);
 *     turn.resolve();
 *   }
 * };
 *
 * const first = queue.wait("idle", { gate });
 * serve(0);
 * const replaced = queue.wait("busy", { gate });
 * const newest = queue.wait("online", { gate });
 * const other = queue.wait("voice");
 * serve(5_000);
 * if (sent.join() !== "idle,voice" || queue.readyAt(5_000) !== 20_000) throw new Error("unexpected");
 * serve(20_000);
 * if (sent.join() !== "idle,voice,online") throw new Error("unexpected");
 *
 * const used = await Promise.all([first, replaced, newest, other]);
 * if (used.join() !== "true,false,true,true") throw new Error("unexpected");
 * ```
 */
export class GatedQueue<T> {
  readonly #free = new TurnQueue<Entry<T>>();
  /** The callers behind each gate; a queue that has run empty is forgotten in passing. */
  readonly #gated = new Map<string, TurnQueue<Entry<T>>>();
  /** What each gate remembers; forgotten once it remembers nothing that counts. */
  readonly #limits = new Map<string, SubLimit>();
  #forgetAt = FORGET_FROM;
  #arrivals = 0;

  /** How many callers wait. */
  get size(): number {
    let size = this.#free.size;
    for (const queue of this.#gated.values()) size += queue.size;
    return size;
  }

  /**
   * Waits with `item`. Resolves with `true` as the taker of the turn says, and with `false` where a newer caller took
   * the place.
   *
   * @throws the signal's reason, once it is aborted, and at once where it is aborted already.
   */
  async wait(
    item: T,
    { gate = null, onAdmitted, signal, priority = "low" }: GatedQueueOptions = {},
  ): Promise<boolean> {
    signal?.throwIfAborted();
    const entry: Entry<T> = {
      item,
      gate,
      onAdmitted,
      isHigh: priority === "high",
      arrival: this.#arrivals++,
      isReplaced: false,
    };
    const queue = gate ? this.#queueOf(gate.key) : this.#free;
    const older = gate?.newestOnly ? queue.next() : undefined;
    if (older) {
      entry.arrival = older.item.arrival;
      entry.isHigh ||= older.item.isHigh;
      older.item.isReplaced = true;
      older.resolve();
    }
    await queue.wait(entry, { priority: entry.isHigh ? "high" : "low", ...(signal && { signal }) });
    return !entry.isReplaced;
  }

  /** The first instant from `now` on at which a gate lets a caller through, in ms; `Infinity` where nobody waits. */
  readyAt(now: number): number {
    if (this.#free.size > 0) return now;
    let at = Infinity;
    for (const [key, queue] of this.#gated) {
      if (queue.size === 0) {
        this.#gated.delete(key);
        continue;
      }
      at = Math.min(at, this.#limits.get(key)?.nextAt(now) ?? now);
      if (at <= now) break;
    }
    return at;
  }

  /** Takes out the caller whose turn it is at `now`; `undefined` where nobody waits before an open gate. */
  next(now: number): GatedPosition<T> | undefined {
    let first = this.#free;
    for (const [key, queue] of this.#gated) {
      const limit = this.#limits.get(key);
      if (limit && limit.nextAt(now) > now) continue;
      if (goesBefore(queue.peek(), first.peek())) first = queue;
    }
    const position = first.next();
    if (!position) return undefined;
    const { item: { item, gate, onAdmitted }, resolve, reject } = position;
    const spend = (at: number) => {
      if (gate) this.#limitOf(gate, at).record(at);
      onAdmitted?.();
    };
    return { item, resolve, reject, spend };
  }

  /** Shuts a gate until `instant`, in ms: Discord said so. */
  shut(gate: QueueGate, instant: number, now: number): void {
    this.#limitOf(gate, now).restUntil(instant);
  }

  /** Sends everybody away who waits now, each with its own error. */
  rejectAll(reason: (item: T) => Error): void {
    const queues = [this.#free, ...this.#gated.values()];
    this.#gated.clear();
    for (const queue of queues) queue.rejectAll(({ item }) => reason(item));
  }

  #queueOf(key: string): TurnQueue<Entry<T>> {
    let queue = this.#gated.get(key);
    if (!queue) this.#gated.set(key, queue = new TurnQueue());
    return queue;
  }

  #limitOf({ key, limit, periodMs }: QueueGate, now: number): SubLimit {
    const known = this.#limits.get(key);
    if (known) return known;
    if (this.#limits.size >= this.#forgetAt) this.#forget(now);
    const counts = limit !== undefined && periodMs !== undefined;
    const made = new SubLimit(counts ? { limit, periodMs } : undefined);
    this.#limits.set(key, made);
    return made;
  }

  /** In passing, and ever more rarely the more there are: what is kept is at most twice what counts. */
  #forget(now: number): void {
    for (const [key, limit] of this.#limits) if (limit.isIdle(now)) this.#limits.delete(key);
    this.#forgetAt = Math.max(FORGET_FROM, 2 * this.#limits.size);
  }
}

/** So many limits are kept whether they count or not. */
const FORGET_FROM = 64;

interface Entry<T> {
  readonly item: T;
  readonly gate: QueueGate | null;
  readonly onAdmitted: (() => void) | undefined;
  isHigh: boolean;
  arrival: number;
  isReplaced: boolean;
}

function goesBefore(one: Entry<unknown> | undefined, other: Entry<unknown> | undefined): boolean {
  if (!one || !other) return one !== undefined;
  if (one.isHigh !== other.isHigh) return one.isHigh;
  return one.arrival < other.arrival;
}

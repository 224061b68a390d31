/**
 * Callers that wait in order.
 *
 * A caller waits until the rate limit allows its frame; nothing is buffered, and nothing is charged before the turn
 * comes. Whoever grants turns takes the head out, writes its frame in the same tick, and hands the result of that
 * very write to that very caller.
 *
 * Two doubly linked lists, one for each priority, so that a caller who gives up in the middle of thousands leaves in
 * constant time. A caller listens to its signal only while it waits.
 */

/** Options of {@linkcode TurnQueue.wait}. */
export interface QueueOptions {
  /** Ends the wait; the promise rejects with the signal's reason. Without effect once the turn has come. */
  readonly signal?: AbortSignal;
  /**
   * Callers of high priority go before those of low priority.
   * @default {"low"}
   */
  readonly priority?: "high" | "low";
}

/** A caller whose turn has come, out of the queue. Whoever took it settles it, once. */
export interface QueuePosition<T> {
  /** What the caller waits with. */
  readonly item: T;
  /** Tells the caller that it is done. */
  resolve(): void;
  /** Tells the caller what went wrong. */
  reject(error: unknown): void;
}

/**
 * A queue of callers: first in, first out within a priority, high before low, each answered exactly once.
 *
 * @example
 * ```ts
 * import { TurnQueue } from "@discordgateway/edge/ratelimit";
 *
 * const queue = new TurnQueue<string>();
 * const sent: string[] = [];
 * const waiting = [queue.wait("presence"), queue.wait("resume", { priority: "high" })];
 *
 * for (let turn = queue.next(); turn; turn = queue.next()) {
 *   sent.push(turn.item);
 *   turn.resolve();
 * }
 * await Promise.all(waiting);
 * if (sent.join() !== "resume,presence") throw new Error(`unexpected: ${sent}`);
 * ```
 */
export class TurnQueue<T> {
  readonly #high: Lane<T> = { head: null, tail: null };
  readonly #low: Lane<T> = { head: null, tail: null };
  #size = 0;

  /** How many callers wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Waits with `item`; resolves or rejects as the taker of the turn says.
   *
   * @throws the signal's reason, once it is aborted, and at once where it is aborted already.
   */
  wait(item: T, options: QueueOptions = {}): Promise<void> {
    const { signal } = options;
    const lane = options.priority === "high" ? this.#high : this.#low;
    return new Promise<void>((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const waiter: Waiter<T> = {
        item,
        resolve,
        reject,
        lane,
        before: lane.tail,
        after: null,
        stopListening: null,
      };
      if (signal) {
        const abort = () => {
          this.#remove(waiter);
          reject(signal.reason);
        };
        signal.addEventListener("abort", abort);
        waiter.stopListening = () => signal.removeEventListener("abort", abort);
      }
      if (lane.tail) lane.tail.after = waiter;
      else lane.head = waiter;
      lane.tail = waiter;
      this.#size++;
    });
  }

  /** What the head waits with; `undefined` where nobody waits. */
  peek(): T | undefined {
    return this.#head?.item;
  }

  /** Takes the head out; `undefined` where nobody waits. */
  next(): QueuePosition<T> | undefined {
    const head = this.#head;
    if (!head) return undefined;
    this.#remove(head);
    return { item: head.item, resolve: head.resolve, reject: head.reject };
  }

  /** Sends everybody away who waits now, in order, each with its own error. */
  rejectAll(reason: (item: T) => Error): void {
    for (let count = this.#size; count > 0; count--) {
      const position = this.next();
      if (!position) return;
      position.reject(reason(position.item));
    }
  }

  get #head(): Waiter<T> | null {
    return this.#high.head ?? this.#low.head;
  }

  #remove(waiter: Waiter<T>): void {
    const { lane, before, after } = waiter;
    if (before) before.after = after;
    else lane.head = after;
    if (after) after.before = before;
    else lane.tail = before;
    // A settled caller must not keep its neighbours alive.
    waiter.before = waiter.after = null;
    this.#size--;
    waiter.stopListening?.();
  }
}

interface Waiter<T> extends QueuePosition<T> {
  readonly lane: Lane<T>;
  before: Waiter<T> | null;
  after: Waiter<T> | null;
  stopListening: (() => void) | null;
}

interface Lane<T> {
  head: Waiter<T> | null;
  tail: Waiter<T> | null;
}

/**
 * The consumer of many shards: one who pulls from a merged stream, or a handler that is called.
 *
 * Each shard has a bounded queue of its own, and hands over its next event only when the one before is handled. So the
 * merge holds one event of each shard at most, acknowledges nothing early, and takes the shards in turn.
 */

import type { EventHandler } from "../events/event_queue.ts";

/** Who gets the events of all shards. */
export interface FleetConsumer<Item> {
  /** Takes an event of a shard, whose next one may come when this is handled: at once, or when the promise resolves. */
  deliver(item: Item): void | PromiseLike<void>;
  /** Nothing follows; the consumer gets the waiting events, if there was an error, and then the error. */
  finish(error: unknown): void;
}

interface Waiting<Item> {
  resolve(result: IteratorResult<Item, void>): void;
  reject(error: unknown): void;
}

/** One stream of events out of many. An event is handled when its consumer asks for the next one. */
export class MergedEvents<Item> implements FleetConsumer<Item> {
  /** In the order in which they came; not more than one of each shard. */
  #ready: { readonly item: Item; readonly handled: () => void }[] = [];
  #inHand: (() => void)[] = [];
  readonly #waiting: Waiting<Item>[] = [];
  #finished: { readonly error: unknown } | null = null;

  /** Resolves when the consumer asks for the event after this one; never, if it closes before. */
  deliver(item: Item): Promise<void> {
    return new Promise((handled) => {
      if (this.#finished) return;
      const waiting = this.#waiting.shift();
      if (waiting === undefined) {
        this.#ready.push({ item, handled });
        return;
      }
      this.#inHand.push(handled);
      waiting.resolve({ value: item, done: false });
    });
  }

  /** The next event. Asking for it says that the one before is handled. */
  next(): Promise<IteratorResult<Item, void>> {
    for (const handled of this.#inHand.splice(0)) handled();
    const first = this.#ready.shift();
    if (first) {
      this.#inHand.push(first.handled);
      return Promise.resolve({ value: first.item, done: false });
    }
    if (this.#finished) {
      const { error } = this.#finished;
      this.#finished = { error: null };
      return error === null ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  finish(error: unknown): void {
    if (this.#finished) return;
    this.#finished = { error };
    if (error === null) this.#ready = [];
    const [first, ...others] = this.#waiting.splice(0);
    if (first) {
      // Only one of them learns of the failure: it is one failure.
      this.#finished = { error: null };
      if (error === null) first.resolve({ value: undefined, done: true });
      else first.reject(error);
    }
    for (const waiting of others) waiting.resolve({ value: undefined, done: true });
  }
}

/** A handler, called for each event: one at a time for a shard, and independently for different ones. */
export class HandledEvents<Item> implements FleetConsumer<Item> {
  /** Resolves when the fleet is closed; rejects with what stopped it. */
  readonly finished: Promise<void>;
  /** Takes an event. */
  readonly deliver: EventHandler<Item>;
  #settle!: { resolve(): void; reject(error: unknown): void };

  /** Calls `handler`. */
  constructor(handler: EventHandler<Item>) {
    this.deliver = handler;
    this.finished = new Promise((resolve, reject) => this.#settle = { resolve, reject });
  }

  finish(error: unknown): void {
    if (error === null) this.#settle.resolve();
    else this.#settle.reject(error);
  }
}

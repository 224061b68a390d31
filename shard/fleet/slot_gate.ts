/**
 * The gate between the queue of a fleet's shard and the consumer, which a reshard sets: *discard* lets nothing through
 * and keeps nothing, *hold* leaves everything in the shard's own bounded queue, *open* delivers.
 */

import type { ShardEvent } from "../events/event.ts";
import type { Duplicates } from "./overlap.ts";

/** What a gate does with an event. */
export type SlotGateState = "open" | "hold" | "discard";

/** What a gate needs of its slot. */
export interface SlotGateOptions {
  /** Hands an event to the consumer. */
  readonly hand: (event: ShardEvent) => void | PromiseLike<void>;
  /** Whether the consumer has something in hand that this slot's next event comes after. */
  readonly isBehind: () => boolean;
  /** Whether the shard is live: what comes before it is, is replayed, and may have come on the other set. */
  readonly isLive: () => boolean;
  /** Events that wait in the shard's queue. */
  readonly queued: () => number;
  /** The present, in ms. */
  readonly now: () => number;
}

/** Says to a shard's queue that an event was not handled, as it will come again. */
export const NOT_HANDLED = new Error("The event is not handled here");

interface Held {
  readonly event: ShardEvent;
  resolve(handled: void | PromiseLike<void>): void;
  reject(error: unknown): void;
}

/** The gate of one slot. It holds one event at most: the queue hands over the next when that is handled. */
export class SlotGate {
  readonly #options: SlotGateOptions;
  #state: SlotGateState = "open";
  #held: Held | null = null;
  #taken = 0;
  #copies: { readonly seen: Duplicates; readonly old: boolean } | null = null;
  /** How many events of this count are still to come, and who waits for the last. */
  #countdown: { left: number; done: () => void; readonly thenHold: boolean } | null = null;

  /** An open gate. */
  constructor(options: SlotGateOptions) {
    this.#options = options;
  }

  /** What it does with an event. */
  get state(): SlotGateState {
    return this.#state;
  }

  /** Events that it took from the queue. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether it holds an event. */
  get holds(): boolean {
    return this.#held !== null;
  }

  /**
   * Takes an event from the queue; returns when it is handled.
   *
   * @param state The gate when the event came: its coming may have turned it.
   */
  take(event: ShardEvent, state: SlotGateState = this.#state): void | PromiseLike<void> {
    if (state === "discard") return void this.#taken++;
    if (this.#state === "hold" || this.#options.isBehind()) {
      return new Promise((resolve, reject) => this.#held = { event, resolve, reject });
    }
    this.#taken++;
    if (this.#countdown !== null) return this.#countOne(event);
    if (this.#copies !== null && this.#isCopy(event, false)) return;
    return this.#options.hand(event);
  }

  /** Turns it; what it holds goes on. */
  set(state: SlotGateState): void {
    this.#state = state;
    const held = this.#held;
    if (held === null || state === "hold") return;
    this.#held = null;
    try {
      held.resolve(this.take(held.event));
    } catch (error) {
      // The handler's failure belongs to its event, not to whoever turned the gate.
      held.reject(error);
    }
  }

  /** The shard goes: what is held was not handled. */
  giveBack(): void {
    this.#held?.reject(NOT_HANDLED);
    this.#held = null;
  }

  /** Remembers what it delivers (an old shard), or drops what was delivered (a new one); `null` ends it. */
  compare(seen: Duplicates | null, { old }: { readonly old: boolean }): void {
    this.#copies = seen && { seen, old };
  }

  /** Resolves when so many events have been handed over; or (`thenHold`) handled, and from there on it holds. */
  countDown(left: number, { thenHold }: { readonly thenHold: boolean }): Promise<void> {
    return new Promise((done) => this.#countdown = { left, done, thenHold });
  }

  /** Nothing more is to come. */
  stopCounting(): void {
    this.#countdown?.done();
    this.#countdown = null;
  }

  #countOne(event: ShardEvent): void | PromiseLike<void> {
    const countdown = this.#countdown!;
    const handled = this.#copies !== null && this.#isCopy(event, true)
      ? undefined
      : this.#options.hand(event);
    countdown.left--;
    if (countdown.left > 0) return handled;
    this.#countdown = null;
    if (!countdown.thenHold) countdown.done();
    else {
      this.#state = "hold";
      Promise.resolve(handled).then(countdown.done, countdown.done);
    }
    return handled;
  }

  #isCopy(event: ShardEvent, overlapping: boolean): boolean {
    const { seen, old } = this.#copies!;
    if (old) {
      seen.saw(event);
      return false;
    }
    const { isLive, queued, now } = this.#options;
    const isLast = !overlapping && isLive() && queued() === 0 && now() > seen.until;
    if (isLast) this.#copies = null;
    return seen.knows(event, { overlapping });
  }
}

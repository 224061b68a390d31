/**
 * Events between the connection and the consumer: bounded, in order, and with the last handled sequence.
 *
 * An event is *handled* when its consumer asks for the next one (or its handler has returned). The saved session carries
 * the last handled sequence, so that events that a crash leaves unhandled are replayed.
 */

import { isPromiseLike } from "../../ratelimit/unknown.ts";

/** What the queue needs of an event: its sequence number, `null` for one that Discord did not send. */
export interface Numbered {
  /** Sequence number. */
  readonly s: number | null;
}

interface Entry<Event> {
  readonly event: Event;
  readonly size: number;
  readonly session: number;
}

interface Waiting<Event> {
  resolve(result: IteratorResult<Event, void>): void;
  reject(error: unknown): void;
}

/** Handles one event; what it returns is awaited if it is a promise. */
export type EventHandler<Event> = (event: Event) => void | PromiseLike<void>;

/** Limits of an {@linkcode EventQueue}. */
export interface EventQueueLimits {
  /** Events that may wait. */
  readonly maxEvents: number;
  /** Their frames' lengths in UTF-16 units, added up. */
  readonly maxSize: number;
}

/** A queue with one consumer, which either pulls with `next` or is pushed to with `consume`. */
export class EventQueue<Event extends Numbered> {
  readonly #limits: EventQueueLimits;
  #entries: Entry<Event>[] = [];
  /** Index of the first waiting entry; the ones before it are gone. */
  #head = 0;
  #size = 0;
  #peak = 0;
  /** Counts the sessions: sequence numbers of different sessions do not compare. */
  #session = 0;
  /** The oldest event that was delivered and is not handled yet. */
  #inHand: { s: number | null; session: number } | null = null;
  readonly #waiting: Waiting<Event>[] = [];
  #handler: EventHandler<Event> | null = null;
  #handlerBusy = false;
  #consumed: { resolve(): void; reject(error: unknown): void } | null = null;
  #drained: (() => void) | null = null;
  #finished: { error: unknown } | null = null;

  /** Makes an empty queue. */
  constructor(limits: EventQueueLimits) {
    this.#limits = limits;
  }

  /** How many events wait. */
  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** The most that ever waited. */
  get peak(): number {
    return this.#peak;
  }

  /** Takes an event. Returns `false` once the limits are reached; the event itself is always taken. */
  push(event: Event, size: number): boolean {
    if (this.#finished) return true;
    if (this.length === 0) {
      const waiting = this.#waiting.shift();
      if (waiting) {
        this.#hand(event, this.#session);
        waiting.resolve({ value: event, done: false });
        return true;
      }
      if (this.#handler && !this.#handlerBusy) {
        this.#handle(this.#handler, event, this.#session);
        // In memory, Discord's response may arrive while the handler runs.
        this.#drain();
        return true;
      }
    }
    this.#entries.push({ event, size, session: this.#session });
    this.#size += size;
    if (this.length > this.#peak) this.#peak = this.length;
    return this.length < this.#limits.maxEvents && this.#size < this.#limits.maxSize;
  }

  /** The next event. Asking for it marks the one before as handled. */
  next(): Promise<IteratorResult<Event, void>> {
    this.#inHand = null;
    const entry = this.#shift();
    if (entry) {
      this.#hand(entry.event, entry.session);
      return Promise.resolve({ value: entry.event, done: false });
    }
    if (this.#finished) {
      const { error } = this.#finished;
      this.#finished = { error: null };
      return error === null ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Gives every event to `handler`, one at a time. Resolves when the queue finishes; rejects with its failure. */
  consume(handler: EventHandler<Event>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#consumed = { resolve, reject };
      this.#handler = handler;
      this.#drain();
    });
  }

  /** Counts the event in hand as handled before the next one is asked for. */
  acknowledge(): void {
    this.#inHand = null;
  }

  /** The number of the current session, from 0. */
  get session(): number {
    return this.#session;
  }

  /** The events that follow belong to another session. */
  startSession(): void {
    this.#session++;
  }

  /** The oldest session with an unhandled event; the current one if there is none. */
  get oldestSession(): number {
    return this.#inHand?.session ?? this.#entries[this.#head]?.session ?? this.#session;
  }

  /** The last handled sequence of {@linkcode EventQueue.oldestSession}, given the last received one. */
  handled(received: number): number {
    const session = this.oldestSession;
    let oldest = this.#inHand?.s ?? null;
    for (let at = this.#head; oldest === null; at++) {
      const entry = this.#entries[at];
      if (entry?.session !== session) break;
      oldest = entry.event.s;
    }
    return oldest === null ? received : Math.max(0, Math.min(received, oldest - 1));
  }

  /** Resolves as soon as the queue is empty. One call at a time. */
  drained(): Promise<void> {
    if (this.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#drained = resolve);
  }

  /**
   * Ends the queue; the first end counts. Without an error, waiting events are dropped, because the program closed the
   * shard. With one, the consumer gets the waiting events first, and then the error.
   */
  finish(error: unknown = null): void {
    if (this.#finished) return;
    this.#finished = { error };
    if (error === null) {
      this.#entries = [];
      this.#head = 0;
      this.#size = 0;
    }
    this.#drained?.();
    const [first, ...others] = this.#waiting.splice(0);
    if (first) {
      // One failure rejects one caller.
      this.#finished = { error: null };
      if (error === null) first.resolve({ value: undefined, done: true });
      else first.reject(error);
    }
    for (const waiting of others) waiting.resolve({ value: undefined, done: true });
    this.#drain();
  }

  #settleConsumed(): void {
    const error = this.#finished?.error ?? null;
    if (error === null) this.#consumed?.resolve();
    else this.#consumed?.reject(error);
    this.#consumed = null;
    this.#handler = null;
  }

  #hand({ s }: Event, session: number): void {
    this.#inHand ??= { s, session };
  }

  #shift(): Entry<Event> | undefined {
    const entry = this.#entries[this.#head];
    if (!entry) return undefined;
    this.#head++;
    this.#size -= entry.size;
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
      this.#drained?.();
      this.#drained = null;
    } else if (this.#head === 1024) {
      this.#entries.splice(0, this.#head);
      this.#head = 0;
    }
    return entry;
  }

  #drain(): void {
    while (this.#handler && !this.#handlerBusy) {
      const entry = this.#shift();
      if (!entry) {
        if (this.#finished) this.#settleConsumed();
        return;
      }
      this.#handle(this.#handler, entry.event, entry.session);
    }
  }

  #handle(handler: EventHandler<Event>, event: Event, session: number): void {
    this.#inHand = { s: event.s, session };
    this.#handlerBusy = true;
    try {
      const result = handler(event);
      if (!isPromiseLike(result)) return this.#handlerDone();
      result.then(() => {
        this.#handlerDone();
        this.#drain();
      }, (error) => this.#handlerFailed(error));
    } catch (error) {
      this.#handlerFailed(error);
    }
  }

  #handlerDone(): void {
    this.#inHand = null;
    this.#handlerBusy = false;
  }

  /** The event stays unhandled. */
  #handlerFailed(error: unknown): void {
    this.#handlerBusy = false;
    const consumed = this.#consumed;
    this.#consumed = null;
    this.#handler = null;
    consumed?.reject(error);
  }
}

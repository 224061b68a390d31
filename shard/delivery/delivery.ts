/**
 * Hands events to a handler that may fail: each one until it is handled.
 *
 * One event at a time, in order. A handler that throws, or that has not answered by its deadline, gets the same event
 * again after a wait that grows. Meanwhile the event counts as unhandled, so the saved session stays before it: whatever
 * dies, it comes again. Heartbeats know nothing of all this, they belong to the connection.
 */

import { isPromiseLike } from "../../ratelimit/unknown.ts";
import { Backoff } from "../../ratelimit/mod.ts";
import type { Numbered } from "../events/event_queue.ts";
import type { Platform } from "../pipe/platform.ts";
import { wait } from "../../ratelimit/wait.ts";

/** What a handler learns about the call it is in. */
export interface DeliveryAttempt {
  /** 1 at first; counted anew after a restart. */
  readonly attempt: number;
  /** Aborted when the attempt counts as failed, because of its deadline or because the shard stops. */
  readonly signal: AbortSignal;
}

/** Handles one event. It counts as handled when this returns, or when what it returns resolves. */
export type DeliveryHandler<Event> = (event: Event, attempt: DeliveryAttempt) => void | PromiseLike<void>;

/** Where an event goes that its handler cannot handle. */
export interface DeadLetter<Event> {
  /** After so many failed attempts. */
  readonly after: number;
  /** Takes the event in the handler's place. If it fails, it is called again. */
  readonly take: (event: Event, error: unknown) => void | PromiseLike<void>;
}

/** The event that the handler has failed on so far. */
export interface FailingEvent {
  /** The event's name. */
  readonly event: string;
  /** Its sequence number, `null` where it has none. */
  readonly sequence: number | null;
  /** Attempts that failed. */
  readonly attempts: number;
  /** What the last one failed of. */
  readonly error: unknown;
}

/** A handler did not answer in time. */
export class HandlerDeadlineError extends Error {
  /** The name of the class. */
  override readonly name = "HandlerDeadlineError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_HANDLER_DEADLINE";

  /** Made by the delivery. */
  constructor(deadlineMs: number) {
    super(`Cannot count the event as handled: the handler has to answer within ms: ${deadlineMs}`);
  }
}

/** The delivery was stopped while an event was in hand; the event stays unhandled. */
export class DeliveryStoppedError extends Error {
  /** The name of the class. */
  override readonly name = "DeliveryStoppedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_DELIVERY_STOPPED";

  /** Made by the delivery. */
  constructor() {
    super("Cannot handle the event: the delivery was stopped");
  }
}

/** What a {@linkcode Delivery} is made from. */
export interface DeliveryOptions<Event> {
  /** Gets the events. */
  readonly handler: DeliveryHandler<Event>;
  /** Where hopeless ones go; without it they are tried for ever. */
  readonly deadLetter?: DeadLetter<Event> | undefined;
  /** How long an attempt may take, in ms. */
  readonly deadlineMs: number;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** An event is handled; called before it is let go of. */
  readonly onHandled: () => void;
  /** An attempt failed. */
  readonly onFailure: (failing: FailingEvent) => void;
}

/** The longest wait before an event is tried again, in ms. */
const MAX_WAIT_MS = 30_000;
const FIRST_WAIT_MS = 500;

/** Delivers the events of one shard. */
export class Delivery<Event extends Numbered & { readonly t: string }> {
  readonly #options: DeliveryOptions<Event>;
  readonly #stopping = new AbortController();
  #stopsBetween = false;
  #handled = 0;
  #isBusy = false;
  #failures = 0;
  #failing: FailingEvent | null = null;

  /** Makes a delivery. */
  constructor(options: DeliveryOptions<Event>) {
    this.#options = options;
  }

  /** Events handled. */
  get handled(): number {
    return this.#handled;
  }

  /** Whether an event is in hand. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Attempts that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** The event that is being tried again, `null` where all goes well. */
  get failing(): FailingEvent | null {
    return this.#failing;
  }

  /** Ends the delivery now; the event in hand stays unhandled. */
  stop(): void {
    this.#stopping.abort(new DeliveryStoppedError());
  }

  /** Ends the delivery as soon as no attempt is under way. */
  stopBetweenAttempts(): void {
    this.#stopsBetween = true;
  }

  /**
   * Delivers one event, to be given to `Shard.run`. An arrow function: it is handed over alone.
   *
   * @throws {DeliveryStoppedError} The delivery was stopped.
   */
  readonly deliver = (event: Event): void | Promise<void> => {
    if (this.#isStopped) throw new DeliveryStoppedError();
    this.#isBusy = true;
    const attempt = new Attempt(1);
    let result: void | PromiseLike<void>;
    try {
      result = this.#options.handler(event, attempt);
    } catch (error) {
      return this.#untilHandled(event, error);
    }
    if (!isPromiseLike(result)) return this.#done();
    return this.#settled(result, attempt).then(
      () => this.#done(),
      (error) => this.#untilHandled(event, error),
    );
  };

  get #isStopped(): boolean {
    return this.#stopsBetween || this.#stopping.signal.aborted;
  }

  #done(): void {
    this.#failing = null;
    this.#isBusy = false;
    this.#handled++;
    this.#options.onHandled();
  }

  /** Everything after the first attempt. */
  async #untilHandled(event: Event, firstError: unknown): Promise<void> {
    const { handler, deadLetter, platform, onFailure } = this.#options;
    const backoff = new Backoff({
      random: () => 0.5 + platform.random() / 2,
      baseMs: FIRST_WAIT_MS,
      capMs: MAX_WAIT_MS,
    });
    let error = firstError;
    for (let attempts = 1;; attempts++) {
      if (this.#stopping.signal.aborted) throw new DeliveryStoppedError();
      this.#failures++;
      this.#failing = { event: event.t, sequence: event.s, attempts, error };
      onFailure(this.#failing);
      if (this.#isStopped) throw new DeliveryStoppedError();
      const isHopeless = deadLetter !== undefined && attempts >= deadLetter.after;
      // Who takes dead letters is asked at once; only what failed there, too, waits.
      if (!isHopeless || attempts > deadLetter.after) {
        await wait(backoff.next(), { clock: platform, signal: this.#stopping.signal });
      }
      if (this.#isStopped) throw new DeliveryStoppedError();
      const attempt = new Attempt(attempts + 1);
      try {
        const result = isHopeless ? deadLetter.take(event, error) : handler(event, attempt);
        if (isPromiseLike(result)) await this.#settled(result, attempt);
        return this.#done();
      } catch (reason) {
        error = reason;
      }
    }
  }

  /** Settles as the handler's answer does, or rejects at the deadline or the stop, whichever is first. */
  #settled(result: PromiseLike<void>, attempt: Attempt): Promise<void> {
    const { platform, deadlineMs } = this.#options;
    const { signal } = this.#stopping;
    return new Promise((resolve, reject) => {
      const giveUp = (error: unknown) => {
        settle();
        attempt.abort(error);
        reject(error);
      };
      const onStop = () => giveUp(signal.reason);
      const timer = deadlineMs < Infinity
        ? platform.setTimeout(() => giveUp(new HandlerDeadlineError(deadlineMs)), deadlineMs)
        : null;
      const settle = () => {
        if (timer !== null) platform.clearTimeout(timer);
        signal.removeEventListener("abort", onStop);
      };
      signal.addEventListener("abort", onStop);
      // The handler itself may have stopped the shard.
      if (signal.aborted) onStop();
      result.then(() => {
        settle();
        resolve();
      }, (error) => {
        settle();
        reject(error);
      });
    });
  }
}

/** Makes its signal only for a handler that looks at it. */
class Attempt implements DeliveryAttempt {
  readonly attempt: number;
  #controller: AbortController | null = null;
  #reason: unknown = null;

  constructor(attempt: number) {
    this.attempt = attempt;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#reason !== null) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#reason = reason;
    this.#controller?.abort(reason);
  }
}

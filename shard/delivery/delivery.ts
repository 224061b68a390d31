/**
 * Delivers events to a handler that may fail, each one until it is handled.
 *
 * One event at a time, in order. A handler that throws, or that has not settled by its deadline, is called again with the
 * same event after a growing wait. Meanwhile the event counts as unhandled, so the saved session stays before it: after a
 * crash Discord replays it. Heartbeats belong to the connection and continue.
 */

import { isPromiseLike } from "../../ratelimit/unknown.ts";
import { Backoff } from "../../ratelimit/mod.ts";
import type { Numbered } from "../events/event_queue.ts";
import type { Platform } from "../pipe/platform.ts";
import { Timer } from "../../ratelimit/timer.ts";
import { wait } from "../../ratelimit/wait.ts";

/** What a handler learns about the present call. */
export interface DeliveryAttempt {
  /** 1 at first; restarts at 1 after a restart of the process. */
  readonly attempt: number;
  /** Aborted when the attempt counts as failed, because of its deadline or because the shard stops. */
  readonly signal: AbortSignal;
}

/** Handles one event. It counts as handled when this returns, or when the returned promise resolves. */
export type DeliveryHandler<Event> = (event: Event, attempt: DeliveryAttempt) => void | PromiseLike<void>;

/** What happens to an event on which the handler keeps failing. */
export interface DeadLetter<Event> {
  /** The number of failed attempts after which `take` is called. */
  readonly after: number;
  /** Takes the event in place of the handler. If it fails, it is called again. */
  readonly take: (event: Event, error: unknown) => void | PromiseLike<void>;
}

/** The event on which the handler is failing. */
export interface FailingEvent {
  /** The event's name. */
  readonly event: string;
  /** Its sequence number; `null` if it has none. */
  readonly sequence: number | null;
  /** Failed attempts so far. */
  readonly attempts: number;
  /** The error of the last attempt. */
  readonly error: unknown;
}

/** A handler did not settle within its deadline. */
export class HandlerDeadlineError extends Error {
  /** The name of the class. */
  override readonly name = "HandlerDeadlineError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_HANDLER_DEADLINE";

  /** Made by the delivery. */
  constructor(deadlineMs: number) {
    super(`Cannot count the event as handled: the handler has to settle within ms: ${deadlineMs}`);
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

/** Options of a {@linkcode Delivery}. */
export interface DeliveryOptions<Event> {
  /** Receives the events. */
  readonly handler: DeliveryHandler<Event>;
  /** Takes events on which the handler keeps failing; without it they are retried without limit. */
  readonly deadLetter?: DeadLetter<Event> | undefined;
  /** How long an attempt may take, in ms; `Infinity` for no deadline. */
  readonly deadlineMs: number;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** Called when an event is handled, before `deliver` settles. */
  readonly onHandled: () => void;
  /** Called when an attempt has failed. */
  readonly onFailure: (failing: FailingEvent) => void;
}

/** The longest wait before an event is retried, in ms. */
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

  /** Delivers nothing yet. */
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

  /** Failed attempts. */
  get failures(): number {
    return this.#failures;
  }

  /** The event on which the handler is failing; `null` if there is none. */
  get failing(): FailingEvent | null {
    return this.#failing;
  }

  /** Ends the delivery now; the event in hand stays unhandled. */
  stop(): void {
    this.#stopping.abort(new DeliveryStoppedError());
  }

  /** Ends the delivery as soon as no attempt is in progress. */
  stopBetweenAttempts(): void {
    this.#stopsBetween = true;
  }

  /**
   * Delivers one event. An arrow function, since it is passed to `Shard.run` without its object.
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
      // The dead letter is taken at once; only a retry of `take` waits.
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

  /** Settles as the handler's promise does, or rejects at the deadline or at the stop, whichever comes first. */
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
      const timer = new Timer(platform);
      timer.set(deadlineMs, () => giveUp(new HandlerDeadlineError(deadlineMs)));
      const settle = () => {
        timer.clear();
        signal.removeEventListener("abort", onStop);
      };
      signal.addEventListener("abort", onStop);
      // The handler may have stopped the shard itself.
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

/** Creates its signal only for a handler that reads it. */
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

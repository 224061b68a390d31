/**
 * Time that only moves when a test says so.
 *
 * A {@linkcode VirtualClock} is the {@linkcode Platform} of a simulation: `now()` stands still until
 * {@linkcode VirtualClock.advance} or {@linkcode VirtualClock.runUntil} steps it from one armed timer to the next.
 * Between two steps everything that is ready gets to run (promise chains of any length, stream hops), so that no time
 * passes while somebody still has work to do. Hours take milliseconds, and the same seed gives the same run.
 *
 * What takes real time (files, sockets, child processes) is not waited for, unless it is held.
 */

import type { Platform } from "../../../shard/pipe/platform.ts";

/** A timer that has been armed and has not fired. */
interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** So many timers at one and the same instant can only be one that arms itself again without a delay. */
const MAX_FIRED_AT_ONE_INSTANT = 100_000;

/** How far {@linkcode VirtualClock.runUntil} goes unless told, in ms. */
const DEFAULT_LIMIT_MS = 3_600_000;

/** How a {@linkcode VirtualClock} starts. */
export interface VirtualClockOptions {
  /** The seed of `random()`: the same seed gives the same numbers. @default {1} */
  readonly seed?: number;
  /** What `now()` says at first, in ms. @default {0} */
  readonly start?: number;
}

/**
 * A clock, timers and randomness in the hands of a test.
 *
 * @example
 * ```ts
 * import { VirtualClock } from "@discordgateway/edge/testing";
 *
 * const clock = new VirtualClock();
 * const fired: number[] = [];
 * clock.setTimeout(() => fired.push(clock.now()), 41_250);
 * await clock.advance(60_000);
 * if (fired.join() !== "41250" || clock.now() !== 60_000) throw new Error("unexpected");
 * ```
 */
export class VirtualClock implements Platform {
  #now: number;
  #seed: number;
  #timers: Timer[] = [];
  #stepping = false;
  #held: Promise<{ readonly error: unknown } | null>[] = [];

  /**
   * Makes a clock that stands still.
   *
   * @throws {RangeError} If the start is not a finite number.
   */
  constructor(options: VirtualClockOptions = {}) {
    const { seed = 1, start = 0 } = options;
    if (!Number.isFinite(start)) {
      throw new RangeError(`Cannot make a clock: the start must be a number: ${start}`);
    }
    this.#now = start;
    this.#seed = seed | 0;
  }

  /** The present in ms; it stands still until the clock is advanced. */
  now(): number {
    return this.#now;
  }

  /** Arms a timer; it fires when the clock is advanced past its time. */
  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer: Timer = { at: this.#now + (delayMs > 0 ? delayMs : 0), callback };
    // Usually the newest timer is among the latest, and timers of one instant fire in the order of their arming.
    let index = this.#timers.length;
    while (index > 0 && this.#timers[index - 1]!.at > timer.at) index--;
    this.#timers.splice(index, 0, timer);
    return timer;
  }

  /** Takes back a timer; one that has fired already is ignored. */
  clearTimeout(timer: unknown): void {
    const index = this.#timers.indexOf(timer as Timer);
    if (index !== -1) this.#timers.splice(index, 1);
  }

  /** The next number in [0, 1) of the seeded sequence. */
  random(): number {
    // mulberry32: 32 bits of state, plenty for jitter.
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), this.#seed | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /**
   * Makes time stand still until something is done that takes real time, such as cryptography: an advance waits for it
   * before it goes on to the next timer, and fails if that fails.
   */
  hold(work: Promise<unknown>): void {
    this.#held.push(work.then(() => null, (error) => ({ error })));
  }

  /** How many timers are armed: 0 when nothing is left behind. */
  get pending(): number {
    return this.#timers.length;
  }

  /**
   * Lets `ms` milliseconds pass, stepping to each timer on the way; everything ready runs before, between and after.
   *
   * An error thrown by a timer's callback ends the advance with it.
   *
   * @throws {RangeError} If `ms` is negative or not a number.
   * @throws {TypeError} If the clock is being advanced already.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError(`Cannot advance: the time must not be negative: ${ms}`);
    await this.#exclusively(async () => {
      const target = this.#now + ms;
      await this.#settle();
      while (await this.#step(target));
      this.#now = target;
    });
  }

  /**
   * Steps from timer to timer until `condition` holds; returns at once if it holds already.
   *
   * @throws {Error} If the condition does not hold within `limitMs` (default one hour) or no timer is left.
   * @throws {TypeError} If the clock is being advanced already.
   */
  async runUntil(condition: () => boolean, options: { limitMs?: number } = {}): Promise<void> {
    const { limitMs = DEFAULT_LIMIT_MS } = options;
    await this.#exclusively(async () => {
      const start = this.#now;
      await this.#settle();
      while (!condition()) {
        if (await this.#step(start + limitMs)) continue;
        const next = this.#timers[0];
        const why = next ? `the next timer is due only at ${next.at} ms` : "no timer is armed";
        throw new Error(
          `Cannot run until the condition holds: it did not within ${limitMs} ms from ${start} ms, and ${why}: ` +
            condition.toString().slice(0, 200),
        );
      }
    });
  }

  #firedAt = NaN;
  #firedHere = 0;

  /** Fires the first timer due by `target` and lets everything run; `false` if there is none. */
  async #step(target: number): Promise<boolean> {
    const timer = this.#timers[0];
    if (!timer || timer.at > target) return false;
    this.#timers.shift();
    this.#firedHere = timer.at === this.#firedAt ? this.#firedHere + 1 : 1;
    this.#firedAt = timer.at;
    if (this.#firedHere > MAX_FIRED_AT_ONE_INSTANT) {
      throw new Error(`Cannot advance: a timer without delay arms itself for ever: ${timer.at} ms`);
    }
    this.#now = Math.max(this.#now, timer.at);
    timer.callback();
    await this.#settle();
    return true;
  }

  /** Everything that is ready runs, and what is held is done. */
  async #settle(): Promise<void> {
    await settle();
    while (this.#held.length > 0) {
      const failed = (await Promise.all(this.#held.splice(0))).find((failure) => failure !== null);
      if (failed) throw failed.error;
      await settle();
    }
  }

  async #exclusively(run: () => Promise<void>): Promise<void> {
    if (this.#stepping) throw new TypeError("Cannot advance: the clock is being advanced already");
    this.#stepping = true;
    try {
      await run();
    } finally {
      this.#stepping = false;
    }
  }
}

// Taken now: a test that replaces the timers must not stop this clock.
const setTimeoutHere = globalThis.setTimeout;
const { MessageChannel: MessageChannelHere }: {
  /** There everywhere, so that the type has something in common with what it is read from. */
  readonly globalThis: unknown;
  readonly MessageChannel?: unknown;
} = globalThis;

const { setImmediate: setImmediateHere }: {
  readonly globalThis: unknown;
  readonly setImmediate?: (callback: () => void) => unknown;
} = globalThis;

/** The part of a `MessagePort` that is used; the runtimes' own declarations differ. */
interface Port {
  onmessage: (() => void) | null;
  postMessage(message: null): void;
  close(): void;
}

function isChannel(value: unknown): value is new () => { readonly port1: Port; readonly port2: Port } {
  return typeof value === "function";
}

/** Whether a message arrives by a task of its own; not everywhere: workerd delivers it among the promises. */
let messagesAreTasks: boolean | null = null;

/** Resolves once every promise that is ready, and everything that follows from it, has run. */
async function settle(): Promise<void> {
  messagesAreTasks ??= await messageDrainsPromises();
  // The job queue is empty at the start of a task: one hop drains promise chains of any length.
  await nextTask();
  // Some runtimes resume a stream or a message port by a task of its own.
  await nextTask();
}

/** Unlike a timer of 0 ms, which takes a real one, a message takes microseconds. */
function nextTask(): Promise<void> {
  // After cryptography, Deno's message ports come back before the job queue is empty.
  if (setImmediateHere !== undefined) return new Promise((resolve) => void setImmediateHere(resolve));
  return messagesAreTasks ? nextMessage() : new Promise((resolve) => void setTimeoutHere(resolve, 0));
}

function nextMessage(): Promise<void> {
  return new Promise((resolve) => {
    // At once, and so not by a task.
    if (!isChannel(MessageChannelHere)) return resolve();
    const { port1, port2 } = new MessageChannelHere();
    // Closed: an open port keeps a process.
    port1.onmessage = () => {
      port1.close();
      port2.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

async function messageDrainsPromises(): Promise<boolean> {
  let drained = false;
  const chain = async () => {
    for (let link = 0; link < 100; link++) await null;
    drained = true;
  };
  void chain();
  await nextMessage();
  return drained;
}

/**
 * The lightest clock a shard can run on: timers fire synchronously and promises get a fixed number of turns, so that a
 * story costs milliseconds. Unlike `VirtualClock` it misbehaves on demand: it leaps and goes back.
 *
 * There are two times. `true` time is the server's, only rises, and is what timers count. `now()` is what the client
 * reads; it lags behind by as much as it was ever set back.
 */

import type { Platform } from "../../../shard/pipe/platform.ts";

/** Timers fire on multiples of this, in ms: sums of such numbers are exact, so no timer ever fires a rounding too early. */
const GRAIN_MS = 1 / 64;

/** A chain of promises as long as a reconnect's is done after so many turns. */
const TURNS = 40;

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export class LeapingClock implements Platform {
  readonly #random: number;
  #trueNow = 0;
  #lagMs = 0;
  #wokeAt = -Infinity;
  #timers: Timer[] = [];

  /** `random()` always says the same. */
  constructor(random: number) {
    this.#random = random;
  }

  /** The server's time. */
  get trueNow(): number {
    return this.#trueNow;
  }

  /** How many timers are armed. */
  get pending(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#trueNow - this.#lagMs;
  }

  random(): number {
    return this.#random;
  }

  setTimeout(callback: () => void, delayMs: number): unknown {
    const timer = { at: this.#trueNow + inGrains(Math.max(0, delayMs)), callback };
    let index = this.#timers.length;
    while (index > 0 && this.#timers[index - 1]!.at > timer.at) index--;
    this.#timers.splice(index, 0, timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    const index = this.#timers.indexOf(timer as Timer);
    if (index !== -1) this.#timers.splice(index, 1);
  }

  /** Lets time pass, from timer to timer. */
  async pass(ms: number): Promise<void> {
    const until = inGrains(this.#trueNow + ms);
    await this.settle();
    for (let fired = 0;; fired++) {
      const timer = this.#timers[0];
      if (timer === undefined || timer.at > until) break;
      if (fired > 100_000) throw new Error(`A timer arms itself for ever: ${this.#trueNow}`);
      this.#timers.shift();
      this.#trueNow = Math.max(this.#trueNow, timer.at);
      timer.callback();
      await this.settle();
    }
    this.#trueNow = until;
  }

  /** The machine sleeps: time passes and no timer fires; the ones that are overdue fire after it. */
  leap(ms: number): Promise<void> {
    this.#trueNow = inGrains(this.#trueNow + ms);
    this.#wokeAt = this.#trueNow;
    return this.pass(0);
  }

  /** When the machine last woke up from a sleep, as a clock that was never set back since would have shown it. */
  get wokeAt(): number {
    return this.#wokeAt - this.#lagMs;
  }

  /** `now()` is set back. */
  goBack(ms: number): void {
    this.#lagMs += inGrains(ms);
  }

  /** Lets promises run, and what follows from them. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await null;
  }
}

function inGrains(ms: number): number {
  return Math.ceil(ms / GRAIN_MS) * GRAIN_MS;
}

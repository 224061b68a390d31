/** A timer for one purpose: at most one callback waits for its time. */

import type { Clock } from "./clock.ts";

/** Calls back once, unless it is set anew or cleared before. */
export class Timer {
  readonly #clock: Clock;
  #handle: unknown = null;

  /** Not set. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a callback waits. */
  get isSet(): boolean {
    return this.#handle !== null;
  }

  /** Calls back after so many ms, in place of what was set before; after `Infinity` never. */
  set(delayMs: number, callback: () => void): void {
    this.clear();
    if (delayMs === Infinity) return;
    this.#handle = this.#clock.setTimeout(() => {
      this.#handle = null;
      callback();
    }, Math.max(0, delayMs));
  }

  /** Takes back what was set. */
  clear(): void {
    if (this.#handle !== null) this.#clock.clearTimeout(this.#handle);
    this.#handle = null;
  }
}

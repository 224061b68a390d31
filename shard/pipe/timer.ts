/** The timer of a connection's loop. */

import { Timer } from "../../ratelimit/timer.ts";
import type { Platform } from "./platform.ts";

/** A timer that fires this late (ms) shows that the process was stalled: frames may wait to be read. */
const STALLED_MS = 1_000;
/** How long the loop waits for such frames, in ms. */
const CATCH_UP_MS = 50;

/** Wakes its loop at the earliest instant that was set. */
export class WakeTimer {
  readonly #platform: Platform;
  readonly #wake: () => void;
  readonly #timer: Timer;
  #wakeAt = Infinity;

  /** Nothing is due. */
  constructor(platform: Platform, wake: () => void) {
    this.#platform = platform;
    this.#timer = new Timer(platform);
    this.#wake = wake;
  }

  /** When it wakes, in ms; `Infinity` while nothing is due. */
  get at(): number {
    return this.#wakeAt;
  }

  /**
   * Something is due at an instant; `-Infinity` is at once. If a deadline moves to a later time, the timer fires early and
   * is set again: cheaper than setting it anew for every frame.
   */
  wakeAt(at: number): void {
    if (at >= this.#wakeAt) return;
    this.#set(at, () => {
      const lateMs = at === -Infinity ? 0 : this.#platform.now() - at;
      if (lateMs < STALLED_MS) return this.#fire();
      this.#set(this.#platform.now() + CATCH_UP_MS, () => this.#fire());
      // A frame must not cut this wait short: more frames may wait behind it.
      this.#wakeAt = at;
    });
  }

  /** Stops the timer. */
  stop(): void {
    this.#timer.clear();
  }

  #set(at: number, callback: () => void): void {
    this.#wakeAt = at;
    this.#timer.set(at - this.#platform.now(), callback);
  }

  #fire(): void {
    this.#wakeAt = Infinity;
    this.#wake();
  }
}

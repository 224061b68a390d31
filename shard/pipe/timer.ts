/** The one timer that a connection's loop sleeps on. */

import { Timer } from "../../ratelimit/timer.ts";
import type { Platform } from "./platform.ts";

/** A timer this late (ms) fired because the process was stalled: frames may be waiting behind it. */
const STALLED_MS = 1_000;
/** How long frames that wait behind a stall get to come in, in ms. */
const CATCH_UP_MS = 50;

/** Wakes its loop at the earliest instant that it was told. */
export class WakeTimer {
  readonly #platform: Platform;
  readonly #wake: () => void;
  readonly #timer: Timer;
  #wakeAt = Infinity;

  /** Sleeps. */
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
   * Something is due at an instant; `-Infinity` is at once. A deadline that moved away is found out when the timer fires:
   * cheaper than setting it anew for every frame.
   */
  wakeAt(at: number): void {
    if (at >= this.#wakeAt) return;
    this.#set(at, () => {
      const lateMs = at === -Infinity ? 0 : this.#platform.now() - at;
      if (lateMs < STALLED_MS) return this.#fire();
      this.#set(this.#platform.now() + CATCH_UP_MS, () => this.#fire());
      // What is overdue already is not made more urgent by a frame: others wait behind it.
      this.#wakeAt = at;
    });
  }

  /** Nothing is due any more. */
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

/** The one timer of a fake: for the earliest deadline of all its connections. */

import type { Platform } from "../../../shard/pipe/platform.ts";

/** A timer that is so much too late shows that the whole process was stalled, in ms. */
const STALLED_MS = 250;
/** How long what has arrived meanwhile may take to be read, in ms. */
const CATCH_UP_MS = 50;

/** Rings at the earliest instant that it was given. One that is too early is harmless, and cheaper than one per frame. */
export class DueTimer {
  readonly #clock: Platform;
  readonly #ring: () => void;
  #set: { readonly at: number; readonly handle: unknown } | null = null;

  /** Not set. */
  constructor(clock: Platform, ring: () => void) {
    this.#clock = clock;
    this.#ring = ring;
  }

  /** Something is due at this instant; `Infinity`: nothing is. */
  arm(at: number): void {
    if (this.#set && at !== Infinity && this.#set.at <= at) return;
    if (this.#set) this.#clock.clearTimeout(this.#set.handle);
    this.#set = at === Infinity ? null : { at, handle: this.#timerFor(at) };
  }

  #timerFor(at: number): unknown {
    const clock = this.#clock;
    const ring = () => {
      this.#set = null;
      this.#ring();
    };
    return clock.setTimeout(() => {
      if (clock.now() - at < STALLED_MS) return ring();
      // The process was stalled. The frames in its sockets are read before a client counts as silent.
      this.#set = { at, handle: clock.setTimeout(ring, CATCH_UP_MS) };
    }, at - clock.now());
  }
}

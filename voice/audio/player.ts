/**
 * Frames of a source, each at its time.
 *
 * The timeline is a grid: slot n is due at start + n × 20 ms, however long the slots before it took, so there is no
 * drift. One frame takes one slot. What can go wrong with that:
 *
 * - *The process stalls.* Frames that are late go out a few at a time, a moment apart, until the grid is caught up with.
 *   Frames later than half a second are useless: the slots that have passed are skipped.
 * - *The source stalls.* The player waits for a short while. Then it sends silence, as at the end, and a frame that comes
 *   later takes the next slot.
 * - *Nothing may be sent*, because there are no keys or there is no connection. The source is not read, and its slots pass,
 *   up to a deadline.
 *
 * Slots that pass without a frame count in the packets' timestamps, so that these do not drift either.
 */

import type { Clock } from "../../ratelimit/clock.ts";
import { Timer } from "../../ratelimit/timer.ts";
import { wait } from "../../ratelimit/wait.ts";
import type { Awaitable } from "../media/aead_interface.ts";
import { SILENCE_FRAME } from "../dave/frame.ts";
import { FrameSource } from "./frame_source.ts";

/** Where frames go to. */
export interface Outlet {
  /** Whether frames may leave now. When that changes, {@linkcode Player.wake} is to be called. */
  readonly open: boolean;
  /** Sends a frame in the next slot of the packets' time. */
  send(frame: Uint8Array): Awaitable<void>;
  /** Slots pass without a frame. */
  skip(slots: number): void;
  /** Sends that speech begins, or has ended. */
  speaks(speaks: boolean): void;
}

/** What a player is made from. */
export interface PlayerOptions {
  /** Opus frames of 20 ms. */
  readonly source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** Where they go to. */
  readonly outlet: Outlet;
  /** Keeps the time. */
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** How long the outlet may be closed without a break, in ms. */
  readonly deadlineMs: number;
  /** The error when it was closed for too long. */
  tooLong(): Error;
}

/** The length of a frame, in ms. */
export const FRAME_MS = 20;
/** Silence that ends a burst of speech, in frames. */
export const SILENCE_FRAMES = 5;
/** Late frames that leave at once. */
const MAX_BURST = 3;
/** The pause between two bursts, in ms. */
const BURST_PAUSE_MS = 5;
/** Frames later than this are skipped, in ms. */
const MAX_LATE_MS = 500;
/** How long to wait for a source that has no frame, in ms. */
const PATIENCE_MS = 100;

const SILENCE = Uint8Array.from(SILENCE_FRAME);

/** What a player waits for besides the time. */
type Wanted = "end" | "frame" | "outlet";

/** Plays one source to its end. */
export class Player {
  readonly #options: PlayerOptions;
  readonly #source: FrameSource;
  readonly #timer: Timer;
  /** When slot 0 was due, in ms. */
  #start = 0;
  /** The next slot. */
  #slot = 0;
  #speaks = false;
  #waiting: { readonly wanted: Wanted; wake(): void } | null = null;

  /** Reads nothing yet. */
  constructor(options: PlayerOptions) {
    this.#options = options;
    this.#timer = new Timer(options.clock);
    this.#source = new FrameSource(options.source, () => {
      if (this.#source.over || this.#waiting?.wanted === "frame") this.#waiting?.wake();
    });
  }

  /** The outlet has opened or closed. */
  wake(): void {
    if (this.#waiting?.wanted === "outlet") this.#waiting.wake();
  }

  /**
   * Plays, and resolves when the last silence was sent.
   *
   * @throws What the source throws, the signal's reason, or what `tooLong` gives; the silence is sent then as well, if it
   * can be.
   */
  async run(): Promise<void> {
    const { clock, signal } = this.#options;
    const onAbort = () => this.#source.stop(signal.reason);
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    try {
      this.#source.start();
      await this.#untilOpen();
      await this.#untilFilled(Infinity);
      this.#start = clock.now();
      await this.#play();
    } finally {
      this.#source.stop(null);
      await this.#hush();
      signal.removeEventListener("abort", onAbort);
    }
  }

  async #play(): Promise<void> {
    const { clock, outlet } = this.#options;
    let burst = 0;
    while (!this.#source.over) {
      if (!outlet.open) {
        await this.#untilOpen();
        this.#giveUpSlots();
        continue;
      }
      const earlyMs = this.#dueAt - clock.now();
      if (-earlyMs > MAX_LATE_MS) {
        this.#giveUpSlots();
      } else if (earlyMs > 0 || burst === MAX_BURST) {
        burst = 0;
        await this.#wait("end", Math.max(earlyMs, BURST_PAUSE_MS));
      } else {
        burst++;
        await this.#playNext();
      }
    }
    this.#source.check();
  }

  async #playNext(): Promise<void> {
    const frame = this.#source.take();
    if (frame === null) return await this.#starve();
    this.#say(true);
    await this.#send(frame);
  }

  /** The source has nothing, though it is time. */
  async #starve(): Promise<void> {
    await this.#untilFilled(PATIENCE_MS);
    if (this.#source.over || this.#source.filled) return;
    await this.#hush();
    await this.#untilFilled(Infinity);
    this.#giveUpSlots();
  }

  /** Sends silence, if speech was sent before. */
  async #hush(): Promise<void> {
    const { clock, outlet } = this.#options;
    if (!this.#speaks) return;
    this.#giveUpSlots();
    for (let frames = 0; frames < SILENCE_FRAMES && outlet.open; frames++) {
      for (let earlyMs = this.#dueAt - clock.now(); earlyMs > 0; earlyMs = this.#dueAt - clock.now()) {
        await wait(earlyMs, { clock });
      }
      if (outlet.open) await this.#send(SILENCE);
    }
    this.#say(false);
  }

  async #send(frame: Uint8Array): Promise<void> {
    this.#slot++;
    // Awaited even where it is no promise: a source in memory must not starve other tasks.
    await this.#options.outlet.send(frame);
  }

  #say(speaks: boolean): void {
    if (this.#speaks === speaks) return;
    this.#speaks = speaks;
    this.#options.outlet.speaks(speaks);
  }

  get #dueAt(): number {
    return this.#start + this.#slot * FRAME_MS;
  }

  /** Skips to the first slot that has not passed. */
  #giveUpSlots(): void {
    const { clock, outlet } = this.#options;
    const passed = Math.ceil((clock.now() - this.#dueAt) / FRAME_MS);
    if (passed <= 0) return;
    this.#slot += passed;
    outlet.skip(passed);
  }

  async #untilOpen(): Promise<void> {
    const { clock, outlet, deadlineMs, tooLong } = this.#options;
    const until = clock.now() + deadlineMs;
    while (!outlet.open && !this.#source.over) {
      if (clock.now() >= until) throw tooLong();
      await this.#wait("outlet", until - clock.now());
    }
  }

  /** Waits until the source has a frame, has ended, or patience ends. */
  async #untilFilled(patienceMs: number): Promise<void> {
    if (!this.#source.filled && !this.#source.over) await this.#wait("frame", patienceMs);
  }

  /** Waits for a time, or until what is wanted happens; the end of the source always wakes. */
  async #wait(wanted: Wanted, ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = () => {
        this.#waiting = null;
        this.#timer.clear();
        resolve();
      };
      this.#waiting = { wanted, wake };
      this.#timer.set(ms, wake);
    });
  }
}

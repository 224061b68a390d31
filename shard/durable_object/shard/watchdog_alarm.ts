/**
 * The alarm that brings a hosted shard back: the one thing that outlives its object.
 *
 * There has to be one for as long as the shard is to run. One that could not be set is tried again by a timer, since
 * without it the next death would be the last.
 */

import { wait } from "../../../ratelimit/wait.ts";
import type { DurableObjectStorageLike } from "../object_state.ts";
import type { Platform } from "../../pipe/platform.ts";

/** An alarm that could not be set is tried again after so many ms. */
const REARM_MS = 1_000;
/** So often: an alarm's delivery may take 15 minutes. */
const REARM_ATTEMPTS = 600;

/** What a {@linkcode WatchdogAlarm} is made from. */
export interface WatchdogAlarmOptions {
  /** The object's storage. */
  readonly storage: DurableObjectStorageLike;
  /** Timers. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
  /** Time between two alarms, in ms. */
  readonly everyMs: number;
  /** Whether there has to be one. */
  readonly isWanted: () => boolean;
  /** It could not be set. */
  readonly onError: (error: unknown) => void;
}

/** Sets an object's alarm, over and over. */
export class WatchdogAlarm {
  readonly #options: WatchdogAlarmOptions;

  /** Sets nothing yet. */
  constructor(options: WatchdogAlarmOptions) {
    this.#options = options;
  }

  /** Sets the next one. Rejects with what the storage failed of. */
  set(): Promise<void> {
    const { storage, wallClock, everyMs } = this.#options;
    return storage.setAlarm(wallClock() + everyMs);
  }

  /** Takes it back. Rejects with what the storage failed of. */
  delete(): Promise<void> {
    return this.#options.storage.deleteAlarm();
  }

  /** Sets the next one. `false` if it could not be set. */
  async arm(): Promise<boolean> {
    try {
      await this.set();
      return true;
    } catch (error) {
      this.#options.onError(error);
      return false;
    }
  }

  /** Tries until it is set. */
  async armPatiently(): Promise<void> {
    const { platform, isWanted } = this.#options;
    for (let attempt = 0; attempt < REARM_ATTEMPTS && isWanted(); attempt++) {
      await wait(REARM_MS, { clock: platform });
      if (isWanted() && await this.arm()) return;
    }
  }

  /**
   * Sets it where there is none. Were it set in any case, a constructor that runs because of an alarm would push that
   * alarm away.
   */
  async armIfMissing(): Promise<void> {
    const { storage, isWanted, onError } = this.#options;
    try {
      const isMissing = await storage.getAlarm() === null;
      if (isMissing && isWanted() && !await this.arm()) await this.armPatiently();
    } catch (error) {
      onError(error);
    }
  }
}

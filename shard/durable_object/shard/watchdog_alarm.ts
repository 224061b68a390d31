/**
 * The alarm that restarts a hosted shard's object: it survives the object.
 *
 * An alarm has to be set as long as the shard has to run. Without one, nothing would start the next incarnation; so a
 * failure to set it is retried by a timer.
 */

import { wait } from "../../../ratelimit/wait.ts";
import type { DurableObjectStorageLike } from "../object_state.ts";
import type { Platform } from "../../pipe/platform.ts";

/** Time between two attempts to set an alarm, in ms. */
const REARM_MS = 1_000;
/** The attempts take ten minutes at most; the delivery of an alarm may take 15. */
const REARM_ATTEMPTS = 600;

/** Options of a {@linkcode WatchdogAlarm}. */
export interface WatchdogAlarmOptions {
  /** The object's storage. */
  readonly storage: DurableObjectStorageLike;
  /** Timers. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
  /** Time between two alarms, in ms. */
  readonly everyMs: number;
  /** Whether an alarm has to be set. */
  readonly isWanted: () => boolean;
  /** Called when the alarm could not be set. */
  readonly onError: (error: unknown) => void;
}

/** Sets an object's alarm, again and again. */
export class WatchdogAlarm {
  readonly #options: WatchdogAlarmOptions;

  /** Sets no alarm yet. */
  constructor(options: WatchdogAlarmOptions) {
    this.#options = options;
  }

  /** Sets the next alarm. Rejects with the storage's error. */
  set(): Promise<void> {
    const { storage, wallClock, everyMs } = this.#options;
    return storage.setAlarm(wallClock() + everyMs);
  }

  /** Deletes the alarm. Rejects with the storage's error. */
  delete(): Promise<void> {
    return this.#options.storage.deleteAlarm();
  }

  /** Sets the next alarm. `false` if it could not be set. */
  async arm(): Promise<boolean> {
    try {
      await this.set();
      return true;
    } catch (error) {
      this.#options.onError(error);
      return false;
    }
  }

  /** Retries until the alarm is set. */
  async armPatiently(): Promise<void> {
    const { platform, isWanted } = this.#options;
    for (let attempt = 0; attempt < REARM_ATTEMPTS && isWanted(); attempt++) {
      await wait(REARM_MS, { clock: platform });
      if (isWanted() && await this.arm()) return;
    }
  }

  /**
   * Sets the alarm if there is none. If it were set unconditionally, a constructor that runs for an alarm would replace
   * that same alarm.
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

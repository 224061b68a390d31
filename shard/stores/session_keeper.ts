/**
 * Decides when a session's record is written to its store.
 *
 * A new session is written at once: without its record the next start would cost an identify. Its sequence moves with
 * every event, and is written only so often: a record that lags behind costs some replayed events after a crash, and
 * loses none. Whatever is not written yet is written at the end.
 */

import { isPromiseLike } from "../../ratelimit/unknown.ts";
import { Timer } from "../../ratelimit/timer.ts";
import type { SessionRecord } from "../../gateway/mod.ts";
import type { Clock } from "../../ratelimit/clock.ts";
import { type SessionStore, SessionStoreError } from "./session_store.ts";

/** How often the sequence is written, in ms, unless another pace is given. */
export const DEFAULT_SAVE_EVERY_MS = 5_000;

/** How long a session whose number is new may go unnoticed where nobody tells, in ms. */
const LOOK_EVERY_MS = 1_000;

/** What a {@linkcode SessionKeeper} is made from. */
export interface SessionKeeperOptions {
  /** The record as it is now. */
  readonly record: () => SessionRecord | null;
  /** What the store holds already. */
  readonly saved: SessionRecord | null;
  /** Where to. */
  readonly store: SessionStore;
  /** Time between two writes of the sequence, in ms. */
  readonly saveEveryMs: number;
  /** Clock and timers. */
  readonly clock: Clock;
  /** Told of each write that failed; it is repeated. */
  readonly onError: (error: SessionStoreError) => void;
}

/** Keeps a store up to date with one shard. */
export class SessionKeeper {
  readonly #options: SessionKeeperOptions;
  #saved: SessionRecord | null;
  #attemptedAt: number;
  #writing: Promise<void> | null = null;
  #error: SessionStoreError | null = null;
  readonly #timer: Timer;
  #writes = 0;

  /** Makes a keeper that does nothing by itself before {@linkcode SessionKeeper.start}. */
  constructor(options: SessionKeeperOptions) {
    this.#options = options;
    this.#timer = new Timer(options.clock);
    this.#saved = options.saved;
    this.#attemptedAt = options.clock.now();
  }

  /** What the last write failed of; `null` once one went through. */
  get error(): SessionStoreError | null {
    return this.#error;
  }

  /** What the store holds. */
  get saved(): SessionRecord | null {
    return this.#saved;
  }

  /** How often the store was written to. */
  get writes(): number {
    return this.#writes;
  }

  /** Looks again and again, on one timer: for whoever cannot tell when something moves. */
  start(): void {
    if (this.#timer.isSet) return;
    const look = () => {
      this.#timer.set(Math.min(this.#options.saveEveryMs, LOOK_EVERY_MS), look);
      this.check();
    };
    look();
  }

  /** Something has moved: it is written when it is time, and another session at once. */
  touch(): void {
    const { clock, saveEveryMs } = this.#options;
    this.check();
    if (saveEveryMs === 0 || this.#timer.isSet) return;
    this.#timer.set(this.#attemptedAt + saveEveryMs - clock.now(), () => {
      this.check();
      // Nobody else would come back to what has failed.
      if (this.#error) this.touch();
    });
  }

  /** Looks no more. */
  stop(): void {
    this.#timer.clear();
  }

  /** Writes what has to be written by now: another session at once, another sequence if it is time. */
  check(): void {
    if (this.#writing) return;
    const { record, clock, saveEveryMs } = this.#options;
    const now = clock.now();
    const isDue = now - this.#attemptedAt >= saveEveryMs;
    // A write that failed is repeated at its pace, whatever it is about.
    if (isDue || this.#error === null && record()?.sessionId !== this.#saved?.sessionId) this.#write(now);
  }

  /**
   * Writes what is not written yet.
   *
   * @throws {SessionStoreError} It could not be written.
   */
  async flush(): Promise<void> {
    // What is under way may be older than what there is now.
    while (this.#writing) await this.#writing;
    this.#write(this.#options.clock.now());
    while (this.#writing) await this.#writing;
    if (this.#error) throw this.#error;
  }

  #write(now: number): void {
    const { store } = this.#options;
    const record = this.#options.record();
    if (isSame(record, this.#saved)) {
      this.#error = null;
      return;
    }
    this.#attemptedAt = now;
    try {
      const result = record === null ? store.clear() : store.save(record);
      if (!isPromiseLike(result)) return this.#written(record);
      const writing = Promise.resolve(result).then(
        () => this.#written(record),
        (cause) => this.#failed(record, cause),
      ).finally(() => this.#writing = null);
      this.#writing = writing;
    } catch (cause) {
      this.#failed(record, cause);
    }
  }

  #written(record: SessionRecord | null): void {
    this.#writes++;
    this.#saved = record;
    this.#error = null;
  }

  #failed(record: SessionRecord | null, cause: unknown): void {
    const message = record === null
      ? "Cannot clear the session: the store failed"
      : `Cannot save the session: the store failed: sequence ${record.sequence}`;
    this.#error = new SessionStoreError(message, { code: "ERR_SESSION_STORE_FAILED", cause });
    try {
      this.#options.onError(this.#error);
    } catch (error) {
      // It was told and could not bear it. The error stays, and comes out of the flush.
      this.#error.cause ??= error;
    }
  }
}

function isSame(one: SessionRecord | null, other: SessionRecord | null): boolean {
  return one?.sessionId === other?.sessionId && one?.sequence === other?.sequence &&
    one?.resumeGatewayUrl === other?.resumeGatewayUrl;
}

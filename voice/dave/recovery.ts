/**
 * When to ask to be added to the group again.
 *
 * After a first failure at once. But the server's response may fail as well, and asking again without a pause would loop
 * between the two. So a pause follows each attempt, and doubles from one to the next, until the group gives keys.
 */

/** The pause after the first attempt, in ms. */
const FIRST_PAUSE_MS = 1_000;
/** The longest pause, in ms. */
const MAX_PAUSE_MS = 30_000;

/** A commit or welcome that this client could not follow. */
export interface DaveFailure {
  /** The transition that it belongs to. */
  readonly transitionId: number;
  /** Why. */
  readonly error: Error;
}

/** The attempts to get back into a group. */
export class DaveRecovery {
  /** Attempts since something last gave keys. */
  #attempts = 0;
  /** When the pause after the last attempt ends. */
  #pausedUntil = -Infinity;
  #waiting: DaveFailure | null = null;

  /** When {@linkcode due} gives a failure, in ms; `Infinity` if none waits. */
  get at(): number {
    return this.#waiting === null ? Infinity : this.#pausedUntil;
  }

  /** A commit or welcome failed. {@linkcode due} says when to ask. */
  failed(failure: DaveFailure): void {
    this.#waiting = failure;
  }

  /** The failure to ask for now, or `null`; the pause begins with it. */
  due(now: number): DaveFailure | null {
    const failure = this.#waiting;
    if (failure === null || now < this.#pausedUntil) return null;
    this.#waiting = null;
    this.#pausedUntil = now + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempts++);
    return failure;
  }

  /** A group begins for another reason, which asks for the same: no failure waits any more. */
  begun(): void {
    this.#waiting = null;
  }

  /** The group gave keys, or there is a new session: the next failure is a first one. */
  reset(): void {
    this.#attempts = 0;
    this.#pausedUntil = -Infinity;
    this.#waiting = null;
  }
}

/**
 * When to ask to be added to the group anew.
 *
 * At once, where something fails for the first time. But what the server answers may fail again, and asking as fast as it
 * answers is a loop between the two. So as long as nothing gives keys in between, a pause follows on each attempt, which
 * doubles from one to the next.
 */

/** The pause after the first attempt, in ms. */
const FIRST_PAUSE_MS = 1_000;
/** No pause is longer, in ms. */
const MAX_PAUSE_MS = 30_000;

/** What could not be followed. */
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

  /** When {@linkcode due} has something to give, in ms; `Infinity` if nothing waits. */
  get at(): number {
    return this.#waiting === null ? Infinity : this.#pausedUntil;
  }

  /** Something could not be followed. Whether to ask is what {@linkcode due} says. */
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

  /** A group begins for another reason, which asks for the same: nothing waits any more. */
  begun(): void {
    this.#waiting = null;
  }

  /** The group gave keys, or the session is another: the next failure is a first one. */
  reset(): void {
    this.#attempts = 0;
    this.#pausedUntil = -Infinity;
    this.#waiting = null;
  }
}

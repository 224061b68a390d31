/**
 * How far the numbered messages of a voice connection have come, and which of them are repetitions.
 *
 * A DAVE group that processes a commit twice is lost. So after a resume, what the server replays from before the resume
 * point is dropped.
 */

import { isSequenceAfter } from "../wire/frame.ts";

/** The last sequence number, and the resume point. */
export class ReceivedSequence {
  #last: number;
  /** Up to here everything was seen already; `null` once a newer message has come. */
  #replayedUpTo: number | null;

  /** The last number that the session to resume has seen; -1 for a new session, or before the first number. */
  constructor(last: number) {
    this.#last = last;
    this.#replayedUpTo = last < 0 ? null : last;
  }

  /** The last sequence number received, -1 before the first. */
  get last(): number {
    return this.#last;
  }

  /**
   * A numbered message came. The numbers start over after 2 ** 16: once a newer one than the resume point has come, every
   * number counts as it is.
   *
   * @returns `false` for a replayed message from before the resume point.
   */
  received(sequence: number): boolean {
    if (this.#replayedUpTo !== null && !isSequenceAfter(sequence, this.#replayedUpTo)) return false;
    this.#replayedUpTo = null;
    this.#last = sequence;
    return true;
  }
}

/**
 * The session that a restart would resume: the one of the oldest event that is not handled yet.
 *
 * A session that Discord has dropped is kept until its last event, and the SESSION_GAP that tells of its loss, are
 * handled. A crash before that leads to a resume that is refused, and so to the notice again: a gap is never silent.
 */

import type { EndCause, SessionRecord } from "../../gateway/mod.ts";
import type { SessionGapEvent } from "./event.ts";
import type { EventQueue } from "./event_queue.ts";

/** What has to be known of the events that wait for the consumer. */
export interface SessionQueue extends Pick<EventQueue<SessionGapEvent>, "session" | "oldestSession"> {
  /** Takes the notice of a loss. */
  push(event: SessionGapEvent, size: number): boolean;
  /** The last handled sequence of the oldest session, given the last received one. */
  handled(received: number): number;
  /** From here on events belong to another session. */
  startSession(): void;
}

/** One shard's sessions as its consumer has handled them. */
export class HandledSession {
  readonly #queue: SessionQueue;
  /** Sessions that Discord has dropped, by their number in the queue, as long as something of them is not handled. */
  readonly #lost = new Map<number, SessionRecord>();

  /** Nothing is lost yet. */
  constructor(queue: SessionQueue) {
    this.#queue = queue;
  }

  /** The record to store, given the present session with the last sequence that came in. */
  record(received: SessionRecord | null): SessionRecord | null {
    const session = this.#lost.get(this.#queue.oldestSession) ?? received;
    return session && { ...session, sequence: this.#queue.handled(session.sequence) };
  }

  /** Discord has dropped the present session; the consumer is told in its turn. */
  lose(lost: SessionRecord, cause: EndCause): void {
    const { sessionId, sequence } = lost;
    for (const number of this.#lost.keys()) {
      if (number < this.#queue.oldestSession) this.#lost.delete(number);
    }
    this.#lost.set(this.#queue.session, lost);
    this.#queue.push({ op: null, t: "SESSION_GAP", s: null, d: { sessionId, sequence, cause } }, 0);
    this.#queue.startSession();
  }
}

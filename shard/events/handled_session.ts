/**
 * The session that a restart would resume: that of the oldest event that is not handled yet.
 *
 * A session that Discord has dropped is kept until its last event, and the SESSION_GAP that reports its loss, are
 * handled. After a crash before that, the resume is refused and SESSION_GAP comes again: every gap is reported.
 */

import type { EndCause, SessionRecord } from "../../gateway/mod.ts";
import type { SessionGapEvent } from "./event.ts";
import type { EventQueue } from "./event_queue.ts";

/** The part of the event queue that is needed. */
export interface SessionQueue extends Pick<EventQueue<SessionGapEvent>, "session" | "oldestSession"> {
  /** Takes a SESSION_GAP. */
  push(event: SessionGapEvent, size: number): boolean;
  /** The last handled sequence of the oldest session, given the last received one. */
  handled(received: number): number;
  /** The events that follow belong to another session. */
  startSession(): void;
}

/** The sessions of one shard, with the last handled sequence. */
export class HandledSession {
  readonly #queue: SessionQueue;
  /** Sessions that Discord has dropped, by their number in the queue, as long as one of their events is not handled. */
  readonly #lost = new Map<number, SessionRecord>();

  /** No session is lost yet. */
  constructor(queue: SessionQueue) {
    this.#queue = queue;
  }

  /** The record to store, given the current session with the last received sequence. */
  record(received: SessionRecord | null): SessionRecord | null {
    const session = this.#lost.get(this.#queue.oldestSession) ?? received;
    return session && { ...session, sequence: this.#queue.handled(session.sequence) };
  }

  /** Discord has dropped the current session: queues a SESSION_GAP. */
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

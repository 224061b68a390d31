/** The session of one connection as it is received: who it is, how far its numbers have come, and what is a repetition. */

import { readSession, type SessionIdentity } from "./handshake.ts";
import type { SessionRecord } from "./session.ts";
import type { GatewayStateOptions } from "./state_io.ts";

/** The session that a connection resumes, or the one that READY brings. */
export class ReceivedSession {
  /** What came before this connection: should the server replay it, it is dropped. */
  readonly #resumedFrom: number | null;
  #identity: SessionIdentity | null;
  #sequence: number | null;
  #progressed = false;

  /** The session to resume, `null` for a new one. */
  constructor(session: SessionRecord | null) {
    this.#identity = session;
    this.#resumedFrom = session?.sequence ?? null;
    this.#sequence = this.#resumedFrom;
  }

  /** The last sequence number received, `null` before the first. Zero is a number like any other. */
  get sequence(): number | null {
    return this.#sequence;
  }

  /** A dispatch came in, so a resume that was cut short made progress. */
  get progressed(): boolean {
    return this.#progressed;
  }

  /** The session with the last sequence received; `null` before READY of a new one. */
  get record(): SessionRecord | null {
    if (this.#identity === null) return null;
    const { sessionId, resumeGatewayUrl, shardId, shardCount } = this.#identity;
    return { sessionId, sequence: this.#sequence ?? 0, resumeGatewayUrl, shardId, shardCount };
  }

  /**
   * READY came: a new session begins, whose numbers have nothing to do with those before.
   *
   * @throws {ProtocolError} It names no session.
   */
  begin(ready: unknown, sequence: number | null, shard: GatewayStateOptions["shard"]): void {
    this.#identity = readSession(ready, shard);
    this.#sequence = sequence;
    this.#progressed = true;
  }

  /** RESUMED came. */
  resumed(): void {
    this.#progressed = true;
  }

  /**
   * A numbered event came. Within a session the number never goes back.
   *
   * @returns `false` for a replayed event from before the resume point, which was seen already.
   */
  dispatched(sequence: number, isReplay: boolean): boolean {
    if (isReplay && this.#resumedFrom !== null && sequence <= this.#resumedFrom) return false;
    if (this.#sequence === null || sequence > this.#sequence) this.#sequence = sequence;
    this.#progressed = true;
    return true;
  }
}

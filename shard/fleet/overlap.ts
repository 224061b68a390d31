/**
 * What two sets of shards that are up together have to know of each other: when a new shard has all of its guilds,
 * whether a connection is still alive, and which events came on both.
 */

import type { ShardEvent } from "../events/event.ts";

/** Guilds that have not come for so long, in ms, are in an outage: nobody waits for them any longer. */
const GUILDS_QUIET_MS = 15_000;

/**
 * Whether a session has all of its guilds. READY names them, and GUILD_CREATE brings them one by one; only from then on
 * does it get a guild's events.
 */
export class Completeness {
  #missing = new Set<string>();
  #completeAt = Infinity;

  /** From when on all guilds are there, in ms; `Infinity` before READY. */
  get completeAt(): number {
    return this.#completeAt;
  }

  /** Another session begins. */
  begin(): void {
    this.#completeAt = Infinity;
  }

  /** An event came. Returns whether that moved the instant. */
  see(event: ShardEvent, now: number): boolean {
    const before = this.#completeAt;
    if (event.t === "READY") {
      this.#missing = new Set(event.d.guilds.map(({ id }) => id));
      this.#wait(now);
    } else if (event.t === "GUILD_CREATE" || event.t === "GUILD_DELETE") {
      // Who comes after the end of the wait changes nothing any more.
      if (now < this.#completeAt && this.#missing.delete(event.d.id)) this.#wait(now);
    }
    return this.#completeAt !== before;
  }

  #wait(now: number): void {
    this.#completeAt = this.#missing.size === 0 ? now : now + GUILDS_QUIET_MS;
  }
}

/** How much has come on a connection, as far as one can see from outside. */
export interface ReceivedCounts {
  /** Since when it is live, in ms; `null` while it is not. */
  readonly liveSince: number | null;
  /** Events so far. */
  readonly events: number;
  /** Heartbeats that were acknowledged on it. */
  readonly acknowledged: number;
}

/** Finds out after which instant something has come: an event, an acknowledgement, a RESUMED. */
export class LivenessProbe {
  #last: ReceivedCounts & { readonly at: number } = {
    at: -Infinity,
    liveSince: null,
    events: 0,
    acknowledged: 0,
  };
  #heardAfter = -Infinity;

  /** Something has come after this, in ms. */
  get receivedAfter(): number {
    return this.#heardAfter;
  }

  /** Looks whether there is more than the last time. */
  look(heard: ReceivedCounts, at: number): void {
    const last = this.#last;
    this.#last = { ...heard, at };
    const isMore = heard.liveSince !== last.liveSince || heard.events > last.events ||
      heard.acknowledged > last.acknowledged;
    // It came at some time after the last look; when, nobody knows.
    if (heard.liveSince !== null && isMore) this.#heardAfter = last.at;
  }
}

/** So many events are remembered; a forgotten one can come twice, and none can get lost. */
const REMEMBERED = 100_000;

/**
 * The events that came on both sets. Discord gives events no number that would mean the same to two sessions; three
 * kinds carry an id that never comes twice, and of these the copy is dropped.
 */
export class Duplicates {
  readonly #seen = new Set<string>();
  /** Copies that were dropped. */
  dropped = 0;
  /** Events without an id of their own that came during the overlap: each may have been delivered before. */
  repeated = 0;
  /** When the last copy may come, in ms. */
  until = Infinity;

  /** The old set delivers an event. */
  saw(event: ShardEvent): void {
    const id = identityOf(event);
    if (id === null) return;
    this.#seen.add(id);
    if (this.#seen.size <= REMEMBERED) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      break;
    }
  }

  /** Whether an event of the new set was delivered before, as far as that can be known. */
  knows(event: ShardEvent, options: { readonly overlapping: boolean }): boolean {
    const id = identityOf(event);
    if (id !== null && this.#seen.delete(id)) {
      this.dropped++;
      return true;
    }
    if (id === null && options.overlapping) this.repeated++;
    return false;
  }
}

/** An id that belongs to this one event. */
function identityOf(event: ShardEvent): string | null {
  switch (event.t) {
    case "MESSAGE_CREATE":
    case "INTERACTION_CREATE":
    case "GUILD_AUDIT_LOG_ENTRY_CREATE":
      return event.d.id;
    default:
      return null;
  }
}

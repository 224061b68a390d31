/** What a fleet hands out: each event with the shard that it came on, and the one event of the fleet's own. */

import type { EventName, SessionRecord } from "../../gateway/mod.ts";
import type { ShardEvent } from "../events/event.ts";

/**
 * A shard has stopped for good; the others go on. `Fleet.restart` brings it back.
 *
 * It comes in its place in the stream: after everything that the shard received.
 */
export interface ShardStoppedEvent {
  /** Not a Discord opcode. */
  readonly op: null;
  /** The discriminant. */
  readonly t: "SHARD_STOPPED";
  /** Discord did not number it. */
  readonly s: null;
  /** What happened. */
  readonly d: {
    /** What stopped it: what a single shard's iterator would have thrown. */
    readonly error: unknown;
    /** The session that it had, which may still be resumable; `null` if there was none. */
    readonly session: SessionRecord | null;
  };
}

/** An event, and the shard that it came on. */
export interface FleetEvent<Name extends EventName = EventName> {
  /** The shard's number. */
  readonly shardId: number;
  /** How many shards the bot was split into then; it changes with a reshard. */
  readonly shardCount: number;
  /** What the shard said. */
  readonly event: ShardEvent<Name> | ShardStoppedEvent;
}

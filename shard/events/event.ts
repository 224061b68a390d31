/** What a shard hands out: Discord's dispatches, and the one event of our own. */

import type {
  DirectMessageEventName,
  EndCause,
  EventName,
  GatewayDispatch,
  GuildEventName,
  UngatedEventName,
} from "../../gateway/mod.ts";

/**
 * Discord has dropped a session: whatever happened between `d.sequence` and the new READY was not seen.
 *
 * The one event that is the shard's own. It comes in its place in the stream: after everything of the old session,
 * before anything of the new one.
 */
export interface SessionGapEvent {
  /** Not a Discord opcode. */
  readonly op: null;
  /** The discriminant. */
  readonly t: "SESSION_GAP";
  /** Discord did not number it. */
  readonly s: null;
  /** What was lost. */
  readonly d: {
    /** The session that is gone. */
    readonly sessionId: string;
    /** The last sequence number received in it. */
    readonly sequence: number;
    /** How that showed. */
    readonly cause: EndCause;
  };
}

/** What comes out of a shard that asked for these events. */
export type ShardEvent<Name extends EventName = EventName> = GatewayDispatch<Name> | SessionGapEvent;

/** The names of a shard's three event lists together; every name if all lists are left out. */
export type WantedName<
  Guild extends GuildEventName,
  DirectMessage extends DirectMessageEventName,
  Ungated extends UngatedEventName,
> = [Guild | DirectMessage | Ungated] extends [never] ? EventName : Guild | DirectMessage | Ungated;

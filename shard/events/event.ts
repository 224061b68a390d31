/** The events of a shard: Discord's dispatches, and SESSION_GAP. */

import type {
  DirectMessageEventName,
  EndCause,
  EventName,
  GatewayDispatch,
  GuildEventName,
  UngatedEventName,
} from "../../gateway/mod.ts";

/**
 * Discord has dropped a session: events between `d.sequence` and the new READY were missed.
 *
 * The only event that the shard makes itself. It comes after all events of the old session and before those of the new
 * one.
 */
export interface SessionGapEvent {
  /** Not a Discord opcode. */
  readonly op: null;
  /** The discriminant. */
  readonly t: "SESSION_GAP";
  /** Discord did not number it. */
  readonly s: null;
  /** The session that was lost. */
  readonly d: {
    /** The session that is gone. */
    readonly sessionId: string;
    /** The last sequence number received in it. */
    readonly sequence: number;
    /** How the loss was detected. */
    readonly cause: EndCause;
  };
}

/** The events of a shard that wants these names. */
export type ShardEvent<Name extends EventName = EventName> = GatewayDispatch<Name> | SessionGapEvent;

/** The names of a shard's three event lists together; every name if all lists are left out. */
export type WantedName<
  Guild extends GuildEventName,
  DirectMessage extends DirectMessageEventName,
  Ungated extends UngatedEventName,
> = [Guild | DirectMessage | Ungated] extends [never] ? EventName : Guild | DirectMessage | Ungated;

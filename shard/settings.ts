/** What a shard is made from, checked, and with its defaults. */

import {
  type DirectMessageEventName,
  type GuildEventName,
  intentsOf,
  parseSessionRecord,
  type SessionRecord,
  SessionRecordError,
  type UngatedEventName,
} from "../gateway/mod.ts";
import { checkedLimits, type CommandLimits } from "./commands/limits.ts";
import type { EventQueueLimits } from "./events/event_queue.ts";
import type { ShardOptions } from "./options.ts";

/** The part of a shard's options that must be looked at before it is made. */
export interface Settings {
  /** The session to resume. */
  readonly session: SessionRecord | null;
  /** This shard and how many there are. */
  readonly shard: readonly [id: number, count: number];
  /** The intents to identify with. */
  readonly intents: number;
  /** The events that the user named; `null` = every event is wanted. */
  readonly named: ReadonlySet<string> | null;
  /** What may wait for the consumer. */
  readonly queueLimits: EventQueueLimits;
  /** The sub-limits of commands. */
  readonly commandLimits: CommandLimits;
}

/**
 * Checks the options.
 *
 * @throws {TypeError} No token, or neither events nor intents.
 * @throws {RangeError} A limit below 1.
 * @throws {SessionRecordError} The session record is malformed or belongs to another shard.
 */
export function settingsOf<
  Guild extends GuildEventName,
  DirectMessage extends DirectMessageEventName,
  Ungated extends UngatedEventName,
>(options: ShardOptions<Guild, DirectMessage, Ungated>): Settings {
  const { token, session = null, guildEvents, directMessageEvents, events, intents } = options;
  if (typeof token !== "string" || token === "") {
    throw new TypeError("Cannot make a shard: the token is missing");
  }
  const names = guildEvents || directMessageEvents || events
    ? [...guildEvents ?? [], ...directMessageEvents ?? [], ...events ?? []]
    : null;
  if (names === null && intents === undefined) {
    throw new TypeError("Cannot make a shard: name the events wanted, or give intents");
  }
  const { maxQueuedEvents = 10_000, maxQueuedSize = 32 * 1024 * 1024 } = options;
  if (!(maxQueuedEvents >= 1 && maxQueuedSize >= 1)) {
    throw new RangeError(
      `Cannot make a shard: at least one event must be able to wait: ${maxQueuedEvents}, ${maxQueuedSize}`,
    );
  }
  const shard = options.shard ?? (session ? [session.shardId, session.shardCount] as const : [0, 1] as const);
  return {
    session: session && sessionOf(session, shard),
    shard,
    intents: (intents ?? 0) |
      intentsOf({
        ...(guildEvents && { guildEvents }),
        ...(directMessageEvents && { directMessageEvents }),
        ...(events && { events }),
      }),
    named: names && new Set(names),
    queueLimits: { maxEvents: maxQueuedEvents, maxSize: maxQueuedSize },
    commandLimits: checkedLimits(options.commandLimits),
  };
}

function sessionOf(session: SessionRecord, shard: readonly [id: number, count: number]): SessionRecord {
  const record = parseSessionRecord(session);
  if (record.shardId === shard[0] && record.shardCount === shard[1]) return record;
  throw new SessionRecordError(
    `Cannot use the session record: it belongs to shard ${record.shardId} of ${record.shardCount}, this is ${
      shard.join(" of ")
    }`,
  );
}

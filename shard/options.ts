/** The options of a shard, and their check. */

import {
  type DirectMessageEventName,
  type GatewayStateOptions,
  type GuildEventName,
  intentsOf,
  parseSessionRecord,
  type SessionRecord,
  SessionRecordError,
  type UngatedEventName,
} from "../gateway/mod.ts";
import type { IdentifyLimiter } from "../ratelimit/mod.ts";
import { checkedLimits, type CommandLimits } from "./commands/limits.ts";
import type { EventQueueLimits } from "./events/event_queue.ts";
import type { Dial } from "./pipe/dial.ts";
import type { Fetch } from "./connect/gateway_bot.ts";
import type { Platform } from "./pipe/platform.ts";
import type { ShardStatus } from "./status.ts";
import type { VoiceProvider } from "./voice_provider.ts";

/** Options of a shard. Only the token is required, and some events or intents. */
export interface ShardOptions<
  Guild extends GuildEventName = never,
  DirectMessage extends DirectMessageEventName = never,
  Ungated extends UngatedEventName = never,
  Voice extends VoiceProvider | undefined = VoiceProvider | undefined,
> {
  /** The bot's token, without a `Bot ` prefix. Kept private: it shows in no error, status or inspection. */
  readonly token: string;
  /** The events wanted from guilds; their intents follow. */
  readonly guildEvents?: readonly Guild[];
  /** The events wanted from direct messages; their intents follow. */
  readonly directMessageEvents?: readonly DirectMessage[];
  /** The events wanted that no intent gates, such as READY and INTERACTION_CREATE. */
  readonly events?: readonly Ungated[];
  /** Intents in addition, such as MESSAGE_CONTENT; or instead of names, and then every event is delivered. */
  readonly intents?: number;
  /** This shard and how many there are; the session's, or `[0, 1]`. */
  readonly shard?: readonly [id: number, count: number];
  /** A saved session to resume. If Discord has dropped it, a SESSION_GAP event says so. */
  readonly session?: SessionRecord | null;
  /** Base URL of the REST API, such as a proxy's; the environment variable `DISCORD_API`, or Discord's own. */
  readonly api?: string;
  /** The gateway's URL; requested from the REST API by default. `ws://` and any host and port are allowed. */
  readonly url?: string;
  /** Permits each identify; by default one per token in this process. */
  readonly identifyLimiter?: IdentifyLimiter;
  /** Called whenever the status changes. If it throws, the shard stops with that error. */
  readonly onStatus?: (status: ShardStatus) => void;
  /**
   * Events that may wait for the consumer. Beyond that, the session is parked at Discord until it has caught up.
   *
   * @default {10_000}
   */
  readonly maxQueuedEvents?: number;
  /**
   * The length of the frames that may wait for the consumer, in UTF-16 units.
   *
   * @default {33_554_432}
   */
  readonly maxQueuedSize?: number;
  /** Sub-limits below the common budget: presence updates, and full member lists. */
  readonly commandLimits?: CommandLimits;
  /** How long a handshake may take, in ms. */
  readonly dialDeadlineMs?: number;
  /** The properties of IDENTIFY and the timeouts of the phases; see `GatewayStateOptions`. */
  readonly gateway?: Omit<
    GatewayStateOptions,
    "token" | "intents" | "now" | "random" | "shard" | "session" | "wanted" | "decoder"
  >;
  /** The voice provider, made by `voice()` of `./voice`: `joinVoice` needs it. */
  readonly voice?: Voice;
  /** Opens connections; a WebSocket by default. */
  readonly dial?: Dial;
  /** Talks to the REST API; the runtime's `fetch` by default. */
  readonly fetch?: Fetch;
  /** Clock, timers and randomness; the runtime's by default. */
  readonly platform?: Platform;
}

/** The options that are checked before a shard is made. */
export interface Settings {
  /** The session to resume. */
  readonly session: SessionRecord | null;
  /** This shard and how many there are. */
  readonly shard: readonly [id: number, count: number];
  /** The intents to identify with. */
  readonly intents: number;
  /** The events that the user named; `null` = all events are wanted. */
  readonly named: ReadonlySet<string> | null;
  /** How many events may wait for the consumer. */
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
>(options: Omit<ShardOptions<Guild, DirectMessage, Ungated>, "onStatus" | "voice">): Settings {
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

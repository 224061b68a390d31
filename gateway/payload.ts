/**
 * The shapes of what is received and what is sent, as types alone.
 *
 * What Discord dispatches is described by discord-api-types, and one alias is the only bridge to it; what the
 * connection itself reads, and all that is sent, is written out here. discord-api-types names events by string enums,
 * so its union can't be narrowed by a plain string; {@linkcode GatewayDispatch} is the same union over plain strings.
 */

import type { GatewayDispatchPayload } from "discord-api-types/v10";
import type { EventName } from "./event.ts";
import type { GatewayOpcode } from "./opcode.ts";

/**
 * Every dispatch as discord-api-types has it.
 *
 * @internal
 */
export type RawDispatch = GatewayDispatchPayload;

/** Every event's `d` by the event's name; `unknown` where Discord documents no content, or discord-api-types has none. */
export type EventDataByName =
  & {
    [Payload in RawDispatch as `${Payload["t"]}`]: [Payload["d"]] extends [undefined] ? unknown
      : Payload["d"];
  }
  & { [Name in Exclude<EventName, `${RawDispatch["t"]}`>]: unknown };

/** The `d` of an event. */
export type EventData<Name extends EventName> = EventDataByName[Name];

/**
 * An event as it comes from Discord: comparing `t` with a plain string narrows `d`.
 *
 * `GatewayDispatch<"A" | "B">` is either of the two, `GatewayDispatch` alone any event.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#receive-events
 *
 * @example
 * ```ts
 * import type { GatewayDispatch } from "@discordgateway/edge/gateway";
 *
 * function describe(event: GatewayDispatch<"MESSAGE_CREATE" | "GUILD_ROLE_DELETE">): string {
 *   return event.t === "MESSAGE_CREATE" ? event.d.content : event.d.role_id;
 * }
 * const event = { op: 0, s: 1, t: "GUILD_ROLE_DELETE", d: { guild_id: "1", role_id: "2" } } as const;
 * if (describe(event) !== "2") throw new Error("unexpected");
 * ```
 */
export type GatewayDispatch<Name extends EventName = EventName> = {
  [Each in Name]: {
    /** The opcode of every event. */
    readonly op: typeof GatewayOpcode.Dispatch;
    /** The sequence number within the session. */
    readonly s: number;
    /** The event's name. */
    readonly t: Each;
    /** What happened. */
    readonly d: EventData<Each>;
  };
}[Name];

/**
 * The `d` of a hello, the first payload on every connection.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#hello
 */
export interface Hello {
  /** The time between two heartbeats, in ms. */
  readonly heartbeat_interval: number;
}

/**
 * The part of the READY event that a connection depends on; the user gets all of it, as `EventData<"READY">`.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#ready
 */
export interface Ready {
  /** The session's id, which a resume names. */
  readonly session_id: string;
  /** Where to resume, without a query. */
  readonly resume_gateway_url: string;
  /** The bot's own user. */
  readonly user: {
    /** The bot's user id. */
    readonly id: string;
  };
  /** The shard that identified and the number of shards, if the identify said so. */
  readonly shard?: readonly [shardId: number, shardCount: number];
}

/**
 * The `d` of an identify, which starts a new session.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#identify
 */
export interface Identify {
  /** The bare bot token, without `Bot `. */
  readonly token: string;
  /** What connects. */
  readonly properties: IdentifyProperties;
  /** Whether Discord may compress single payloads; pointless when the whole connection is compressed. */
  readonly compress?: boolean;
  /** From how many members on (50 to 250, 50 unless given) a guild comes without its offline members. */
  readonly large_threshold?: number;
  /** Which shard this is, and of how many. */
  readonly shard?: readonly [shardId: number, shardCount: number];
  /** The presence to start with. */
  readonly presence?: PresenceUpdate;
  /** The bits of the intents; 0 is valid, leaving it out is not. */
  readonly intents: number;
  /** The bits of the opt-in capabilities, 0 unless given. */
  readonly capabilities?: number;
}

/**
 * What connects, as an identify tells it.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#identify-identify-connection-properties
 */
export interface IdentifyProperties {
  /** The operating system. */
  readonly os: string;
  /** The name of the library. */
  readonly browser: string;
  /** The name of the library. */
  readonly device: string;
}

/**
 * The `d` of a resume, which continues a session on a new connection.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#resume
 */
export interface Resume {
  /** The bare bot token, without `Bot `. */
  readonly token: string;
  /** The session's id from READY. */
  readonly session_id: string;
  /** The last sequence number that need not come again. */
  readonly seq: number;
}

/**
 * A payload that the user may send.
 *
 * Discord refuses one of more than 4096 bytes of JSON.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#send-events
 *
 * @example
 * ```ts
 * import { type GatewayCommand, GatewayOpcode } from "@discordgateway/edge/gateway";
 *
 * const everyone: GatewayCommand = {
 *   op: GatewayOpcode.RequestGuildMembers,
 *   d: { guild_id: "613425648685547541", query: "", limit: 0 },
 * };
 * if (JSON.stringify(everyone).length > 4096) throw new Error("unexpected");
 * ```
 */
export type GatewayCommand =
  | Command<typeof GatewayOpcode.PresenceUpdate, PresenceUpdate>
  | Command<typeof GatewayOpcode.VoiceStateUpdate, VoiceStateUpdate>
  | Command<typeof GatewayOpcode.RequestGuildMembers, RequestGuildMembers>
  | Command<typeof GatewayOpcode.RequestSoundboardSounds, RequestSoundboardSounds>
  | Command<typeof GatewayOpcode.RequestChannelInfo, RequestChannelInfo>;

/** A payload to send: an opcode and its body. */
export interface Command<Op extends number, Data> {
  /** The opcode. */
  readonly op: Op;
  /** The body that belongs to it. */
  readonly d: Data;
}

/**
 * What the bot shows as its status and activity.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#update-presence
 */
export interface PresenceUpdate {
  /** Since when the bot is idle, in ms since 1970, or `null` if it is not. */
  readonly since: number | null;
  /** What the bot is doing. */
  readonly activities: readonly Activity[];
  /** The dot beside the name; to look offline, send `invisible`. */
  readonly status: "online" | "dnd" | "idle" | "invisible" | "offline";
  /** Whether the bot is away. */
  readonly afk: boolean;
}

/**
 * One activity, with the only fields that a bot may set.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#activity-object
 */
export interface Activity {
  /** The name, shown after the verb of the type; a custom status shows `state` instead. */
  readonly name: string;
  /** 0 playing, 1 streaming, 2 listening, 3 watching, 4 custom status, 5 competing. */
  readonly type: 0 | 1 | 2 | 3 | 4 | 5;
  /** The second line, or the text of a custom status. */
  readonly state?: string | null;
  /** The stream's address on Twitch or YouTube, for type 1. */
  readonly url?: string | null;
}

/**
 * Joins, moves to or leaves a voice channel. It has to go through the guild's own shard.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#update-voice-state
 */
export interface VoiceStateUpdate {
  /** The guild's id. */
  readonly guild_id: string;
  /** The voice channel's id, or `null` to leave. */
  readonly channel_id: string | null;
  /** Whether the bot mutes itself. */
  readonly self_mute: boolean;
  /** Whether the bot deafens itself. */
  readonly self_deaf: boolean;
}

/**
 * Asks for members of one guild, either by the start of their names or by their ids.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#request-guild-members
 */
export type RequestGuildMembers = RequestGuildMembersByName | RequestGuildMembersById;

/** What both ways to ask for members have in common. */
export interface RequestGuildMembersBase {
  /** The guild's id. */
  readonly guild_id: string;
  /** Whether to send presences too; needs the GUILD_PRESENCES intent. */
  readonly presences?: boolean;
  /** Up to 32 bytes that come back with every chunk; Discord silently drops a longer one. */
  readonly nonce?: string;
}

/** Asks for the members whose name starts with something, or for everyone. */
export interface RequestGuildMembersByName extends RequestGuildMembersBase {
  /** The start of the name; empty for everyone, which needs the GUILD_MEMBERS intent. */
  readonly query: string;
  /** How many members at most: up to 100, or 0 for everyone. */
  readonly limit: number;
  /** Not with a query. */
  readonly user_ids?: never;
}

/** Asks for members by their user ids. */
export interface RequestGuildMembersById extends RequestGuildMembersBase {
  /** One user id, or up to 100. */
  readonly user_ids: string | readonly string[];
  /** Not with ids. */
  readonly query?: never;
  /** Of no use with ids. */
  readonly limit?: number;
}

/**
 * Asks for the soundboard sounds of guilds.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#request-soundboard-sounds
 */
export interface RequestSoundboardSounds {
  /** The guilds' ids. */
  readonly guild_ids: readonly string[];
}

/**
 * Asks for what a guild's voice channels show and no channel object holds.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#request-channel-info
 */
export interface RequestChannelInfo {
  /** The guild's id. */
  readonly guild_id: string;
  /** What to send: the status text, the start of the voice session in s since 1970, or both. */
  readonly fields: readonly ("status" | "voice_start_time")[];
}

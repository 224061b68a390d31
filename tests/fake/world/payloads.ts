/** What Discord would send: the bodies of READY, GUILD_CREATE and messages, made from what exists. */

import { type FakeChannel, type FakeGuild, type FakeUser, timestamp, type World } from "./world.ts";
import { GatewayIntent } from "../../../gateway/intent.ts";

/** A message, in the shape of Discord's JSON. @see https://docs.discord.com/developers/resources/message#message-object */
export interface FakeMessage {
  /** The message's id. */
  readonly id: string;
  /** 0: written by a user. */
  readonly type: number;
  /** The channel that it is in. */
  readonly channel_id: string;
  /** The guild; of the gateway's event only, and of none for a direct message. */
  readonly guild_id?: string;
  /** Who wrote it. */
  readonly author: FakeUser;
  /** The author as a member of the guild; of the gateway's event only. */
  readonly member?: { readonly joined_at: string };
  /** The text. */
  readonly content: string;
  /** When, ISO 8601. */
  readonly timestamp: string;
  /** When it was edited: never. */
  readonly edited_timestamp: null;
  /** Read aloud. */
  readonly tts: boolean;
  /** Whether it mentions everybody. */
  readonly mention_everyone: boolean;
  /** The users that its text mentions. */
  readonly mentions: readonly FakeUser[];
  /** The roles that it mentions: none. */
  readonly mention_roles: readonly string[];
  /** Files: none. */
  readonly attachments: readonly unknown[];
  /** What the request gave. */
  readonly embeds: readonly unknown[];
  /** What the request gave. */
  readonly components: readonly unknown[];
  /** Whether it is pinned. */
  readonly pinned: boolean;
  /** Bits about it. */
  readonly flags: number;
  /** What the request gave, to find the message again. */
  readonly nonce?: string | number;
}

/** What a message is made from. */
export interface MessageDraft {
  /** Who writes. */
  readonly author: FakeUser;
  /** Where. */
  readonly channel: FakeChannel;
  /** What. */
  readonly content: string;
  /** More of it, as given. */
  readonly embeds?: readonly unknown[];
  /** More of it, as given. */
  readonly components?: readonly unknown[];
  /** Read aloud. */
  readonly tts?: boolean;
  /** To find it again. */
  readonly nonce?: string | number | undefined;
}

/** The message as the REST API answers it. */
export function newMessage(world: World, draft: MessageDraft, now: number): FakeMessage {
  const { author, channel, content, embeds = [], components = [], tts = false, nonce } = draft;
  const mentioned = [...new Set([...content.matchAll(/<@!?(\d+)>/g)].map(([, id]) => id ?? ""))];
  return {
    id: world.nextId(now),
    type: 0,
    channel_id: channel.id,
    author,
    content,
    timestamp: timestamp(now),
    edited_timestamp: null,
    tts,
    mention_everyone: content.includes("@everyone"),
    mentions: mentioned.map((id) => world.userById(id)).filter((user) => user !== undefined),
    mention_roles: [],
    attachments: [],
    embeds,
    components,
    pinned: false,
    flags: 0,
    ...(nonce !== undefined && { nonce }),
  };
}

/** The message as MESSAGE_CREATE brings it: in a guild, with the guild and the member. */
export function messageEvent(world: World, message: FakeMessage): FakeMessage {
  const guildId = world.channel(message.channel_id)?.guild_id;
  if (guildId === undefined) return message;
  const { user: _, ...member } = world.member(guildId, message.author.id);
  return { ...message, guild_id: guildId, member };
}

/** What READY says of a session. */
export interface ReadySession {
  /** Its id. */
  readonly id: string;
  /** Its shard. */
  readonly shard: readonly [id: number, count: number];
  /** Whether IDENTIFY named the shard. */
  readonly namedShard: boolean;
}

/** The body of READY. @see https://docs.discord.com/developers/events/gateway-events#ready */
export function readyBody(
  world: World,
  session: ReadySession,
  resumeUrl: string,
  privilegedIntents: number,
): unknown {
  return {
    v: 10,
    user_settings: {},
    user: { ...world.bot, verified: true, mfa_enabled: true, flags: 0, email: null },
    session_type: "normal",
    session_id: session.id,
    resume_gateway_url: resumeUrl,
    relationships: [],
    private_channels: [],
    presences: [],
    guilds: world.guildsOf(...session.shard).map(({ id }) => ({ id, unavailable: true })),
    ...(session.namedShard && { shard: session.shard }),
    geo_ordered_rtc_regions: [],
    application: { id: world.bot.id, flags: applicationFlags(privilegedIntents) },
    _trace: ["fake"],
  };
}

/** The body of the GUILD_CREATE that follows READY. */
export function guildCreateBody(
  world: World,
  guild: FakeGuild,
  options: { intents: number; largeThreshold: number; voiceStates: readonly { readonly user_id: string }[] },
): unknown {
  const { intents, largeThreshold, voiceStates } = options;
  const large = guild.members.length > largeThreshold;
  // Nobody in here has a presence, so of a large guild everybody counts as offline.
  const everybody = (intents & GatewayIntent.GUILD_PRESENCES) !== 0 && !large;
  const shown = new Set([world.bot.id, ...voiceStates.map((state) => state.user_id)]);
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    owner_id: (guild.members[1] ?? guild.members[0])?.user.id ?? world.bot.id,
    joined_at: timestamp(0),
    large,
    unavailable: false,
    member_count: guild.members.length,
    preferred_locale: "en-US",
    features: [],
    roles: [{
      id: guild.id,
      name: "@everyone",
      color: 0,
      hoist: false,
      position: 0,
      permissions: "2248473465835073",
      managed: false,
      mentionable: false,
      flags: 0,
    }],
    emojis: [],
    stickers: [],
    channels: guild.channels.map(({ guild_id: _, ...channel }) => ({
      ...channel,
      permission_overwrites: [],
    })),
    members: everybody ? guild.members : guild.members.filter(({ user }) => shown.has(user.id)),
    voice_states: voiceStates,
    threads: [],
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}

/** The application's flags say which privileged intents are enabled. */
function applicationFlags(privilegedIntents: number): number {
  const flag = (intent: number, bit: number) => (privilegedIntents & intent) === 0 ? 0 : 1 << bit;
  return flag(GatewayIntent.GUILD_PRESENCES, 12) | flag(GatewayIntent.GUILD_MEMBERS, 14) |
    flag(GatewayIntent.MESSAGE_CONTENT, 18);
}

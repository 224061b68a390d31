/**
 * Which intents let an event through.
 *
 * Discord sends an event when the session has one of the intents that gate it; the same name can be gated by one
 * intent in guilds and by another in direct messages, and some events come whatever the intents are. The table below
 * lists, for each name and each of the two places, the intents that let it through, the one to ask for first. All
 * name types derive from it.
 *
 * Rules for what is asked for:
 * - the least privileged intent that yields the event. THREAD_MEMBERS_UPDATE comes with GUILDS, though then only
 *   when it is about the bot itself; whoever wants the others adds GUILD_MEMBERS manually.
 * - a privileged intent only where the event can't come without it: GUILD_MEMBER_ADD, GUILD_MEMBER_REMOVE,
 *   GUILD_MEMBER_UPDATE (the bot's own comes always, nobody else's does) and PRESENCE_UPDATE.
 * - never MESSAGE_CONTENT: it gates no event, it fills fields. Add it manually.
 */

// What lets many events through, once each.
const UNGATED = { guild: [], direct: [] } as const;
const AUTO_MODERATION_CONFIGURATION = { guild: ["AUTO_MODERATION_CONFIGURATION"], direct: [] } as const;
const GUILDS = { guild: ["GUILDS"], direct: [] } as const;
const GUILD_MODERATION = { guild: ["GUILD_MODERATION"], direct: [] } as const;
const GUILD_EXPRESSIONS = { guild: ["GUILD_EXPRESSIONS"], direct: [] } as const;
const GUILD_INTEGRATIONS = { guild: ["GUILD_INTEGRATIONS"], direct: [] } as const;
const GUILD_MEMBERS = { guild: ["GUILD_MEMBERS"], direct: [] } as const;
const GUILD_SCHEDULED_EVENTS = { guild: ["GUILD_SCHEDULED_EVENTS"], direct: [] } as const;
const GUILD_INVITES = { guild: ["GUILD_INVITES"], direct: [] } as const;
const MESSAGES = { guild: ["GUILD_MESSAGES"], direct: ["DIRECT_MESSAGES"] } as const;
const MESSAGE_POLLS = { guild: ["GUILD_MESSAGE_POLLS"], direct: ["DIRECT_MESSAGE_POLLS"] } as const;
const MESSAGE_REACTIONS = {
  guild: ["GUILD_MESSAGE_REACTIONS"],
  direct: ["DIRECT_MESSAGE_REACTIONS"],
} as const;
const GUILD_VOICE_STATES = { guild: ["GUILD_VOICE_STATES"], direct: [] } as const;

/**
 * Every dispatch event and the intents that let it through in guilds (`guild`) and in direct messages (`direct`),
 * the one to ask for first. An event with neither needs no intent.
 *
 * @see https://docs.discord.com/developers/events/gateway#list-of-intents
 *
 * @example
 * ```ts
 * import { EVENTS } from "@discordgateway/edge/gateway";
 *
 * if (EVENTS.MESSAGE_CREATE.guild[0] !== "GUILD_MESSAGES") throw new Error("unexpected");
 * if (EVENTS.MESSAGE_CREATE.direct[0] !== "DIRECT_MESSAGES") throw new Error("unexpected");
 * ```
 */
export const EVENTS = {
  APPLICATION_COMMAND_PERMISSIONS_UPDATE: UNGATED,
  AUTO_MODERATION_ACTION_EXECUTION: { guild: ["AUTO_MODERATION_EXECUTION"], direct: [] },
  AUTO_MODERATION_RULE_CREATE: AUTO_MODERATION_CONFIGURATION,
  AUTO_MODERATION_RULE_DELETE: AUTO_MODERATION_CONFIGURATION,
  AUTO_MODERATION_RULE_UPDATE: AUTO_MODERATION_CONFIGURATION,
  CHANNEL_CREATE: GUILDS,
  CHANNEL_DELETE: GUILDS,
  CHANNEL_INFO: UNGATED,
  CHANNEL_PINS_UPDATE: { guild: ["GUILDS"], direct: ["DIRECT_MESSAGES"] },
  CHANNEL_UPDATE: GUILDS,
  ENTITLEMENT_CREATE: UNGATED,
  ENTITLEMENT_DELETE: UNGATED,
  ENTITLEMENT_UPDATE: UNGATED,
  GUILD_AUDIT_LOG_ENTRY_CREATE: GUILD_MODERATION,
  GUILD_BAN_ADD: GUILD_MODERATION,
  GUILD_BAN_REMOVE: GUILD_MODERATION,
  GUILD_CREATE: GUILDS,
  GUILD_DELETE: GUILDS,
  GUILD_EMOJIS_UPDATE: GUILD_EXPRESSIONS,
  GUILD_INTEGRATIONS_UPDATE: GUILD_INTEGRATIONS,
  GUILD_MEMBER_ADD: GUILD_MEMBERS,
  GUILD_MEMBER_REMOVE: GUILD_MEMBERS,
  GUILD_MEMBER_UPDATE: GUILD_MEMBERS,
  GUILD_MEMBERS_CHUNK: UNGATED,
  GUILD_ROLE_CREATE: GUILDS,
  GUILD_ROLE_DELETE: GUILDS,
  GUILD_ROLE_UPDATE: GUILDS,
  GUILD_SCHEDULED_EVENT_CREATE: GUILD_SCHEDULED_EVENTS,
  GUILD_SCHEDULED_EVENT_DELETE: GUILD_SCHEDULED_EVENTS,
  GUILD_SCHEDULED_EVENT_UPDATE: GUILD_SCHEDULED_EVENTS,
  GUILD_SCHEDULED_EVENT_USER_ADD: GUILD_SCHEDULED_EVENTS,
  GUILD_SCHEDULED_EVENT_USER_REMOVE: GUILD_SCHEDULED_EVENTS,
  GUILD_SOUNDBOARD_SOUND_CREATE: GUILD_EXPRESSIONS,
  GUILD_SOUNDBOARD_SOUND_DELETE: GUILD_EXPRESSIONS,
  GUILD_SOUNDBOARD_SOUND_UPDATE: GUILD_EXPRESSIONS,
  GUILD_SOUNDBOARD_SOUNDS_UPDATE: GUILD_EXPRESSIONS,
  GUILD_STICKERS_UPDATE: GUILD_EXPRESSIONS,
  GUILD_UPDATE: GUILDS,
  INTEGRATION_CREATE: GUILD_INTEGRATIONS,
  INTEGRATION_DELETE: GUILD_INTEGRATIONS,
  INTEGRATION_UPDATE: GUILD_INTEGRATIONS,
  INTERACTION_CREATE: UNGATED,
  INVITE_CREATE: GUILD_INVITES,
  INVITE_DELETE: GUILD_INVITES,
  MESSAGE_CREATE: MESSAGES,
  MESSAGE_DELETE: MESSAGES,
  MESSAGE_DELETE_BULK: { guild: ["GUILD_MESSAGES"], direct: [] },
  MESSAGE_POLL_VOTE_ADD: MESSAGE_POLLS,
  MESSAGE_POLL_VOTE_REMOVE: MESSAGE_POLLS,
  MESSAGE_REACTION_ADD: MESSAGE_REACTIONS,
  MESSAGE_REACTION_REMOVE: MESSAGE_REACTIONS,
  MESSAGE_REACTION_REMOVE_ALL: MESSAGE_REACTIONS,
  MESSAGE_REACTION_REMOVE_EMOJI: MESSAGE_REACTIONS,
  MESSAGE_UPDATE: MESSAGES,
  PRESENCE_UPDATE: { guild: ["GUILD_PRESENCES"], direct: [] },
  RATE_LIMITED: UNGATED,
  READY: UNGATED,
  RESUMED: UNGATED,
  SOUNDBOARD_SOUNDS: UNGATED,
  STAGE_INSTANCE_CREATE: GUILDS,
  STAGE_INSTANCE_DELETE: GUILDS,
  STAGE_INSTANCE_UPDATE: GUILDS,
  SUBSCRIPTION_CREATE: UNGATED,
  SUBSCRIPTION_DELETE: UNGATED,
  SUBSCRIPTION_UPDATE: UNGATED,
  THREAD_CREATE: GUILDS,
  THREAD_DELETE: GUILDS,
  THREAD_LIST_SYNC: GUILDS,
  THREAD_MEMBER_UPDATE: GUILDS,
  THREAD_MEMBERS_UPDATE: { guild: ["GUILDS", "GUILD_MEMBERS"], direct: [] },
  THREAD_UPDATE: GUILDS,
  TYPING_START: { guild: ["GUILD_MESSAGE_TYPING"], direct: ["DIRECT_MESSAGE_TYPING"] },
  USER_UPDATE: UNGATED,
  VOICE_CHANNEL_EFFECT_SEND: GUILD_VOICE_STATES,
  VOICE_CHANNEL_START_TIME_UPDATE: GUILDS,
  VOICE_CHANNEL_STATUS_UPDATE: GUILDS,
  VOICE_SERVER_UPDATE: UNGATED,
  VOICE_STATE_UPDATE: GUILD_VOICE_STATES,
  WEBHOOKS_UPDATE: { guild: ["GUILD_WEBHOOKS"], direct: [] },
} as const;

/** The name of a dispatch event, as in its `t`. */
export type EventName = keyof typeof EVENTS;

/** The name of an event that a guild intent lets through. */
export type GuildEventName = {
  [Name in EventName]: typeof EVENTS[Name]["guild"] extends readonly [] ? never : Name;
}[EventName];

/** The name of an event that a direct-message intent lets through. */
export type DirectMessageEventName = {
  [Name in EventName]: typeof EVENTS[Name]["direct"] extends readonly [] ? never : Name;
}[EventName];

/** The name of an event that comes whatever the intents are. */
export type UngatedEventName = Exclude<EventName, GuildEventName | DirectMessageEventName>;

/**
 * Whether this is the name of an event that the table has.
 *
 * @example
 * ```ts
 * import { isEventName } from "@discordgateway/edge/gateway";
 *
 * if (!isEventName("MESSAGE_CREATE") || isEventName("messageCreate")) throw new Error("unexpected");
 * ```
 */
export function isEventName(name: string): name is EventName {
  return Object.hasOwn(EVENTS, name);
}

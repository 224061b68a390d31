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
 *   when it is about the bot itself; whoever wants the others adds GUILD_MEMBERS by hand.
 * - a privileged intent only where the event can't come without it: GUILD_MEMBER_ADD, GUILD_MEMBER_REMOVE,
 *   GUILD_MEMBER_UPDATE (the bot's own comes always, nobody else's does) and PRESENCE_UPDATE.
 * - never MESSAGE_CONTENT: it gates no event, it fills fields. Add it by hand.
 */

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
  APPLICATION_COMMAND_PERMISSIONS_UPDATE: { guild: [], direct: [] },
  AUTO_MODERATION_ACTION_EXECUTION: { guild: ["AUTO_MODERATION_EXECUTION"], direct: [] },
  AUTO_MODERATION_RULE_CREATE: { guild: ["AUTO_MODERATION_CONFIGURATION"], direct: [] },
  AUTO_MODERATION_RULE_DELETE: { guild: ["AUTO_MODERATION_CONFIGURATION"], direct: [] },
  AUTO_MODERATION_RULE_UPDATE: { guild: ["AUTO_MODERATION_CONFIGURATION"], direct: [] },
  CHANNEL_CREATE: { guild: ["GUILDS"], direct: [] },
  CHANNEL_DELETE: { guild: ["GUILDS"], direct: [] },
  CHANNEL_INFO: { guild: [], direct: [] },
  CHANNEL_PINS_UPDATE: { guild: ["GUILDS"], direct: ["DIRECT_MESSAGES"] },
  CHANNEL_UPDATE: { guild: ["GUILDS"], direct: [] },
  ENTITLEMENT_CREATE: { guild: [], direct: [] },
  ENTITLEMENT_DELETE: { guild: [], direct: [] },
  ENTITLEMENT_UPDATE: { guild: [], direct: [] },
  GUILD_AUDIT_LOG_ENTRY_CREATE: { guild: ["GUILD_MODERATION"], direct: [] },
  GUILD_BAN_ADD: { guild: ["GUILD_MODERATION"], direct: [] },
  GUILD_BAN_REMOVE: { guild: ["GUILD_MODERATION"], direct: [] },
  GUILD_CREATE: { guild: ["GUILDS"], direct: [] },
  GUILD_DELETE: { guild: ["GUILDS"], direct: [] },
  GUILD_EMOJIS_UPDATE: { guild: ["GUILD_EXPRESSIONS"], direct: [] },
  GUILD_INTEGRATIONS_UPDATE: { guild: ["GUILD_INTEGRATIONS"], direct: [] },
  GUILD_MEMBER_ADD: { guild: ["GUILD_MEMBERS"], direct: [] },
  GUILD_MEMBER_REMOVE: { guild: ["GUILD_MEMBERS"], direct: [] },
  GUILD_MEMBER_UPDATE: { guild: ["GUILD_MEMBERS"], direct: [] },
  GUILD_MEMBERS_CHUNK: { guild: [], direct: [] },
  GUILD_ROLE_CREATE: { guild: ["GUILDS"], direct: [] },
  GUILD_ROLE_DELETE: { guild: ["GUILDS"], direct: [] },
  GUILD_ROLE_UPDATE: { guild: ["GUILDS"], direct: [] },
  GUILD_SCHEDULED_EVENT_CREATE: { guild: ["GUILD_SCHEDULED_EVENTS"], direct: [] },
  GUILD_SCHEDULED_EVENT_DELETE: { guild: ["GUILD_SCHEDULED_EVENTS"], direct: [] },
  GUILD_SCHEDULED_EVENT_UPDATE: { guild: ["GUILD_SCHEDULED_EVENTS"], direct: [] },
  GUILD_SCHEDULED_EVENT_USER_ADD: { guild: ["GUILD_SCHEDULED_EVENTS"], direct: [] },
  GUILD_SCHEDULED_EVENT_USER_REMOVE: { guild: ["GUILD_SCHEDULED_EVENTS"], direct: [] },
  GUILD_SOUNDBOARD_SOUND_CREATE: { guild: ["GUILD_EXPRESSIONS"], direct: [] },
  GUILD_SOUNDBOARD_SOUND_DELETE: { guild: ["GUILD_EXPRESSIONS"], direct: [] },
  GUILD_SOUNDBOARD_SOUND_UPDATE: { guild: ["GUILD_EXPRESSIONS"], direct: [] },
  GUILD_SOUNDBOARD_SOUNDS_UPDATE: { guild: ["GUILD_EXPRESSIONS"], direct: [] },
  GUILD_STICKERS_UPDATE: { guild: ["GUILD_EXPRESSIONS"], direct: [] },
  GUILD_UPDATE: { guild: ["GUILDS"], direct: [] },
  INTEGRATION_CREATE: { guild: ["GUILD_INTEGRATIONS"], direct: [] },
  INTEGRATION_DELETE: { guild: ["GUILD_INTEGRATIONS"], direct: [] },
  INTEGRATION_UPDATE: { guild: ["GUILD_INTEGRATIONS"], direct: [] },
  INTERACTION_CREATE: { guild: [], direct: [] },
  INVITE_CREATE: { guild: ["GUILD_INVITES"], direct: [] },
  INVITE_DELETE: { guild: ["GUILD_INVITES"], direct: [] },
  MESSAGE_CREATE: { guild: ["GUILD_MESSAGES"], direct: ["DIRECT_MESSAGES"] },
  MESSAGE_DELETE: { guild: ["GUILD_MESSAGES"], direct: ["DIRECT_MESSAGES"] },
  MESSAGE_DELETE_BULK: { guild: ["GUILD_MESSAGES"], direct: [] },
  MESSAGE_POLL_VOTE_ADD: { guild: ["GUILD_MESSAGE_POLLS"], direct: ["DIRECT_MESSAGE_POLLS"] },
  MESSAGE_POLL_VOTE_REMOVE: { guild: ["GUILD_MESSAGE_POLLS"], direct: ["DIRECT_MESSAGE_POLLS"] },
  MESSAGE_REACTION_ADD: { guild: ["GUILD_MESSAGE_REACTIONS"], direct: ["DIRECT_MESSAGE_REACTIONS"] },
  MESSAGE_REACTION_REMOVE: { guild: ["GUILD_MESSAGE_REACTIONS"], direct: ["DIRECT_MESSAGE_REACTIONS"] },
  MESSAGE_REACTION_REMOVE_ALL: { guild: ["GUILD_MESSAGE_REACTIONS"], direct: ["DIRECT_MESSAGE_REACTIONS"] },
  MESSAGE_REACTION_REMOVE_EMOJI: { guild: ["GUILD_MESSAGE_REACTIONS"], direct: ["DIRECT_MESSAGE_REACTIONS"] },
  MESSAGE_UPDATE: { guild: ["GUILD_MESSAGES"], direct: ["DIRECT_MESSAGES"] },
  PRESENCE_UPDATE: { guild: ["GUILD_PRESENCES"], direct: [] },
  RATE_LIMITED: { guild: [], direct: [] },
  READY: { guild: [], direct: [] },
  RESUMED: { guild: [], direct: [] },
  SOUNDBOARD_SOUNDS: { guild: [], direct: [] },
  STAGE_INSTANCE_CREATE: { guild: ["GUILDS"], direct: [] },
  STAGE_INSTANCE_DELETE: { guild: ["GUILDS"], direct: [] },
  STAGE_INSTANCE_UPDATE: { guild: ["GUILDS"], direct: [] },
  SUBSCRIPTION_CREATE: { guild: [], direct: [] },
  SUBSCRIPTION_DELETE: { guild: [], direct: [] },
  SUBSCRIPTION_UPDATE: { guild: [], direct: [] },
  THREAD_CREATE: { guild: ["GUILDS"], direct: [] },
  THREAD_DELETE: { guild: ["GUILDS"], direct: [] },
  THREAD_LIST_SYNC: { guild: ["GUILDS"], direct: [] },
  THREAD_MEMBER_UPDATE: { guild: ["GUILDS"], direct: [] },
  THREAD_MEMBERS_UPDATE: { guild: ["GUILDS", "GUILD_MEMBERS"], direct: [] },
  THREAD_UPDATE: { guild: ["GUILDS"], direct: [] },
  TYPING_START: { guild: ["GUILD_MESSAGE_TYPING"], direct: ["DIRECT_MESSAGE_TYPING"] },
  USER_UPDATE: { guild: [], direct: [] },
  VOICE_CHANNEL_EFFECT_SEND: { guild: ["GUILD_VOICE_STATES"], direct: [] },
  VOICE_CHANNEL_START_TIME_UPDATE: { guild: ["GUILDS"], direct: [] },
  VOICE_CHANNEL_STATUS_UPDATE: { guild: ["GUILDS"], direct: [] },
  VOICE_SERVER_UPDATE: { guild: [], direct: [] },
  VOICE_STATE_UPDATE: { guild: ["GUILD_VOICE_STATES"], direct: [] },
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

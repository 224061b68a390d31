import { assertEquals } from "@std/assert";
import { GatewayDispatchEvents } from "discord-api-types/v10";
import { type EventName, EVENTS, isEventName } from "../../gateway/event.ts";

interface Gated {
  guild?: string;
  direct?: string;
}

/** Discord's list of intents: which events each one lets through, in guilds and in direct messages. */
const DOCUMENTED: Readonly<Record<string, Gated>> = {
  GUILDS: {
    guild: `GUILD_CREATE GUILD_UPDATE GUILD_DELETE GUILD_ROLE_CREATE GUILD_ROLE_UPDATE GUILD_ROLE_DELETE
      CHANNEL_CREATE CHANNEL_UPDATE CHANNEL_DELETE CHANNEL_PINS_UPDATE THREAD_CREATE THREAD_UPDATE THREAD_DELETE
      THREAD_LIST_SYNC THREAD_MEMBER_UPDATE THREAD_MEMBERS_UPDATE STAGE_INSTANCE_CREATE STAGE_INSTANCE_UPDATE
      STAGE_INSTANCE_DELETE VOICE_CHANNEL_STATUS_UPDATE VOICE_CHANNEL_START_TIME_UPDATE`,
  },
  GUILD_MEMBERS: { guild: "GUILD_MEMBER_ADD GUILD_MEMBER_UPDATE GUILD_MEMBER_REMOVE THREAD_MEMBERS_UPDATE" },
  GUILD_MODERATION: { guild: "GUILD_AUDIT_LOG_ENTRY_CREATE GUILD_BAN_ADD GUILD_BAN_REMOVE" },
  GUILD_EXPRESSIONS: {
    guild:
      `GUILD_EMOJIS_UPDATE GUILD_STICKERS_UPDATE GUILD_SOUNDBOARD_SOUND_CREATE GUILD_SOUNDBOARD_SOUND_UPDATE
      GUILD_SOUNDBOARD_SOUND_DELETE GUILD_SOUNDBOARD_SOUNDS_UPDATE`,
  },
  GUILD_INTEGRATIONS: {
    guild: "GUILD_INTEGRATIONS_UPDATE INTEGRATION_CREATE INTEGRATION_UPDATE INTEGRATION_DELETE",
  },
  GUILD_WEBHOOKS: { guild: "WEBHOOKS_UPDATE" },
  GUILD_INVITES: { guild: "INVITE_CREATE INVITE_DELETE" },
  GUILD_VOICE_STATES: { guild: "VOICE_STATE_UPDATE VOICE_CHANNEL_EFFECT_SEND" },
  GUILD_PRESENCES: { guild: "PRESENCE_UPDATE" },
  GUILD_MESSAGES: { guild: "MESSAGE_CREATE MESSAGE_UPDATE MESSAGE_DELETE MESSAGE_DELETE_BULK" },
  GUILD_MESSAGE_REACTIONS: {
    guild: `MESSAGE_REACTION_ADD MESSAGE_REACTION_REMOVE MESSAGE_REACTION_REMOVE_ALL
      MESSAGE_REACTION_REMOVE_EMOJI`,
  },
  GUILD_MESSAGE_TYPING: { guild: "TYPING_START" },
  DIRECT_MESSAGES: { direct: "MESSAGE_CREATE MESSAGE_UPDATE MESSAGE_DELETE CHANNEL_PINS_UPDATE" },
  DIRECT_MESSAGE_REACTIONS: {
    direct: `MESSAGE_REACTION_ADD MESSAGE_REACTION_REMOVE MESSAGE_REACTION_REMOVE_ALL
      MESSAGE_REACTION_REMOVE_EMOJI`,
  },
  DIRECT_MESSAGE_TYPING: { direct: "TYPING_START" },
  MESSAGE_CONTENT: {},
  GUILD_SCHEDULED_EVENTS: {
    guild: `GUILD_SCHEDULED_EVENT_CREATE GUILD_SCHEDULED_EVENT_UPDATE GUILD_SCHEDULED_EVENT_DELETE
      GUILD_SCHEDULED_EVENT_USER_ADD GUILD_SCHEDULED_EVENT_USER_REMOVE`,
  },
  AUTO_MODERATION_CONFIGURATION: {
    guild: "AUTO_MODERATION_RULE_CREATE AUTO_MODERATION_RULE_UPDATE AUTO_MODERATION_RULE_DELETE",
  },
  AUTO_MODERATION_EXECUTION: { guild: "AUTO_MODERATION_ACTION_EXECUTION" },
  GUILD_MESSAGE_POLLS: { guild: "MESSAGE_POLL_VOTE_ADD MESSAGE_POLL_VOTE_REMOVE" },
  DIRECT_MESSAGE_POLLS: { direct: "MESSAGE_POLL_VOTE_ADD MESSAGE_POLL_VOTE_REMOVE" },
};

const UNGATED = words(`READY RESUMED RATE_LIMITED INTERACTION_CREATE USER_UPDATE VOICE_SERVER_UPDATE
  GUILD_MEMBERS_CHUNK CHANNEL_INFO SOUNDBOARD_SOUNDS APPLICATION_COMMAND_PERMISSIONS_UPDATE ENTITLEMENT_CREATE
  ENTITLEMENT_UPDATE ENTITLEMENT_DELETE SUBSCRIPTION_CREATE SUBSCRIPTION_UPDATE SUBSCRIPTION_DELETE`);

function words(text: string | undefined): string[] {
  return text?.split(/\s+/) ?? [];
}

/** Our table turned around: the events of one intent. */
function eventsOf(intent: string, place: "guild" | "direct"): string[] {
  const names = Object.keys(EVENTS) as EventName[];
  return names.filter((name) => (EVENTS[name][place] as readonly string[]).includes(intent));
}

for (const [intent, gated] of Object.entries(DOCUMENTED)) {
  Deno.test(`event: ${intent} lets through what Discord's list of intents says`, () => {
    assertEquals(eventsOf(intent, "guild").sort(), words(gated.guild).sort());
    assertEquals(eventsOf(intent, "direct").sort(), words(gated.direct).sort());
  });
}

Deno.test("event: no event names an intent that Discord's list does not have", () => {
  const intents = Object.values(EVENTS).flatMap(({ guild, direct }): string[] => [...guild, ...direct]);
  assertEquals(intents.filter((intent) => !Object.hasOwn(DOCUMENTED, intent)), []);
});

Deno.test("event: exactly the documented ones need no intent", () => {
  const names = Object.keys(EVENTS) as EventName[];
  const free = names.filter((name) => EVENTS[name].guild.length === 0 && EVENTS[name].direct.length === 0);
  assertEquals(free.sort(), UNGATED.sort());
});

Deno.test("event: where several intents let one through, the least privileged is first", () => {
  const several = Object.entries(EVENTS).filter(([, { guild, direct }]) =>
    guild.length > 1 || direct.length > 1
  );
  assertEquals(several, [["THREAD_MEMBERS_UPDATE", { guild: ["GUILDS", "GUILD_MEMBERS"], direct: [] }]]);
});

Deno.test("event: the names are those of discord-api-types, with no exception", () => {
  assertEquals(Object.keys(EVENTS).sort(), Object.values(GatewayDispatchEvents).map(String).sort());
});

for (
  const [name, known] of [
    ["MESSAGE_CREATE", true],
    ["READY", true],
    ["message_create", false],
    ["MessageCreate", false],
    ["", false],
    ["toString", false],
    ["__proto__", false],
  ] as const
) {
  Deno.test(`event: "${name}" ${known ? "is" : "is not"} an event name`, () => {
    assertEquals(isEventName(name), known);
  });
}

/**
 * Which session gets an event, and with which content.
 *
 * @see https://docs.discord.com/developers/events/gateway#gateway-intents
 */

import { EVENTS, isEventName } from "../../../gateway/event.ts";
import { GatewayIntent } from "../../../gateway/intent.ts";
import { shardIdOf } from "../../../gateway/snowflake.ts";
import { isObject, isSnowflake, type JsonObject } from "../base/json.ts";

/** Where an event is headed. */
export interface Route {
  /** The event's name. */
  readonly name: string;
  /** The guild that it is about, `null` for direct messages and for the bot itself. */
  readonly guildId: string | null;
  /** Whether it is about the bot as a member, who hears of that without GUILD_MEMBERS. */
  readonly aboutBot: boolean;
}

/** Finds out what an event is about. */
export function routeOf(name: string, data: unknown, botId: string, guildId?: string): Route {
  const body: JsonObject = isObject(data) ? data : {};
  const ownId = name === "GUILD_CREATE" || name === "GUILD_UPDATE" || name === "GUILD_DELETE";
  const found = guildId ?? body.guild_id ?? (ownId ? body.id : undefined);
  return { name, guildId: isSnowflake(found) ? found : null, aboutBot: isAboutBot(name, body, botId) };
}

/** Whether a session with these intents, on this shard, gets the event. */
export function lets(route: Route, intents: number, shard: readonly [id: number, count: number]): boolean {
  const [shardId, shardCount] = shard;
  const owner = route.guildId === null ? 0 : shardIdOf(route.guildId, shardCount);
  return owner === shardId && admits(route, intents);
}

/** Whether these intents let the event through, on whichever shard. */
export function admits({ name, guildId, aboutBot }: Route, intents: number): boolean {
  // Names that nobody knows yet need no intent that anybody knows.
  if (!isEventName(name)) return true;
  if (name === "THREAD_MEMBERS_UPDATE") {
    return (intents &
      (aboutBot ? GatewayIntent.GUILDS | GatewayIntent.GUILD_MEMBERS : GatewayIntent.GUILD_MEMBERS)) !== 0;
  }
  if (aboutBot) return true;
  const { guild, direct }: { guild: readonly IntentName[]; direct: readonly IntentName[] } = EVENTS[name];
  if (guild.length + direct.length === 0) return true;
  const inDirect = guildId === null && direct.length > 0;
  return (inDirect ? direct : guild).some((gate) => (intents & GatewayIntent[gate]) !== 0);
}

type IntentName = keyof typeof GatewayIntent;

function isAboutBot(name: string, body: JsonObject, botId: string): boolean {
  if (name === "GUILD_MEMBER_UPDATE") return isObject(body.user) && body.user.id === botId;
  if (name !== "THREAD_MEMBERS_UPDATE") return false;
  const { added_members: added, removed_member_ids: removed } = body;
  return Array.isArray(added) && added.some((member) => isObject(member) && member.user_id === botId) ||
    Array.isArray(removed) && removed.includes(botId);
}

/**
 * The event's body as a session without MESSAGE_CONTENT gets it: unchanged in direct messages.
 *
 * Content stays in messages by the bot, to it and mentioning it.
 */
export function withoutContent(name: string, data: unknown, guildId: string | null, botId: string): unknown {
  if (name !== "MESSAGE_CREATE" && name !== "MESSAGE_UPDATE" || guildId === null) return data;
  return emptied(data, botId);
}

function emptied(message: unknown, botId: string): unknown {
  if (!isObject(message)) return message;
  const own = isObject(message.author) && message.author.id === botId;
  const mentioned = Array.isArray(message.mentions) &&
    message.mentions.some((user) => isObject(user) && user.id === botId);
  const { poll: _, ...rest } = message;
  const copy: { [key: string]: unknown } = own || mentioned ? { ...message } : rest;
  if (!own && !mentioned) {
    if ("content" in copy) copy.content = "";
    for (const list of ["embeds", "attachments", "components"]) if (list in copy) copy[list] = [];
  }
  // The message that this one answers has an author of its own.
  if (isObject(copy.referenced_message)) copy.referenced_message = emptied(copy.referenced_message, botId);
  return copy;
}

/**
 * The bodies of the commands (op 3, 4, 8, 31, 43): what is wrong with one, in plain words.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#send-events
 */

import { GatewayOpcode } from "../../../gateway/opcode.ts";
import { isInteger, isObject, isSnowflake, isSnowflakes } from "../base/json.ts";

/** What is wrong with a command, `null` if nothing is. */
export function commandFault(op: number, d: unknown): string | null {
  switch (op) {
    case GatewayOpcode.PresenceUpdate:
      return presenceFault(d);
    case GatewayOpcode.VoiceStateUpdate:
      return voiceStateFault(d);
    case GatewayOpcode.RequestGuildMembers:
      return membersFault(d);
    case GatewayOpcode.RequestSoundboardSounds:
      return isObject(d) && isSnowflakes(d.guild_ids) ? null : "guild_ids is an array of ids";
    case GatewayOpcode.RequestChannelInfo:
      return channelInfoFault(d);
    default:
      return "the opcode is one that clients send";
  }
}

const STATUSES: readonly unknown[] = ["online", "dnd", "idle", "invisible", "offline"];

/** What is wrong with a presence, `null` if nothing is. */
export function presenceFault(d: unknown): string | null {
  if (!isObject(d)) return "a presence is an object";
  const { since, activities, status, afk } = d;
  if (since !== null && !isInteger(since, 0)) return "since is an integer of ms or null";
  if (!STATUSES.includes(status)) return "status is online, dnd, idle, invisible or offline";
  if (typeof afk !== "boolean") return "afk is a boolean";
  if (!Array.isArray(activities)) return "activities is an array";
  const good = activities.every((activity) =>
    isObject(activity) && typeof activity.name === "string" && isInteger(activity.type, 0, 5)
  );
  return good ? null : "an activity has a name and a type from 0 to 5";
}

function voiceStateFault(d: unknown): string | null {
  if (!isObject(d)) return "a voice state is an object";
  if (!isSnowflake(d.guild_id)) return "guild_id is an id";
  if (d.channel_id !== null && !isSnowflake(d.channel_id)) return "channel_id is an id or null";
  if (typeof d.self_mute !== "boolean") return "self_mute is a boolean";
  return typeof d.self_deaf === "boolean" ? null : "self_deaf is a boolean";
}

const MAX_USER_IDS = 100;

function membersFault(d: unknown): string | null {
  if (!isObject(d)) return "a request is an object";
  if (!isSnowflake(d.guild_id)) return "guild_id is one id";
  if ((d.query === undefined) === (d.user_ids === undefined)) return "there is either query or user_ids";
  if (d.presences !== undefined && typeof d.presences !== "boolean") return "presences is a boolean";
  if (d.nonce !== undefined && typeof d.nonce !== "string") return "nonce is a string";
  if (d.query !== undefined) {
    if (typeof d.query !== "string") return "query is a string";
    return isInteger(d.limit, 0) ? null : "limit is required with query, an integer from 0";
  }
  const ids = typeof d.user_ids === "string" ? [d.user_ids] : d.user_ids;
  if (!isSnowflakes(ids)) return "user_ids is an id or an array of ids";
  return ids.length <= MAX_USER_IDS ? null : `user_ids has at most ${MAX_USER_IDS} ids`;
}

function channelInfoFault(d: unknown): string | null {
  if (!isObject(d)) return "a request is an object";
  if (!isSnowflake(d.guild_id)) return "guild_id is an id";
  const known: readonly unknown[] = ["status", "voice_start_time"];
  const good = Array.isArray(d.fields) && d.fields.every((field) => known.includes(field));
  return good ? null : "fields is an array of status and voice_start_time";
}

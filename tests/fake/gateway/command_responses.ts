/**
 * What the commands do: op 4 moves the bot between voice channels, op 8, 31 and 43 are questions.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#send-events
 */

import { GatewayIntent } from "../../../gateway/intent.ts";
import { GatewayOpcode } from "../../../gateway/opcode.ts";
import { shardIdOf } from "../../../gateway/snowflake.ts";
import { byteLength, type JsonObject } from "../base/json.ts";
import type { SessionShape } from "./session.ts";
import type { VoiceStates } from "../world/voice_states.ts";
import type { FakeGuild, FakeMember, World } from "../world/world.ts";

/** An event that answers a command. */
export interface Answer {
  /** To the session that asked, or to every session that may have it. */
  readonly to: "asker" | "everybody";
  /** The event's name. */
  readonly name: string;
  /** Its body. */
  readonly data: unknown;
}

/** What a command led to. */
export interface Outcome {
  /** The events that answer it. */
  readonly answers: readonly Answer[];
  /** A rule that was broken, where Discord says nothing. */
  readonly ignoredBecause?: string;
}

/** How many presence updates of one session are taken. Others are dropped without a word. */
export interface PresenceLimit {
  /** Presence updates in any one period. */
  readonly limit: number;
  /** The period in ms. */
  readonly periodMs: number;
}

/** A full member list, once per guild in this time, in ms. */
const FULL_REQUEST_PERIOD_MS = 30_000;
const CHUNK_SIZE = 1000;
const MAX_BY_QUERY = 100;
const MAX_NONCE_BYTES = 32;
/** Voice and stage. */
const VOICE_CHANNELS: ReadonlySet<number> = new Set([2, 13]);

/** Answers commands that {@linkcode commandFault} has passed. */
export class CommandResponses {
  readonly #world: World;
  readonly #fullRequestAt = new Map<string, number>();
  readonly #presenceLimit: PresenceLimit;
  /** When the presences of the last period were taken, by session. */
  readonly #presencesAt = new Map<string, number[]>();
  #shown: JsonObject | null = null;
  readonly #voiceStates: VoiceStates;

  /** Answers about a world, in which some are in voice. */
  constructor(world: World, voiceStates: VoiceStates, presenceLimit: PresenceLimit) {
    this.#world = world;
    this.#voiceStates = voiceStates;
    this.#presenceLimit = presenceLimit;
  }

  /** Carries out a command. */
  answer(op: number, d: JsonObject, session: SessionShape, now: number): Outcome {
    if (op === GatewayOpcode.RequestSoundboardSounds) return this.#sounds(d);
    if (op === GatewayOpcode.PresenceUpdate) return this.#presence(d, session, now);
    const guild = this.#world.guild(String(d.guild_id));
    if (!guild) return { answers: [], ignoredBecause: `the bot is in the guild of op ${op}` };
    if (shardIdOf(guild.id, session.shard[1]) !== session.shard[0]) {
      return { answers: [], ignoredBecause: `op ${op} goes through the shard of its guild` };
    }
    if (op === GatewayOpcode.VoiceStateUpdate) return this.#voice(d, guild, session);
    if (op === GatewayOpcode.RequestChannelInfo) return channelInfo(d, guild);
    return this.#members(d, guild, session, now);
  }

  /** The newest presence that was taken. */
  get presence(): JsonObject | null {
    return this.#shown;
  }

  /** Too many are dropped without a word: nobody has said so, everybody has seen it. */
  #presence(d: JsonObject, { id }: SessionShape, now: number): Outcome {
    const { limit, periodMs } = this.#presenceLimit;
    const times = (this.#presencesAt.get(id) ?? []).filter((at) => at > now - periodMs);
    const ignored = times.length >= limit;
    if (!ignored) this.#shown = d;
    this.#presencesAt.set(id, ignored ? times : [...times, now]);
    const rule = `at most ${limit} presence updates in any ${periodMs} ms`;
    return { answers: [], ...(ignored && { ignoredBecause: rule }) };
  }

  #sounds(d: JsonObject): Outcome {
    const ids: readonly unknown[] = Array.isArray(d.guild_ids) ? d.guild_ids : [];
    const known = ids.map(String).filter((id) => this.#world.guild(id));
    return {
      answers: known.map((id) => ({
        to: "asker",
        name: "SOUNDBOARD_SOUNDS",
        data: { guild_id: id, soundboard_sounds: [] },
      })),
    };
  }

  #voice(d: JsonObject, guild: FakeGuild, session: SessionShape): Outcome {
    const channelId = d.channel_id === null ? null : String(d.channel_id);
    if (
      channelId !== null && !VOICE_CHANNELS.has(guild.channels.find(({ id }) => id === channelId)?.type ?? 0)
    ) {
      return { answers: [], ignoredBecause: "channel_id is a voice channel of the guild" };
    }
    const userId = this.#world.bot.id;
    // Discord says nothing about a channel that is full, or closed to the bot.
    if (channelId !== null && !this.#voiceStates.mayEnter(channelId, userId)) return { answers: [] };
    const change = this.#voiceStates.change(guild.id, userId, {
      channelId,
      sessionId: session.id,
      selfDeaf: d.self_deaf === true,
      selfMute: d.self_mute === true,
    });
    if (!change) return { answers: [] };
    const answers: Answer[] = [{ to: "everybody", name: "VOICE_STATE_UPDATE", data: change.state }];
    if (change.server) answers.push({ to: "asker", name: "VOICE_SERVER_UPDATE", data: change.server });
    return { answers };
  }

  #members(d: JsonObject, guild: FakeGuild, session: SessionShape, now: number): Outcome {
    const { query, limit, nonce } = d;
    const tag = typeof nonce === "string" && byteLength(nonce) <= MAX_NONCE_BYTES ? { nonce } : {};
    const ignoredBecause = nonce !== undefined && !("nonce" in tag)
      ? "a nonce has at most 32 bytes"
      : undefined;
    const everybody = query === "" && limit === 0;
    if (everybody) {
      if ((session.intents & GatewayIntent.GUILD_MEMBERS) === 0) {
        return { answers: [], ignoredBecause: "the full member list needs GUILD_MEMBERS" };
      }
      const retryAfterMs = (this.#fullRequestAt.get(guild.id) ?? -Infinity) + FULL_REQUEST_PERIOD_MS - now;
      if (retryAfterMs > 0) {
        const data = { opcode: 8, retry_after: retryAfterMs / 1000, meta: { guild_id: guild.id, ...tag } };
        return { answers: [{ to: "asker", name: "RATE_LIMITED", data }] };
      }
      this.#fullRequestAt.set(guild.id, now);
    }
    const { members, notFound } = typeof query === "string"
      ? { members: byName(guild, query, everybody ? Infinity : Number(limit)), notFound: [] }
      : byId(guild, d.user_ids);
    const withPresences = d.presences === true && (session.intents & GatewayIntent.GUILD_PRESENCES) !== 0;
    const count = Math.max(1, Math.ceil(members.length / CHUNK_SIZE));
    const answers = Array.from({ length: count }, (_, index): Answer => ({
      to: "asker",
      name: "GUILD_MEMBERS_CHUNK",
      data: {
        guild_id: guild.id,
        members: members.slice(index * CHUNK_SIZE, (index + 1) * CHUNK_SIZE),
        chunk_index: index,
        chunk_count: count,
        ...(notFound.length > 0 && { not_found: notFound }),
        ...(withPresences && { presences: [] }),
        ...tag,
      },
    }));
    return { answers, ...(ignoredBecause && { ignoredBecause }) };
  }
}

function byName(guild: FakeGuild, prefix: string, limit: number): readonly FakeMember[] {
  if (limit === Infinity) return guild.members;
  const most = limit === 0 ? MAX_BY_QUERY : Math.min(limit, MAX_BY_QUERY);
  const wanted = prefix.toLowerCase();
  return guild.members.filter(({ user }) => user.username.toLowerCase().startsWith(wanted)).slice(0, most);
}

function byId(
  guild: FakeGuild,
  userIds: unknown,
): { members: readonly FakeMember[]; notFound: readonly string[] } {
  const ids: readonly string[] = (Array.isArray(userIds) ? userIds : [userIds]).map(String);
  const members = guild.members.filter(({ user }) => ids.includes(user.id));
  return { members, notFound: ids.filter((id) => !members.some(({ user }) => user.id === id)) };
}

function channelInfo(d: JsonObject, guild: FakeGuild): Outcome {
  const fields: readonly unknown[] = Array.isArray(d.fields) ? d.fields : [];
  const channels = guild.channels.filter(({ type }) => type === 2).map(({ id }) => ({
    id,
    ...(fields.includes("status") && { status: null }),
    ...(fields.includes("voice_start_time") && { voice_start_time: null }),
  }));
  return { answers: [{ to: "asker", name: "CHANNEL_INFO", data: { guild_id: guild.id, channels } }] };
}

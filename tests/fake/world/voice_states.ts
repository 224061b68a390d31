/**
 * Who is in which voice channel, as the main gateway tells it.
 *
 * Where a client connects to is decided by a {@linkcode VoiceServers}; without one there is a name that leads nowhere.
 */

import type { FakeMember, World } from "./world.ts";

/** A voice state. @see https://docs.discord.com/developers/resources/voice#voice-state-object */
export interface FakeVoiceState {
  /** The guild. */
  readonly guild_id: string;
  /** The channel, `null` after leaving. */
  readonly channel_id: string | null;
  /** The user. */
  readonly user_id: string;
  /** The user as a member. */
  readonly member: FakeMember;
  /** The voice session's id. */
  readonly session_id: string;
  /** Deafened by a moderator. */
  readonly deaf: boolean;
  /** Muted by a moderator. */
  readonly mute: boolean;
  /** Deafened by itself. */
  readonly self_deaf: boolean;
  /** Muted by itself. */
  readonly self_mute: boolean;
  /** Whether its camera is on. */
  readonly self_video: boolean;
  /** Whether it may not speak. */
  readonly suppress: boolean;
  /** When it asked to speak. */
  readonly request_to_speak_timestamp: null;
}

/** Body of VOICE_SERVER_UPDATE. */
export interface FakeVoiceServerUpdate {
  /** The token for this admission. */
  readonly token: string;
  /** The guild. */
  readonly guild_id: string;
  /** Host and port; `null` while there is no server. */
  readonly endpoint: string | null;
}

/** Runs voice servers. */
export interface VoiceServers {
  /**
   * A user is in a channel: where it connects to, or `null` if it is connected there already. `again` says that it asked
   * for the channel that it is in.
   */
  enter(state: FakeVoiceState, again: boolean): FakeVoiceServerUpdate | null;
  /** A user is in no channel of the guild any more. */
  leave(guildId: string, userId: string): void;
}

/** What a user chooses for itself. */
export interface VoiceChoice {
  /** The channel, `null` for none. */
  readonly channelId: string | null;
  /** The voice session's id. */
  readonly sessionId: string;
  /** Whether it deafens itself. @default {false} */
  readonly selfDeaf?: boolean;
  /** Whether it mutes itself. @default {false} */
  readonly selfMute?: boolean;
}

/** A change of a voice state, and the server to connect to if there is a new one. */
export interface VoiceChange {
  /** Body of VOICE_STATE_UPDATE. */
  readonly state: FakeVoiceState;
  /** Body of VOICE_SERVER_UPDATE; `null` if none follows. */
  readonly server: FakeVoiceServerUpdate | null;
}

/** The voice states of all guilds. */
export class VoiceStates {
  /** Decides where clients connect to. */
  servers: VoiceServers = nowhere;
  readonly #world: World;
  readonly #states = new Map<string, FakeVoiceState>();

  /** Nobody is in voice yet. */
  constructor(world: World) {
    this.#world = world;
  }

  /** Who is in the voice channels of a guild. */
  of(guildId: string): readonly FakeVoiceState[] {
    return this.all.filter((state) => state.guild_id === guildId);
  }

  /** Everybody who is in voice. */
  get all(): readonly FakeVoiceState[] {
    return [...this.#states.values()];
  }

  /** Where a user is in a guild. */
  find(guildId: string, userId: string): FakeVoiceState | undefined {
    return this.#states.get(`${guildId} ${userId}`);
  }

  /** Whether one more user may enter a channel: it is open, and not full. */
  mayEnter(channelId: string, userId: string): boolean {
    const limit = this.#world.channel(channelId)?.user_limit ?? 0;
    const inside = this.all.filter((state) => state.channel_id === channelId && state.user_id !== userId);
    return !this.#world.isClosed(channelId) && (limit === 0 || inside.length < limit);
  }

  /** A user enters, moves, mutes itself or leaves; `null` if it leaves where it is not. */
  change(guildId: string, userId: string, choice: VoiceChoice): VoiceChange | null {
    const key = `${guildId} ${userId}`;
    const before = this.#states.get(key);
    const { channelId, sessionId, selfDeaf = false, selfMute = false } = choice;
    if (channelId === null && !before) return null;
    const state: FakeVoiceState = {
      guild_id: guildId,
      channel_id: channelId,
      user_id: userId,
      member: this.#world.member(guildId, userId),
      session_id: sessionId,
      deaf: false,
      mute: false,
      self_deaf: selfDeaf,
      self_mute: selfMute,
      self_video: false,
      suppress: false,
      request_to_speak_timestamp: null,
    };
    if (channelId === null) {
      this.#states.delete(key);
      this.servers.leave(guildId, userId);
      return { state, server: null };
    }
    this.#states.set(key, state);
    const isSame = before?.channel_id === channelId && before.session_id === sessionId;
    const isMuting = isSame && (before.self_deaf !== selfDeaf || before.self_mute !== selfMute);
    return { state, server: isMuting ? null : this.servers.enter(state, isSame) };
  }
}

/** Voice that nobody has opened. */
const nowhere: VoiceServers = {
  enter: ({ channel_id: channelId, guild_id }, again) =>
    again ? null : { token: `voice-${channelId}`, guild_id, endpoint: "voice.fake.invalid:443" },
  leave: () => {},
};

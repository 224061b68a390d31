/** The voice channels of a world, and who is let into them. */

import type { FakeUser, World } from "../world/world.ts";
import type { VoiceJoinRequest } from "./options.ts";

/** The type of channels without end-to-end encryption. */
const STAGE = 13;

/** What voice looks up in a world. */
export class VoiceChannels {
  readonly #world: World;

  /** Looks it up when it is asked. */
  constructor(world: World) {
    this.#world = world;
  }

  /** The guild that is meant where none is named. */
  get firstGuild(): string {
    const [guild] = this.#world.guilds;
    if (!guild) throw new TypeError("Cannot find the channel: there is no guild");
    return guild.id;
  }

  /** The voice channel that a place means. */
  channel(
    { guildId = this.firstGuild, channelId }: VoiceJoinRequest,
  ): { guildId: string; channelId: string } {
    const channel = channelId === undefined
      ? this.#world.guild(guildId)?.channels.find(({ type }) => type === 2 || type === STAGE)
      : this.#world.channel(channelId);
    if (!channel?.guild_id || channel.type !== 2 && channel.type !== STAGE) {
      throw new TypeError(`Cannot find the channel: there is no such voice channel: ${channelId ?? guildId}`);
    }
    return { guildId: channel.guild_id, channelId: channel.id };
  }

  /** A member by name or id. */
  member(guildId: string, nameOrId: string): FakeUser {
    return this.#world.member(guildId, nameOrId).user;
  }

  /** Whether a channel is one without end-to-end encryption. */
  isStage(channelId: string): boolean {
    return this.#world.channel(channelId)?.type === STAGE;
  }
}

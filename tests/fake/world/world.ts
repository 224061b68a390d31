/**
 * What exists in the fake Discord: guilds with channels and members, users, direct messages.
 *
 * All of it is in the shape of Discord's own JSON. Ids and times are made from a count and the fake's clock, so the
 * same test sees the same ids.
 */

import { shardIdOf } from "../../../gateway/snowflake.ts";

/** A user. @see https://docs.discord.com/developers/resources/user#user-object */
export interface FakeUser {
  /** The user's id. */
  readonly id: string;
  /** The name. */
  readonly username: string;
  /** Discord's remainder of old names. */
  readonly discriminator: "0";
  /** The display name. */
  readonly global_name: string | null;
  /** The image, always none. */
  readonly avatar: null;
  /** Whether it is a bot. */
  readonly bot?: boolean;
}

/** A member of a guild. @see https://docs.discord.com/developers/resources/guild#guild-member-object */
export interface FakeMember {
  /** The user. */
  readonly user: FakeUser;
  /** The name in this guild, always none. */
  readonly nick: null;
  /** Ids of the roles. */
  readonly roles: readonly string[];
  /** When the member joined, ISO 8601. */
  readonly joined_at: string;
  /** Deafened by a moderator. */
  readonly deaf: boolean;
  /** Muted by a moderator. */
  readonly mute: boolean;
  /** Bits about the member. */
  readonly flags: number;
}

/** A channel. @see https://docs.discord.com/developers/resources/channel#channel-object */
export interface FakeChannel {
  /** The channel's id. */
  readonly id: string;
  /** 0 text in a guild, 1 direct message, 2 voice, 13 stage. */
  readonly type: number;
  /** The name; a direct message has none. */
  readonly name?: string;
  /** The guild that it is in; a direct message is in none. */
  readonly guild_id?: string;
  /** The place in the guild's list. */
  readonly position?: number;
  /** How many users a voice channel takes; 0 is any number. */
  readonly user_limit?: number;
  /** The other side of a direct message. */
  readonly recipients?: readonly FakeUser[];
}

/** A guild. */
export interface FakeGuild {
  /** The guild's id. */
  readonly id: string;
  /** The name. */
  readonly name: string;
  /** Its channels. */
  readonly channels: readonly FakeChannel[];
  /** Its members, the bot included. */
  readonly members: readonly FakeMember[];
}

/** A guild to start with; whatever is left out is made up. */
export interface GuildSeed {
  /** The guild's id, which decides on its shard. */
  readonly id?: string;
  /** The name. */
  readonly name?: string;
  /** The channels: names of text channels, or more about each. @default {["general"]} */
  readonly channels?: readonly (string | ChannelSeed)[];
  /** The members besides the bot: their names, or how many. @default {["alice", "bob"]} */
  readonly members?: readonly string[] | number;
}

/** A channel to start with. */
export interface ChannelSeed {
  /** The channel's id. */
  readonly id?: string;
  /** The name. */
  readonly name: string;
  /** 0 text, 2 voice, 13 stage. @default {0} */
  readonly type?: number;
  /** How many users a voice channel takes; 0 is any number. @default {0} */
  readonly userLimit?: number;
  /** Whether a voice channel lets nobody in. @default {false} */
  readonly closed?: boolean;
}

/** Discord counts time in ids from 2015; the fake's clock starts at the beginning of 2026. */
const DISCORD_EPOCH_MS = 1_420_070_400_000;
const START_MS = 1_767_225_600_000;

/** A multiple of every count up to 16, so that the n-th guild is on shard n of any such count of shards. */
const FIRST_GUILD_TIME = 720_720n * 200_000n;
const FIRST_USER_TIME = 720_720n * 100_000n;

/** Guilds, channels, users and ids; used by the fake. */
export class World {
  /** The bot's own user. */
  readonly bot: FakeUser;
  readonly #guilds = new Map<string, FakeGuild & { channels: FakeChannel[]; members: FakeMember[] }>();
  readonly #channels = new Map<string, FakeChannel>();
  /** By id and by name. */
  readonly #users = new Map<string, FakeUser>();
  readonly #directMessages = new Map<string, FakeChannel>();
  readonly #closed = new Set<string>();
  #userCount = 0n;
  #lastId = 0n;

  /** Makes the guilds from their seeds. */
  constructor(seeds: readonly GuildSeed[]) {
    this.bot = this.#addUser("fake-bot", true);
    for (const seed of seeds) this.#addGuild(seed);
  }

  /** All guilds, in the order of their seeds. */
  get guilds(): readonly FakeGuild[] {
    return [...this.#guilds.values()];
  }

  /** The guilds whose events go to this shard. */
  guildsOf(shardId: number, shardCount: number): readonly FakeGuild[] {
    return this.guilds.filter((guild) => shardIdOf(guild.id, shardCount) === shardId);
  }

  /** A guild by its id. */
  guild(id: string): FakeGuild | undefined {
    return this.#guilds.get(id);
  }

  /** A channel by its id, direct messages included. */
  channel(id: string): FakeChannel | undefined {
    return this.#channels.get(id);
  }

  /** Whether a voice channel lets nobody in. */
  isClosed(channelId: string): boolean {
    return this.#closed.has(channelId);
  }

  /** The user with this name or id; made, if there is none. */
  user(nameOrId: string): FakeUser {
    return this.#users.get(nameOrId) ?? this.#addUser(nameOrId, false);
  }

  /** The user with this id. */
  userById(id: string): FakeUser | undefined {
    const user = this.#users.get(id);
    return user?.id === id ? user : undefined;
  }

  /** The member of this guild with this name or id; made, if there is none. */
  member(guildId: string, nameOrId: string): FakeMember {
    const guild = this.#guilds.get(guildId);
    if (!guild) throw new TypeError(`Cannot find the member: there is no such guild: ${guildId}`);
    const found = guild.members.find(({ user }) => user.id === nameOrId || user.username === nameOrId);
    if (found) return found;
    const member = newMember(this.user(nameOrId));
    guild.members.push(member);
    return member;
  }

  /** The channel of direct messages between the bot and this user; made, if there is none. */
  directMessageChannel(user: FakeUser): FakeChannel {
    const found = this.#directMessages.get(user.id);
    if (found) return found;
    const channel: FakeChannel = { id: `${BigInt(user.id) + 2n}`, type: 1, recipients: [user] };
    this.#directMessages.set(user.id, channel);
    this.#channels.set(channel.id, channel);
    return channel;
  }

  /** A new id, greater than all before it, with the time in it. */
  nextId(now: number): string {
    const id = BigInt(START_MS - DISCORD_EPOCH_MS + Math.max(0, Math.floor(now))) << 22n;
    this.#lastId = id > this.#lastId ? id : this.#lastId + 1n;
    return `${this.#lastId}`;
  }

  #addGuild(seed: GuildSeed): void {
    const id = seed.id ?? `${(FIRST_GUILD_TIME + BigInt(this.#guilds.size)) << 22n}`;
    if (this.#guilds.has(id)) {
      throw new TypeError(`Cannot make the guild: there is one with this id already: ${id}`);
    }
    const { name = `Guild ${this.#guilds.size + 1}`, channels = ["general"], members = ["alice", "bob"] } =
      seed;
    const names = typeof members === "number"
      ? Array.from({ length: members }, (_, index) => `member-${index + 1}`)
      : members;
    const guild = {
      id,
      name,
      channels: channels.map((channel, index): FakeChannel => {
        const seed: ChannelSeed = typeof channel === "string" ? { name: channel } : channel;
        const { name, type = 0, userLimit = 0, closed = false } = seed;
        const channelId = seed.id ?? `${BigInt(id) + 1n + BigInt(index)}`;
        if (closed) this.#closed.add(channelId);
        return {
          id: channelId,
          type,
          name,
          guild_id: id,
          position: index,
          ...(type !== 0 && { user_limit: userLimit }),
        };
      }),
      members: [this.bot, ...names.map((name) => this.user(name))].map(newMember),
    };
    this.#guilds.set(id, guild);
    for (const channel of guild.channels) this.#channels.set(channel.id, channel);
  }

  #addUser(username: string, bot: boolean): FakeUser {
    const id = `${(FIRST_USER_TIME + this.#userCount) << 22n}`;
    this.#userCount++;
    const user: FakeUser = {
      id,
      username,
      discriminator: "0",
      global_name: null,
      avatar: null,
      ...(bot && { bot }),
    };
    this.#users.set(id, user).set(username, user);
    return user;
  }
}

/** The fake's time as Discord writes it, ISO 8601. */
export function timestamp(now: number): string {
  return new Date(START_MS + Math.max(0, now)).toISOString().replace("Z", "000+00:00");
}

function newMember(user: FakeUser): FakeMember {
  return { user, nick: null, roles: [], joined_at: timestamp(0), deaf: false, mute: false, flags: 0 };
}

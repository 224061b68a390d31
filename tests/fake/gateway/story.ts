/** What members do: they write messages. */

import { type FakeMessage, messageEvent, newMessage } from "../world/payloads.ts";
import type { SessionRegistry } from "./session_registry.ts";
import type { FakeChannel, FakeUser, World } from "../world/world.ts";

/** A message that a member writes. */
export interface MessageOptions {
  /** The text; `<@id>` in it is a mention. */
  readonly content: string;
  /** The author's name or id; a new name is a new member. The first member by default. */
  readonly author?: string;
  /** The channel; the guild's first text channel by default. */
  readonly channelId?: string;
  /** The guild; the first one by default. */
  readonly guildId?: string;
  /** Whether it is a direct message to the bot. @default {false} */
  readonly direct?: boolean;
}

/** Plays what members do into the sessions. */
export class Story {
  readonly #world: World;
  readonly #sessions: SessionRegistry;

  /** Nothing has happened yet. */
  constructor(world: World, sessions: SessionRegistry) {
    this.#world = world;
    this.#sessions = sessions;
  }

  /** A member writes. */
  write(options: MessageOptions, now: number): FakeMessage {
    const { channel, author } = this.#place(options);
    return this.publish(newMessage(this.#world, { author, channel, content: options.content }, now), now);
  }

  /** A message exists: everybody who may know hears of it. */
  publish(message: FakeMessage, now: number): FakeMessage {
    const event = messageEvent(this.#world, message);
    this.#sessions.dispatch("MESSAGE_CREATE", event, {}, now);
    return event;
  }

  /** Members write many messages at once, each of at least `size` bytes. */
  flood(count: number, size: number, now: number): void {
    const { channel, author } = this.#place({});
    const draft = { author, channel, content: "" };
    const bare = JSON.stringify(messageEvent(this.#world, newMessage(this.#world, draft, now))).length;
    for (let index = 1; index <= count; index++) {
      const content = `${index} `.padEnd(size - bare, "x");
      this.publish(newMessage(this.#world, { ...draft, content }, now), now);
    }
  }

  #place(options: Partial<MessageOptions>): { channel: FakeChannel; author: FakeUser } {
    const { channelId, author: name, direct = false } = options;
    const guild = options.guildId === undefined ? this.#world.guilds[0] : this.#world.guild(options.guildId);
    if (direct) {
      const author = this.#world.user(name ?? guild?.members[1]?.user.username ?? "alice");
      return { author, channel: this.#world.directMessageChannel(author) };
    }
    const channel = channelId === undefined
      ? guild?.channels.find(({ type }) => type === 0)
      : this.#world.channel(channelId);
    if (!channel) {
      throw new TypeError(`Cannot write: there is no such channel or guild: ${channelId ?? options.guildId}`);
    }
    const [recipient] = channel.recipients ?? [];
    if (recipient || channel.guild_id === undefined) return { channel, author: recipient ?? this.#world.bot };
    const first = this.#world.guild(channel.guild_id)?.members[1]?.user.id;
    return { channel, author: this.#world.member(channel.guild_id, name ?? first ?? "alice").user };
  }
}

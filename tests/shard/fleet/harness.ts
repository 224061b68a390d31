/** A fleet on the fake Discord, in memory and in virtual time, with a consumer and a record of all that came out. */

import { assertEquals } from "@std/assert";
import {
  Fleet,
  type FleetEvent,
  type FleetOptions,
  type FleetShardStatus,
} from "../../../shard/fleet/mod.ts";
import { type FakeConnection, FakeDiscord, type FakeDiscordOptions, VirtualClock } from "../../fake/mod.ts";

type GuildName = "MESSAGE_CREATE" | "MESSAGE_REACTION_ADD";
type UngatedName = "READY" | "RESUMED";

/** An event of the harness' fleet. */
export type FleetItem = FleetEvent<GuildName | UngatedName>;

/** Options of the harness' fleet, without what the harness decides. */
export type FleetPlayOptions =
  & Omit<FleetOptions, "token" | "guildEvents" | "directMessageEvents" | "events">
  & {
    readonly discord?: FakeDiscord;
    readonly fake?: Omit<FakeDiscordOptions, "clock">;
    readonly clock?: VirtualClock;
    readonly token?: string;
    /** How the fleet is consumed. @default {"iterate"} */
    readonly by?: "iterate" | "run";
  };

/** The intents that bring guilds and the text of messages. */
const GUILDS_AND_CONTENT = 1 | 1 << 15;

/** A fleet, the Discord it talks to, and the clock of both. */
export class FleetPlay {
  readonly clock: VirtualClock;
  readonly discord: FakeDiscord;
  readonly fleet: Fleet<GuildName, never, UngatedName>;
  readonly statuses: FleetShardStatus[] = [];
  /** Every event that the consumer was given. */
  readonly items: FleetItem[] = [];
  /** Called by the consumer with each event; what it returns is awaited. */
  onItem: (item: FleetItem) => unknown = () => {};
  /** Resolves with what the consumer ended with, `null` without an error. */
  finished: Promise<unknown> = Promise.resolve("not started");
  readonly #by: "iterate" | "run";

  constructor({ discord, fake, clock, token, by = "iterate", ...options }: FleetPlayOptions = {}) {
    this.#by = by;
    this.clock = clock ?? new VirtualClock();
    this.discord = discord ?? new FakeDiscord({
      heartbeatInterval: 40_000,
      guilds: Array.from({ length: 12 }, () => ({})),
      ...fake,
      clock: this.clock,
    });
    this.fleet = new Fleet({
      dial: this.discord.dial,
      fetch: this.discord.fetch,
      platform: this.clock,
      api: "https://discord.test/api/v10",
      intents: GUILDS_AND_CONTENT,
      ...options,
      onStatus: (status) => {
        this.statuses.push(status);
        options.onStatus?.(status);
      },
      token: token ?? this.discord.token,
      guildEvents: ["MESSAGE_CREATE", "MESSAGE_REACTION_ADD"],
      events: ["READY", "RESUMED"],
    });
  }

  start(): this {
    this.finished = this.#consume().then(() => null, (error) => error);
    return this;
  }

  /** Starts, and returns when so many shards are live. */
  async live(count: number): Promise<this> {
    this.start();
    await this.clock.runUntil(() => this.fleet.status.counts.live === count);
    return this;
  }

  /** Lets everything run that is ready. */
  async settle(): Promise<void> {
    await this.clock.advance(0);
  }

  /** A member writes a number in the n-th guild, which is on shard n of any count up to 12. */
  write(text: string | number, guild = 0): void {
    this.discord.sendMessage({ content: `${text}`, guildId: this.discord.guilds[guild]!.id });
  }

  /** The same as a reaction, which has no id of its own. */
  react(text: string | number, guild = 0): void {
    const { id, channels, members } = this.discord.guilds[guild]!;
    this.discord.dispatch("MESSAGE_REACTION_ADD", {
      guild_id: id,
      channel_id: channels[0]?.id,
      message_id: id,
      user_id: members[1]?.user.id,
      emoji: { id: null, name: `${text}` },
      burst: false,
      type: 0,
    });
  }

  /** What members wrote and reacted, as the consumer got it. */
  get texts(): string[] {
    return this.items.flatMap((item) => textOf(item) ?? []);
  }

  /** The names of the events, each with its shard. */
  get names(): string[] {
    return this.items.map(({ shardId, event }) => `${event.t} ${shardId}`);
  }

  /** The open connection of a shard. */
  connection(shardId: number, count?: number): FakeConnection {
    const found = this.discord.connections.find(({ shard }) =>
      shard?.[0] === shardId && (count === undefined || shard[1] === count)
    );
    if (!found) throw new Error(`shard ${shardId} has no connection`);
    return found;
  }

  /** Closes, and fails if anything is left. */
  async close(options: { readonly keepSession?: boolean } = {}): Promise<void> {
    await this.fleet.close(options);
    await this.finished;
    assertQuiet(this);
  }

  async #consume(): Promise<void> {
    const take = (item: FleetItem) => {
      this.items.push(item);
      return this.onItem(item);
    };
    if (this.#by === "run") return await this.fleet.run(async (item) => void await take(item));
    for await (const item of this.fleet) await take(item);
  }
}

/** What a member wrote, or reacted with. */
export function textOf({ event }: FleetItem): string | null {
  if (event.t === "MESSAGE_CREATE") return event.d.content;
  return event.t === "MESSAGE_REACTION_ADD" ? event.d.emoji.name : null;
}

/** Fails if anything of a closed fleet is left: a timer, a connection. */
export function assertQuiet({ clock, discord, fleet }: FleetPlay): void {
  assertEquals(fleet.status.state, "closed");
  assertEquals(clock.pending, 0, "no timer is left");
  assertEquals(discord.connections.length, 0, "no connection is left");
}

/** The frames of commands (op 3, 4, 8, 31, 43) that the fake got, each with the shard that it came on. */
export function commandsOf({ discord }: FleetPlay): { op: number; shard: string; d: unknown }[] {
  const shardOf = new Map<number, string>();
  for (const { id, shard } of discord.connections) if (shard) shardOf.set(id, shard.join("/"));
  return discord.journal.of("frame").flatMap(({ op, connectionId, d }) =>
    op !== null && [3, 4, 8, 31, 43].includes(op)
      ? [{ op, shard: shardOf.get(connectionId) ?? "gone", d }]
      : []
  );
}

/**
 * A shard on the fake Discord, in memory and in virtual time, with a consumer and a record of all that came out.
 *
 * Nothing here waits: a test moves the clock, and whatever is ready runs.
 */

import { assertEquals } from "@std/assert";
import { Shard, type ShardEvent, type ShardOptions, type ShardStatus } from "../../mod.ts";
import { type FakeConnection, FakeDiscord, type FakeDiscordOptions, VirtualClock } from "../fake/mod.ts";

/** The names that the harness' shard asks for. */
type GuildName = "MESSAGE_CREATE";
type UngatedName = "READY" | "RESUMED";

/** An event of the harness' shard. */
export type PlayEvent = ShardEvent<GuildName | UngatedName>;

/** Options of the harness' shard, without what the harness decides. */
export type PlayOptions =
  & Omit<
    ShardOptions<GuildName, never, UngatedName>,
    "token" | "guildEvents" | "directMessageEvents" | "events"
  >
  & {
    /** The fake to play on; a fresh one by default. */
    readonly discord?: FakeDiscord;
    /** The fake's options, where a fresh one is made. */
    readonly fake?: Omit<FakeDiscordOptions, "clock">;
    /** The bot's token; the right one by default. */
    readonly token?: string;
    /** The clock; a fresh one by default. */
    readonly clock?: VirtualClock;
  };

/** A shard, the Discord it talks to, and the clock of both. */
export class Play {
  /** The only time there is. */
  readonly clock: VirtualClock;
  /** The other side. */
  readonly discord: FakeDiscord;
  /** The shard under test. */
  readonly shard: Shard<GuildName, never, UngatedName>;
  /** Every status, in order. */
  readonly statuses: ShardStatus[] = [];
  /** Every event that the consumer was given. */
  readonly events: PlayEvent[] = [];
  /** Called by the consumer with each event; what it returns is awaited. */
  onEvent: (event: PlayEvent) => unknown = () => {};
  /** Resolves with what the consumer's loop ended with, `null` without an error. */
  finished: Promise<unknown> = Promise.resolve("not started");

  /** Makes the shard; nothing has started. */
  constructor({ discord, fake, clock, token, ...options }: PlayOptions = {}) {
    this.clock = clock ?? new VirtualClock();
    this.discord = discord ?? new FakeDiscord({ heartbeatInterval: 40_000, ...fake, clock: this.clock });
    this.shard = new Shard({
      dial: this.discord.dial,
      fetch: this.discord.fetch,
      platform: this.clock,
      // Whatever DISCORD_API says on this machine.
      api: "https://discord.test/api/v10",
      ...options,
      onStatus: (status) => {
        this.statuses.push(status);
        options.onStatus?.(status);
      },
      token: token ?? this.discord.token,
      guildEvents: ["MESSAGE_CREATE"],
      events: ["READY", "RESUMED"],
    });
  }

  /** Starts to consume by `for await`. */
  start(): this {
    this.finished = this.#consume();
    return this;
  }

  /** Starts to consume, and returns once the session is usable. */
  async live(): Promise<this> {
    this.start();
    await this.untilState("live");
    return this;
  }

  /** Steps the clock until the shard's status is this one. */
  async untilState(state: ShardStatus["state"]): Promise<void> {
    await this.clock.runUntil(() => this.shard.status.state === state);
  }

  /** The one open connection. */
  get connection(): FakeConnection {
    const { connections } = this.discord;
    assertEquals(connections.length, 1, "there is one connection");
    return connections[0]!;
  }

  /** The states of all statuses, in order. */
  get states(): string[] {
    return this.statuses.map(({ state }) => state);
  }

  /** The statuses of one kind. */
  statusesOf<State extends ShardStatus["state"]>(state: State): Extract<ShardStatus, { state: State }>[] {
    return this.statuses.filter((status): status is Extract<ShardStatus, { state: State }> =>
      status.state === state
    );
  }

  /** The names of the events that came. */
  get names(): string[] {
    return this.events.map(({ t }) => t);
  }

  /** The ids of the messages that came. */
  get messageIds(): string[] {
    return this.events.flatMap((event) => event.t === "MESSAGE_CREATE" ? [event.d.id] : []);
  }

  /** A member writes so many messages; returns their ids. */
  write(count = 1): string[] {
    return Array.from({ length: count }, (_, index) => this.discord.sendMessage({ content: `${index}` }).id);
  }

  async #consume(): Promise<unknown> {
    try {
      for await (const event of this.shard) {
        this.events.push(event);
        await this.onEvent(event);
      }
      return null;
    } catch (error) {
      return error;
    }
  }
}

/** A field of a body of unknown shape. */
export function field(body: unknown, name: string): unknown {
  return typeof body === "object" && body !== null ? Reflect.get(body, name) : undefined;
}

/** Fails if anything of a closed shard is left: a timer, a connection. */
export function assertQuiet({ clock, discord, shard }: Play): void {
  assertEquals(shard.status.state, "closed");
  assertEquals(clock.pending, 0, "no timer is left");
  assertEquals(discord.connections.length, 0, "no connection is left");
}

/** The codes by which connections ended, in order. */
export function closeCodes({ discord }: Play): (number | null)[] {
  return discord.journal.of("close").map(({ code }) => code);
}

/** Lets everything that is ready run, without time passing, and then waits for what was promised. */
export async function settled<T>(clock: VirtualClock, promise: Promise<T>): Promise<T> {
  // It may reject while the clock steps.
  promise.catch(() => {});
  await clock.advance(0);
  return await promise;
}

/** A bot in a Durable Object, and the Discord that it talks to, in one virtual time. */

import { ShardHost, type ShardHostOptions } from "../../shard/durable_object/mod.ts";
import { FakeDiscord, type FakeDiscordOptions, VirtualClock } from "../fake/mod.ts";
import { EPOCH_MS, type Surroundings, VirtualObject } from "./virtual_object.ts";

/** The names that the bot asks for. */
type GuildName = "MESSAGE_CREATE";
/** A bot's host. */
export type TestHost = ShardHost<GuildName>;
/** Its options, without what the harness decides. */
export type TestHostOptions = Partial<ShardHostOptions<GuildName>>;

/** A bot of the tests: it reads messages, and knows no other Discord. */
export function hostOf(
  { ctx, platform, isDead }: Surroundings,
  discord: FakeDiscord,
  onMessage: (content: string) => void,
  options: TestHostOptions,
): TestHost {
  const forEver = new Promise<never>(() => {});
  return new ShardHost(ctx, {
    token: discord.token,
    guildEvents: ["MESSAGE_CREATE"],
    intents: 1 << 15,
    handler: (event) => {
      if (event.t === "MESSAGE_CREATE") onMessage(event.d.content);
    },
    fetch: discord.fetch,
    // Whatever DISCORD_API says on this machine.
    api: "https://discord.com/api/v10",
    wallClock: () => EPOCH_MS + platform.now(),
    ...options,
    dial: (url, options) => isDead() ? forEver : discord.dial(url, options),
    platform,
  });
}

/** An object, the Discord that its bot talks to, and the clock of both. */
export class VirtualBot extends VirtualObject<TestHost> {
  /** The other side. */
  readonly discord: FakeDiscord;
  /** The contents of messages that the handler has handled, over all runs. */
  readonly handled: string[];

  /** Makes an object that nobody has asked for anything yet. */
  constructor(options: TestHostOptions = {}, fake: FakeDiscordOptions = {}) {
    const clock = new VirtualClock();
    const discord = new FakeDiscord({ heartbeatInterval: 40_000, ...fake, clock });
    const handled: string[] = [];
    super(clock, (around) => hostOf(around, discord, (content) => handled.push(content), options));
    this.discord = discord;
    this.handled = handled;
  }

  /** The host, made anew where the object is gone. */
  get host(): TestHost {
    return this.object;
  }

  /** Starts the bot and waits until it is live. */
  async live(): Promise<void> {
    await this.host.start();
    await this.clock.runUntil(() => this.host.status.state === "live");
    // Frames that come with READY.
    await this.clock.advance(0);
  }

  /** The object is gone, without notice, and its socket is cut without a close frame. */
  async kill(): Promise<void> {
    this.die();
    for (const connection of this.discord.connections) connection.drop();
    await this.clock.advance(0);
  }

  /** Stops whatever runs, so that no timer is left. */
  async end(): Promise<void> {
    const stopping = this.host.stop({ keepSession: true });
    await this.clock.advance(0);
    await stopping;
    await this.discord.close();
  }

  /** A member writes these messages. */
  write(...contents: string[]): void {
    for (const content of contents) this.discord.sendMessage({ content });
  }
}

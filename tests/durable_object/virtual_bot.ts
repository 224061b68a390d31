/** A bot in a Durable Object and a fake Discord, on one virtual clock. */

import { ShardHost, type ShardHostOptions } from "../../shard/durable_object/mod.ts";
import { FakeDiscord, type FakeDiscordOptions, VirtualClock } from "../fake/mod.ts";
import { EPOCH_MS, type IncarnationContext, VirtualObject } from "./virtual_object.ts";

/** The names of the bot's guild events. */
type GuildName = "MESSAGE_CREATE";
/** A bot's host. */
export type TestHost = ShardHost<GuildName>;
/** Options of the host that a test may set. */
export type TestHostOptions = Partial<ShardHostOptions<GuildName>>;

/** The host of a test's bot, which reads messages from the fake Discord. */
export function hostOf(
  { ctx, platform, isDead }: IncarnationContext,
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
    // Independent of this machine's DISCORD_API.
    api: "https://discord.com/api/v10",
    wallClock: () => EPOCH_MS + platform.now(),
    ...options,
    dial: (url, options) => isDead() ? forEver : discord.dial(url, options),
    platform,
  });
}

/** A bot's object, its fake Discord, and the clock of both. */
export class VirtualBot extends VirtualObject<TestHost> {
  /** The fake Discord. */
  readonly discord: FakeDiscord;
  /** The contents of messages that the handler has handled, over all runs. */
  readonly handled: string[];

  /** An object without an incarnation yet. */
  constructor(options: TestHostOptions = {}, fake: FakeDiscordOptions = {}) {
    const clock = new VirtualClock();
    const discord = new FakeDiscord({ heartbeatInterval: 40_000, ...fake, clock });
    const handled: string[] = [];
    super(clock, (context) => hostOf(context, discord, (content) => handled.push(content), options));
    this.discord = discord;
    this.handled = handled;
  }

  /** The host of the present incarnation, or of a new one. */
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

  /** Kills the object without notice, and cuts its socket without a close frame. */
  async kill(): Promise<void> {
    this.die();
    for (const connection of this.discord.connections) connection.drop();
    await this.clock.advance(0);
  }

  /** Stops everything, so that no timer is left. */
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

/** A coordinator and its shards, each in an object that can be killed, on one virtual clock. */

import { FleetHost, type HostedShard } from "../../shard/durable_object/mod.ts";
import { DurableObjectIdentifyLimiter } from "../../ratelimit/identify/durable_object.ts";
import { FakeDiscord, type FakeDiscordOptions, VirtualClock } from "../fake/mod.ts";
import { hostOf, type TestHost, type TestHostOptions } from "./virtual_bot.ts";
import { EPOCH_MS, type IncarnationContext, VirtualObject } from "./virtual_object.ts";

/** Options of a {@linkcode VirtualFleet}. */
export interface VirtualFleetOptions {
  /** Options of the fake Discord. */
  readonly fake?: FakeDiscordOptions;
  /** Options of each shard's host. */
  readonly shard?: TestHostOptions;
}

/** A coordinator, its shards and a fake Discord. */
export class VirtualFleet {
  /** The virtual clock. */
  readonly clock = new VirtualClock();
  /** The fake Discord. */
  readonly discord: FakeDiscord;
  /** The coordinator's object. */
  readonly coordinator: VirtualObject<FleetHost>;
  /** The shards' objects, by "id of count". */
  readonly shards = new Map<string, VirtualObject<TestHost>>();
  /** How often each message was handled, by its content. */
  readonly handled = new Map<string, number>();
  /** Objects that do not respond, by name: calls to them hang or fail. */
  readonly broken = new Map<string, "hangs" | "fails">();
  /** Calls to shards, as "start 3 of 16". */
  readonly calls: string[] = [];
  readonly #options: VirtualFleetOptions;

  /** A fleet that is not started yet. */
  constructor(options: VirtualFleetOptions = {}) {
    this.#options = options;
    this.discord = new FakeDiscord({ heartbeatInterval: 40_000, ...options.fake, clock: this.clock });
    this.coordinator = new VirtualObject(this.clock, ({ ctx, platform }) =>
      new FleetHost(ctx, {
        token: this.discord.token,
        shard: (id, count) => this.#stub(`${id} of ${count}`),
        fetch: this.discord.fetch,
        api: "https://discord.com/api/v10",
        platform,
        wallClock: () => EPOCH_MS + this.clock.now(),
      }));
  }

  /** The coordinator of the present incarnation, or of a new one. */
  get host(): FleetHost {
    return this.coordinator.object;
  }

  /** Runs until as many shards of this count are live. */
  async live(count: number): Promise<void> {
    await this.clock.runUntil(() => this.liveShards(count) === count);
  }

  /** How many shards of this count are live. */
  liveShards(count: number): number {
    return [...this.shards].filter(([name, { object }]) =>
      name.endsWith(` of ${count}`) && object.status.state === "live"
    ).length;
  }

  /** Advances the virtual clock until a promise settles. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let over = false;
    const done = promise.finally(() => over = true);
    done.catch(() => {});
    await this.clock.runUntil(() => over);
    return await done;
  }

  /** Stops everything, so that no timer is left. */
  async end(): Promise<void> {
    this.broken.clear();
    await this.during(this.host.stop());
    await this.clock.runUntil(() => this.coordinator.alarmAt === null);
    await this.clock.advance(0);
    await this.discord.close();
  }

  #stub(name: string): HostedShard {
    let shard = this.shards.get(name);
    if (!shard) {
      this.shards.set(
        name,
        shard = new VirtualObject(this.clock, (context) => this.#bot(context)),
      );
    }
    const own = shard;
    const call = async <T>(what: string, act: (bot: TestHost) => T | Promise<T>): Promise<T> => {
      if (what !== "status") this.calls.push(`${what} ${name}`);
      await Promise.resolve();
      const fault = this.broken.get(name);
      if (fault === "hangs") return await new Promise<never>(() => {});
      if (fault === "fails") throw new Error("Network connection lost");
      return structuredClone(await act(own.object));
    };
    return {
      start: (options) => call("start", (bot) => bot.start(options)),
      stop: (options) => call(options.keepSession ? "park" : "stop", (bot) => bot.stop(options)),
      retire: () => call("retire", (bot) => bot.retire()),
      status: () => call("status", (bot) => bot.status),
      trySend: (command) => call("send", (bot) => bot.trySend(command)),
    };
  }

  #bot(context: IncarnationContext): TestHost {
    const onMessage = (content: string) => this.handled.set(content, (this.handled.get(content) ?? 0) + 1);
    return hostOf(context, this.discord, onMessage, {
      identifyLimiter: new DurableObjectIdentifyLimiter({
        idFromName: (name) => name,
        get: () => ({
          exchange: (request) => Promise.resolve(this.host.exchange(request)),
          fetch: () => Promise.reject(new TypeError("Only called over RPC")),
        }),
      }, { clock: context.platform }),
      ...this.#options.shard,
    });
  }
}

/**
 * A coordinator and the shards that it calls, each an object of its own that can die, in one virtual time.
 *
 * What is dead answers nobody, and its timers never fire; the next call or alarm makes it anew from its storage.
 */

import { FleetHost, type HostedShard, ShardHost, type ShardHostOptions } from "../../shard/durable_object.ts";
import type { DurableObjectStateLike } from "../../shard/durable_object_state.ts";
import type { Host } from "../../shard/host.ts";
import { DurableObjectIdentifyLimiter } from "../../ratelimit/identify_durable_object.ts";
import { FakeDiscord, type FakeDiscordOptions, VirtualClock } from "../fake/mod.ts";

/** The wall clock's lead over the virtual one, in ms. */
const EPOCH_MS = 1_700_000_000_000;

/** Makes the class that an object holds; called anew for each of its lives. */
type Make<T> = (ctx: DurableObjectStateLike, host: Host) => T;

/** One object: its storage outlives it. */
export class VirtualObjectOf<T extends { alarm(): Promise<void> }> {
  /** What lies in its storage. */
  readonly values = new Map<string, unknown>();
  /** Rows written. */
  rows = 0;
  /** Alarms delivered. */
  alarms = 0;
  readonly #clock: VirtualClock;
  readonly #make: Make<T>;
  #life: { dead: boolean; object?: T } | null = null;
  #alarm: { readonly at: number; readonly timer: unknown } | null = null;

  /** An object that nobody has asked for anything yet. */
  constructor(clock: VirtualClock, make: Make<T>) {
    this.#clock = clock;
    this.#make = make;
  }

  /** When its alarm is due on the virtual clock, in ms. */
  get alarmAt(): number | null {
    return this.#alarm?.at ?? null;
  }

  /** The object, made anew where it is gone. */
  get object(): T {
    const life = this.#life ??= { dead: false };
    return life.object ??= this.#make(this.#ctx(life), this.#host(life));
  }

  /** The object is gone, without notice. */
  kill(): void {
    if (this.#life) this.#life.dead = true;
    this.#life = null;
  }

  #host(life: { readonly dead: boolean }): Host {
    const clock = this.#clock;
    return {
      now: () => clock.now(),
      random: () => clock.random(),
      setTimeout: (callback, delayMs) => clock.setTimeout(() => life.dead || callback(), delayMs),
      clearTimeout: (timer) => clock.clearTimeout(timer),
    };
  }

  #ctx(life: { readonly dead: boolean }): DurableObjectStateLike {
    const unlessDead = (act: () => void) => {
      if (life.dead) return;
      this.rows++;
      act();
    };
    return {
      storage: {
        kv: {
          get: (key) => structuredClone(this.values.get(key)),
          put: (key, value) => unlessDead(() => this.values.set(key, structuredClone(value))),
          delete: (key) => {
            const had = this.values.has(key);
            unlessDead(() => this.values.delete(key));
            return had;
          },
        },
        getAlarm: () => Promise.resolve(this.#alarm && EPOCH_MS + this.#alarm.at),
        setAlarm: (at) => {
          unlessDead(() => this.#setAlarm(at - EPOCH_MS));
          return Promise.resolve();
        },
        deleteAlarm: () => {
          if (!life.dead) this.#setAlarm(null);
          return Promise.resolve();
        },
      },
    };
  }

  #setAlarm(at: number | null): void {
    if (this.#alarm) this.#clock.clearTimeout(this.#alarm.timer);
    this.#alarm = at === null ? null : {
      at,
      timer: this.#clock.setTimeout(() => {
        this.#alarm = null;
        this.alarms++;
        void this.object.alarm();
      }, at - this.#clock.now()),
    };
  }
}

/** A bot of the tests. */
type Bot = ShardHost<"MESSAGE_CREATE", never, never>;

/** Options of a {@linkcode VirtualFleet}. */
export interface VirtualFleetOptions {
  /** The other side. */
  readonly fake?: FakeDiscordOptions;
  /** What a shard's host does differently. */
  readonly shard?: Partial<ShardHostOptions<"MESSAGE_CREATE">>;
}

/** A coordinator, its shards, and the Discord that they talk to. */
export class VirtualFleet {
  /** The only time there is. */
  readonly clock = new VirtualClock();
  /** The other side. */
  readonly discord: FakeDiscord;
  /** The coordinator's object. */
  readonly coordinator: VirtualObjectOf<FleetHost>;
  /** The shards' objects, by "id of count". */
  readonly shards = new Map<string, VirtualObjectOf<Bot>>();
  /** Messages that were handled: their contents, and how often. */
  readonly handled = new Map<string, number>();
  /** Objects that do not answer, by name: calls to them hang or fail. */
  readonly broken = new Map<string, "hangs" | "fails">();
  /** Calls to shards, as "start 3 of 16". */
  readonly calls: string[] = [];
  readonly #options: VirtualFleetOptions;

  /** A fleet that was never started. */
  constructor(options: VirtualFleetOptions = {}) {
    this.#options = options;
    this.discord = new FakeDiscord({ heartbeatInterval: 40_000, ...options.fake, clock: this.clock });
    this.coordinator = new VirtualObjectOf(this.clock, (ctx, host) =>
      new FleetHost(ctx, {
        token: this.discord.token,
        shard: (id, count) => this.#stub(`${id} of ${count}`),
        fetch: this.discord.fetch,
        api: "https://discord.com/api/v10",
        host,
        wallClock: () => EPOCH_MS + this.clock.now(),
      }));
  }

  /** The coordinator, made anew where it is gone. */
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

  /** Lets virtual time pass while something real is waited for. */
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
        shard = new VirtualObjectOf(this.clock, (ctx, host) => this.#bot(ctx, host)),
      );
    }
    const own = shard;
    const call = async <T>(what: string, act: (bot: Bot) => T | Promise<T>): Promise<T> => {
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

  #bot(ctx: DurableObjectStateLike, host: Host): Bot {
    const { discord, clock } = this;
    return new ShardHost(ctx, {
      token: discord.token,
      guildEvents: ["MESSAGE_CREATE"],
      intents: 1 << 15,
      handler: (event) => {
        if (event.t !== "MESSAGE_CREATE") return;
        this.handled.set(event.d.content, (this.handled.get(event.d.content) ?? 0) + 1);
      },
      identifyLimiter: new DurableObjectIdentifyLimiter({
        idFromName: (name) => name,
        get: () => ({
          exchange: (request) => Promise.resolve(this.host.exchange(request)),
          fetch: () => Promise.reject(new TypeError("Only called over RPC")),
        }),
      }, { clock: host }),
      dial: discord.dial,
      fetch: discord.fetch,
      api: "https://discord.com/api/v10",
      host,
      wallClock: () => EPOCH_MS + clock.now(),
      ...this.#options.shard,
    });
  }
}

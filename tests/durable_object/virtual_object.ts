/**
 * A Durable Object in virtual time: storage that outlives it, one alarm, and a death that takes everything else.
 *
 * What dies is dead at once, as in workerd: its timers never fire, its socket is cut without a close frame, and what it
 * still writes reaches no storage.
 */

import { ShardHost, type ShardHostOptions } from "../../shard/durable_object.ts";
import type { DurableObjectStateLike } from "../../shard/durable_object_state.ts";
import { FakeDiscord, type FakeDiscordOptions, VirtualClock } from "../fake/mod.ts";

/** The names that the bot asks for. */
type GuildName = "MESSAGE_CREATE";
/** A bot's host. */
export type TestHost = ShardHost<GuildName>;
/** Its options, without what the harness decides. */
export type TestHostOptions = Partial<ShardHostOptions<GuildName>>;

/** What it costs. */
export interface Usage {
  /** Rows written. */
  rows: number;
  /** Alarms delivered; each is a request. */
  alarms: number;
}

interface Life {
  host: TestHost;
  dead: boolean;
  /** Timers that have not fired: they die with it. */
  timers: Set<unknown>;
  /** An alarm is being delivered. */
  inAlarm: boolean;
}

/** The wall clock's lead over the virtual one, in ms. */
const EPOCH_MS = 1_700_000_000_000;

/** An object, the Discord that its bot talks to, and the clock of both. */
export class VirtualObject {
  /** The only time there is. */
  readonly clock: VirtualClock;
  /** The other side. */
  readonly discord: FakeDiscord;
  /** What lies in its storage. */
  readonly values = new Map<string, unknown>();
  /** What it has cost so far. */
  readonly usage: Usage = { rows: 0, alarms: 0 };
  /** What alarms have thrown: nothing may. */
  readonly alarmErrors: unknown[] = [];
  /** The contents of messages that the handler has handled, over all lives. */
  readonly handled: string[] = [];
  /** How often an object was made. */
  lives = 0;
  /** Alarms to refuse, with this error. */
  refuseAlarms: Error[] = [];
  /** When the alarm is due on the virtual clock, in ms. */
  alarmAt: number | null = null;
  readonly #options: TestHostOptions;
  #alarmTimer: unknown = null;
  #life: Life | null = null;

  /** Makes an object that nobody has asked for anything yet. */
  constructor(options: TestHostOptions = {}, fake: FakeDiscordOptions = {}) {
    this.clock = new VirtualClock();
    this.discord = new FakeDiscord({ heartbeatInterval: 40_000, ...fake, clock: this.clock });
    this.#options = options;
  }

  /** The host, made anew where the object is gone: what any request does. */
  get host(): TestHost {
    return (this.#life ??= this.#make()).host;
  }

  /** Whether there is an object in memory. */
  get isAlive(): boolean {
    return this.#life !== null;
  }

  /** Starts the bot and waits until it is live. */
  async live(): Promise<void> {
    await this.host.start();
    await this.clock.runUntil(() => this.host.status.state === "live");
    // Frames that come with READY.
    await this.clock.advance(0);
  }

  /** The object is gone, without notice. Nothing is there until the next alarm or request. */
  async kill(): Promise<void> {
    if (this.#life) {
      this.#life.dead = true;
      for (const timer of this.#life.timers) this.clock.clearTimeout(timer);
      // An alarm that its object did not survive is delivered again, unless another was set meanwhile.
      if (this.#life.inAlarm && this.alarmAt === null) this.#setAlarm(this.clock.now() + 2_000);
    }
    this.#life = null;
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

  #make(): Life {
    this.lives++;
    const life = { dead: false, inAlarm: false, timers: new Set<unknown>() };
    const { clock, discord } = this;
    const forEver = new Promise<never>(() => {});
    const host = new ShardHost(this.#ctx(life), {
      token: discord.token,
      guildEvents: ["MESSAGE_CREATE"],
      intents: 1 << 15,
      handler: (event) => {
        if (event.t === "MESSAGE_CREATE") this.handled.push(event.d.content);
      },
      fetch: discord.fetch,
      // Whatever DISCORD_API says on this machine.
      api: "https://discord.com/api/v10",
      wallClock: () => EPOCH_MS + clock.now(),
      ...this.#options,
      dial: (url, options) => life.dead ? forEver : discord.dial(url, options),
      host: {
        now: () => clock.now(),
        random: () => clock.random(),
        setTimeout: (callback, delayMs) => {
          // What is still under way when it dies may arm one after that.
          if (life.dead) return null;
          const timer = clock.setTimeout(() => {
            life.timers.delete(timer);
            callback();
          }, delayMs);
          life.timers.add(timer);
          return timer;
        },
        clearTimeout: (timer) => {
          life.timers.delete(timer);
          clock.clearTimeout(timer);
        },
      },
    });
    return Object.assign(life, { host });
  }

  #ctx(life: { readonly dead: boolean }): DurableObjectStateLike {
    const write = <T>(act: () => T, otherwise: T): T => {
      if (life.dead) return otherwise;
      this.usage.rows++;
      return act();
    };
    return {
      storage: {
        kv: {
          get: (key) => structuredClone(this.values.get(key)),
          put: (key, value) => write(() => void this.values.set(key, structuredClone(value)), undefined),
          delete: (key) => this.values.has(key) && write(() => this.values.delete(key), false),
        },
        getAlarm: () => Promise.resolve(this.alarmAt === null ? null : EPOCH_MS + this.alarmAt),
        setAlarm: (at) => {
          const refusal = this.refuseAlarms.shift();
          if (refusal) return Promise.reject(refusal);
          write(() => this.#setAlarm(at - EPOCH_MS), undefined);
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
    if (this.#alarmTimer !== null) this.clock.clearTimeout(this.#alarmTimer);
    this.#alarmTimer = null;
    this.alarmAt = at;
    if (at === null) return;
    this.#alarmTimer = this.clock.setTimeout(() => {
      this.#alarmTimer = null;
      this.alarmAt = null;
      this.usage.alarms++;
      const life = this.#life ??= this.#make();
      life.inAlarm = true;
      life.host.alarm({ retryCount: 0, isRetry: false })
        .catch((error) => this.alarmErrors.push(error))
        .finally(() => life.inAlarm = false);
    }, at - this.clock.now());
  }
}

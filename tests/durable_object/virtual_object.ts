/**
 * A Durable Object in virtual time: storage that outlives it, one alarm, and a death that takes everything else.
 *
 * What dies is dead at once, as in workerd: its timers never fire, what it still writes reaches no storage, and the next
 * call or alarm makes it anew.
 */

import type { DurableObjectStateLike } from "../../shard/durable_object/object_state.ts";
import type { Platform } from "../../shard/pipe/platform.ts";
import type { VirtualClock } from "../fake/mod.ts";

/** The wall clock's lead over the virtual one, in ms. */
export const EPOCH_MS = 1_700_000_000_000;

/** What it costs. */
export interface Usage {
  /** Rows written. */
  rows: number;
  /** Alarms delivered; each is a request. */
  alarms: number;
}

/** What one incarnation of an object has of the world. */
export interface Surroundings {
  /** As Cloudflare gives it to the class. */
  readonly ctx: DurableObjectStateLike;
  /** Clock and timers; they die with the object. */
  readonly platform: Platform;
  /** Whether it is dead; what is still under way may ask. */
  readonly isDead: () => boolean;
}

interface Life<T> {
  dead: boolean;
  object?: T;
  /** Timers that have not fired. */
  readonly timers: Set<unknown>;
  /** An alarm is being delivered. */
  inAlarm: boolean;
}

/** One object of a class. */
export class VirtualObject<T extends { alarm(info?: unknown): Promise<void> }> {
  /** The only time there is. */
  readonly clock: VirtualClock;
  /** What lies in its storage. */
  readonly values = new Map<string, unknown>();
  /** What it has cost so far. */
  readonly usage: Usage = { rows: 0, alarms: 0 };
  /** What alarms have thrown: nothing may. */
  readonly alarmErrors: unknown[] = [];
  /** How often it was made. */
  lives = 0;
  /** Alarms to refuse, with this error. */
  refuseAlarms: Error[] = [];
  /** When the alarm is due on the virtual clock, in ms. */
  alarmAt: number | null = null;
  readonly #make: (around: Surroundings) => T;
  #alarmTimer: unknown = null;
  #life: Life<T> | null = null;

  /** An object that nobody has asked for anything yet; `make` is called anew for each of its runs. */
  constructor(clock: VirtualClock, make: (around: Surroundings) => T) {
    this.clock = clock;
    this.#make = make;
  }

  /** The object, made anew where it is gone: what any request does. */
  get object(): T {
    return this.#objectOf(this.#alive());
  }

  /** Whether there is an object in memory. */
  get isAlive(): boolean {
    return this.#life !== null;
  }

  /** The object is gone, without notice. Nothing is there until the next alarm or request. */
  die(): void {
    const life = this.#life;
    this.#life = null;
    if (life === null) return;
    life.dead = true;
    for (const timer of life.timers) this.clock.clearTimeout(timer);
    // An alarm that its object did not survive is delivered again, unless another was set meanwhile.
    if (life.inAlarm && this.alarmAt === null) this.#setAlarm(this.clock.now() + 2_000);
  }

  #alive(): Life<T> {
    return this.#life ??= { dead: false, timers: new Set(), inAlarm: false };
  }

  #objectOf(life: Life<T>): T {
    if (life.object) return life.object;
    this.lives++;
    const isDead = () => life.dead;
    return life.object = this.#make({ ctx: this.#ctx(isDead), platform: this.#host(life), isDead });
  }

  #host(life: Life<T>): Platform {
    const { clock } = this;
    return {
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
    };
  }

  #ctx(isDead: () => boolean): DurableObjectStateLike {
    const write = <R>(act: () => R, otherwise: R): R => {
      if (isDead()) return otherwise;
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
          if (!isDead()) this.#setAlarm(null);
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
      const life = this.#alive();
      const object = this.#objectOf(life);
      life.inAlarm = true;
      object.alarm({ retryCount: 0, isRetry: false })
        .catch((error) => this.alarmErrors.push(error))
        .finally(() => life.inAlarm = false);
    }, at - this.clock.now());
  }
}

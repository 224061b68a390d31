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

interface Incarnation<T> {
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
  #incarnation: Incarnation<T> | null = null;

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
    return this.#incarnation !== null;
  }

  /** The object is gone, without notice. Nothing is there until the next alarm or request. */
  die(): void {
    const incarnation = this.#incarnation;
    this.#incarnation = null;
    if (incarnation === null) return;
    incarnation.dead = true;
    for (const timer of incarnation.timers) this.clock.clearTimeout(timer);
    // An alarm that its object did not survive is delivered again, unless another was set meanwhile.
    if (incarnation.inAlarm && this.alarmAt === null) this.#setAlarm(this.clock.now() + 2_000);
  }

  #alive(): Incarnation<T> {
    return this.#incarnation ??= { dead: false, timers: new Set(), inAlarm: false };
  }

  #objectOf(incarnation: Incarnation<T>): T {
    if (incarnation.object) return incarnation.object;
    this.lives++;
    const isDead = () => incarnation.dead;
    return incarnation.object = this.#make({
      ctx: this.#ctx(isDead),
      platform: this.#host(incarnation),
      isDead,
    });
  }

  #host(incarnation: Incarnation<T>): Platform {
    const { clock } = this;
    return {
      now: () => clock.now(),
      random: () => clock.random(),
      setTimeout: (callback, delayMs) => {
        // What is still under way when it dies may arm one after that.
        if (incarnation.dead) return null;
        const timer = clock.setTimeout(() => {
          incarnation.timers.delete(timer);
          callback();
        }, delayMs);
        incarnation.timers.add(timer);
        return timer;
      },
      clearTimeout: (timer) => {
        incarnation.timers.delete(timer);
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
      const incarnation = this.#alive();
      const object = this.#objectOf(incarnation);
      incarnation.inAlarm = true;
      object.alarm({ retryCount: 0, isRetry: false })
        .catch((error) => this.alarmErrors.push(error))
        .finally(() => incarnation.inAlarm = false);
    }, at - this.clock.now());
  }
}

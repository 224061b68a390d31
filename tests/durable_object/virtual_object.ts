/**
 * A Durable Object in virtual time, with storage and one alarm, whose incarnations can be killed.
 *
 * A killed incarnation ends at once, as in workerd: its timers never fire, its writes do not reach the storage, and the
 * next call or alarm starts another.
 */

import type { DurableObjectStateLike } from "../../shard/durable_object/object_state.ts";
import type { Platform } from "../../shard/pipe/platform.ts";
import type { VirtualClock } from "../fake/mod.ts";

/** The wall clock's lead over the virtual one, in ms. */
export const EPOCH_MS = 1_700_000_000_000;

/** What an object costs. */
export interface Usage {
  /** Rows written. */
  rows: number;
  /** Alarms delivered; each is a request. */
  alarms: number;
}

/** What one incarnation of an object gets. */
export interface IncarnationContext {
  /** As Cloudflare gives it to the class. */
  readonly ctx: DurableObjectStateLike;
  /** Clock and timers; the timers end with the incarnation. */
  readonly platform: Platform;
  /** Whether the incarnation has been killed, for code that is still running. */
  readonly isDead: () => boolean;
}

interface Incarnation<T> {
  dead: boolean;
  object?: T;
  /** Timers that have not fired. */
  readonly timers: Set<unknown>;
  /** Whether an alarm is being delivered. */
  inAlarm: boolean;
}

/** One object of a class. */
export class VirtualObject<T extends { alarm(info?: unknown): Promise<void> }> {
  /** The virtual clock. */
  readonly clock: VirtualClock;
  /** The values in its storage. */
  readonly values = new Map<string, unknown>();
  /** Its cost so far. */
  readonly usage: Usage = { rows: 0, alarms: 0 };
  /** Errors that alarms have thrown; there must be none. */
  readonly alarmErrors: unknown[] = [];
  /** How many incarnations there have been. */
  incarnations = 0;
  /** Errors for the next calls of `setAlarm`. */
  refuseAlarms: Error[] = [];
  /** When the alarm is due on the virtual clock, in ms. */
  alarmAt: number | null = null;
  readonly #make: (context: IncarnationContext) => T;
  #alarmTimer: unknown = null;
  #incarnation: Incarnation<T> | null = null;

  /** An object without an incarnation yet; `make` is called for each. */
  constructor(clock: VirtualClock, make: (context: IncarnationContext) => T) {
    this.clock = clock;
    this.#make = make;
  }

  /** The present incarnation, or a new one, as any request starts one. */
  get object(): T {
    return this.#objectOf(this.#alive());
  }

  /** Whether there is an incarnation in memory. */
  get isAlive(): boolean {
    return this.#incarnation !== null;
  }

  /** Kills the incarnation, without notice. The next alarm or request starts another. */
  die(): void {
    const incarnation = this.#incarnation;
    this.#incarnation = null;
    if (incarnation === null) return;
    incarnation.dead = true;
    for (const timer of incarnation.timers) this.clock.clearTimeout(timer);
    // An alarm that was being delivered is delivered again, unless another was set in the meantime.
    if (incarnation.inAlarm && this.alarmAt === null) this.#setAlarm(this.clock.now() + 2_000);
  }

  #alive(): Incarnation<T> {
    return this.#incarnation ??= { dead: false, timers: new Set(), inAlarm: false };
  }

  #objectOf(incarnation: Incarnation<T>): T {
    if (incarnation.object) return incarnation.object;
    this.incarnations++;
    const isDead = () => incarnation.dead;
    return incarnation.object = this.#make({
      ctx: this.#ctx(isDead),
      platform: this.#platform(incarnation),
      isDead,
    });
  }

  #platform(incarnation: Incarnation<T>): Platform {
    const { clock } = this;
    return {
      now: () => clock.now(),
      random: () => clock.random(),
      setTimeout: (callback, delayMs) => {
        // Code that is still running after the kill may set a timer.
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

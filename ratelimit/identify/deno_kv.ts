/**
 * An identify limiter for processes that share a Deno KV: a file on one machine, or Deno Deploy's.
 *
 * The record is one entry, changed by compare-and-set. A KV lends no clock, so the times in the record are those of the
 * process that wrote it: where the processes are on different machines, their clocks have to agree to within the slack of
 * the period, 250 ms by default. NTP does that. Clocks that differ by more let two shards of a key come as much too close.
 *
 * @example
 * ```ts
 * import { type DenoKv, DenoKvIdentifyLimiter } from "@discordgateway/edge/ratelimit/deno-kv";
 * import { Shard } from "@discordgateway/edge";
 *
 * function shard(token: string, id: number, kv: DenoKv) { // await Deno.openKv()
 *   const identifyLimiter = new DenoKvIdentifyLimiter(kv);
 *   return new Shard({ token, shard: [id, 16], guildEvents: ["MESSAGE_CREATE"], identifyLimiter });
 * }
 * ```
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import { type IdentifyReply, type IdentifyRequest, newIdentifyRecord, readIdentifyRecord } from "./record.ts";
import { exchangeIdentifies } from "./schedule.ts";
import type { IdentifyStore, StoredIdentifyLimiterOptions } from "./store.ts";
import { StoredIdentifyLimiter } from "./stored_limiter.ts";
import { pause, uniqueName, wallClock } from "./system.ts";

/** A part of a key. */
export type DenoKvKeyPart = string | number | bigint | boolean | Uint8Array;

/** An entry of a Deno KV, as far as it is used. */
export interface DenoKvEntry {
  /** What it holds. */
  readonly value: unknown;
  /** Its version; `null` where there is none. */
  readonly versionstamp: string | null;
}

/** An atomic operation of a Deno KV, as far as it is used. */
export interface DenoKvAtomic {
  /** Makes the operation depend on an entry's version. */
  check(entry: { key: readonly DenoKvKeyPart[]; versionstamp: string | null }): DenoKvAtomic;
  /** Writes an entry that disappears after `expireIn` ms. */
  set(key: readonly DenoKvKeyPart[], value: unknown, options: { expireIn: number }): DenoKvAtomic;
  /** Carries it out; `ok` says whether the checks held. */
  commit(): Promise<{ readonly ok: boolean }>;
}

/** What is used of a `Deno.Kv`. */
export interface DenoKv {
  /** Reads an entry. */
  get(key: readonly DenoKvKeyPart[]): Promise<DenoKvEntry>;
  /** Begins an atomic operation. */
  atomic(): DenoKvAtomic;
}

/** Options of a {@linkcode DenoKvIdentifyLimiter}. */
export interface DenoKvIdentifyLimiterOptions extends StoredIdentifyLimiterOptions {
  /**
   * Where the record is: one for each bot.
   * @default {["discordgateway", "identify"]}
   */
  readonly key?: readonly DenoKvKeyPart[];
  /** The time that stands in the record, and timers; the wall clock by default. */
  readonly clock?: Clock;
}

/** Longer than the day of a budget: an entry that nobody has touched for that long says nothing any more. */
const EXPIRES_IN_MS = 2 * 86_400_000;

/**
 * An identify limiter over a Deno KV, shared by all processes that use the same database and key.
 *
 * @example
 * ```ts
 * import { type DenoKv, DenoKvIdentifyLimiter } from "@discordgateway/edge/ratelimit/deno-kv";
 *
 * // A KV in memory that nobody else uses; a program takes `await Deno.openKv()`.
 * const entries = new Map<string, unknown>();
 * const kv: DenoKv = {
 *   get: (key) => {
 *     const value = entries.get(key.join());
 *     return Promise.resolve({ value, versionstamp: value === undefined ? null : "1" });
 *   },
 *   atomic: () => ({
 *     check: () => kv.atomic(),
 *     set: (key, value) => ({
 *       ...kv.atomic(),
 *       commit: () => Promise.resolve({ ok: Boolean(entries.set(key.join(), value)) }),
 *     }),
 *     commit: () => Promise.resolve({ ok: true }),
 *   }),
 * };
 *
 * const limiter = new DenoKvIdentifyLimiter(kv, { key: ["my bot"], maxConcurrency: 2 });
 * await Promise.all([limiter.take(0), limiter.take(1)]);
 * if (entries.size !== 1) throw new Error("unexpected");
 * ```
 */
export class DenoKvIdentifyLimiter extends StoredIdentifyLimiter {
  /**
   * Makes a limiter; the KV is not asked yet.
   *
   * @throws {RangeError} where an option is out of range, `maxConcurrency` 0 for one.
   */
  constructor(kv: DenoKv, options: DenoKvIdentifyLimiterOptions = {}) {
    const { key = ["discordgateway", "identify"], clock = wallClock, ...rest } = options;
    super(new KvStore(kv, key, clock), { ...rest, clock, client: uniqueName() });
  }
}

class KvStore implements IdentifyStore {
  readonly #kv: DenoKv;
  readonly #key: readonly DenoKvKeyPart[];
  readonly #clock: Clock;

  constructor(kv: DenoKv, key: readonly DenoKvKeyPart[], clock: Clock) {
    this.#kv = kv;
    this.#key = key;
    this.#clock = clock;
  }

  async exchange(
    request: IdentifyRequest,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<IdentifyReply> {
    while (true) {
      signal.throwIfAborted();
      const reply = await this.#tryOnce(request);
      if (reply !== null) return reply;
      // Another process was faster, or is writing: those who come together are spread.
      await pause(20);
    }
  }

  /** `null` where another process got in between. */
  async #tryOnce(request: IdentifyRequest): Promise<IdentifyReply | null> {
    try {
      const { value, versionstamp } = await this.#kv.get(this.#key);
      const now = this.#clock.now();
      const record = readIdentifyRecord(value) ?? newIdentifyRecord(`${request.client}@${now}`, now);
      const reply = exchangeIdentifies(record, request, now);
      const { ok } = await this.#kv.atomic()
        .check({ key: this.#key, versionstamp })
        .set(this.#key, record, { expireIn: EXPIRES_IN_MS })
        .commit();
      return ok ? reply : null;
    } catch (error) {
      if (isBusy(error)) return null;
      throw error;
    }
  }
}

/** A KV in a file does not wait for other processes: it throws, with nothing but a message to tell it by. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && error.message.includes("database is locked");
}

/** A session in Deno KV: on a disk, or shared by the isolates of a deployment. */

import type { SessionRecord } from "../../gateway/mod.ts";
import { SESSION_KEY, type SessionStore, storedRecord } from "./session_store.ts";

/** A key of Deno KV. */
export type DenoKvKey = readonly (string | number | bigint | boolean | Uint8Array)[];

/** The part of `Deno.Kv` that is used. */
export interface DenoKvLike {
  /** Reads a value; `null` where there is none. */
  get(key: DenoKvKey): Promise<{ readonly value: unknown }>;
  /** Writes a value. */
  set(key: DenoKvKey, value: unknown): Promise<unknown>;
  /** Deletes a value. */
  delete(key: DenoKvKey): Promise<void>;
}

/**
 * A session in Deno KV (`--unstable-kv`).
 *
 * @example
 * ```ts
 * import { DenoKvSessionStore } from "@discordgateway/edge/stores";
 *
 * const values = new Map<string, unknown>();
 * const kv = {                                   // with the flag: await Deno.openKv()
 *   get: (key: readonly unknown[]) => Promise.resolve({ value: values.get(key.join()) ?? null }),
 *   set: (key: readonly unknown[], value: unknown) => Promise.resolve(values.set(key.join(), value)),
 *   delete: (key: readonly unknown[]) => Promise.resolve(void values.delete(key.join())),
 * };
 * const store = new DenoKvSessionStore(kv, { key: ["bot", "shard", 0] });
 * await store.save({ sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 });
 * if ((await store.load())?.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export class DenoKvSessionStore implements SessionStore {
  readonly #kv: DenoKvLike;
  readonly #key: DenoKvKey;

  /** A store under one key; `[SESSION_KEY]` by default. */
  constructor(kv: DenoKvLike, { key = [SESSION_KEY] }: { readonly key?: DenoKvKey } = {}) {
    this.#kv = kv;
    this.#key = key;
  }

  /**
   * The record saved last, or `null`.
   *
   * @throws {SessionStoreError} `ERR_SESSION_STORE_CORRUPT`: something else lies under the key.
   */
  async load(): Promise<SessionRecord | null> {
    return storedRecord((await this.#kv.get(this.#key)).value);
  }

  /** Replaces the record. */
  async save(record: SessionRecord): Promise<void> {
    await this.#kv.set(this.#key, record);
  }

  /** Forgets the record. */
  async clear(): Promise<void> {
    await this.#kv.delete(this.#key);
  }
}

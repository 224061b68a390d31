/** A session in a Durable Object's own storage: synchronous, so that it commits with whatever else the turn writes. */

import type { SessionRecord } from "../../gateway/mod.ts";
import { SESSION_KEY, type SessionStore, storedRecord } from "./session_store.ts";

/** `ctx.storage.kv`: synchronous, and only there where the class is SQLite-backed. */
export interface DurableObjectKvLike {
  /** The value of a key, or `undefined`. */
  get(key: string): unknown;
  /** Sets the value of a key: one row written. */
  put(key: string, value: unknown): void;
  /** Deletes a key. */
  delete(key: string): boolean;
}

/**
 * A session in `ctx.storage.kv` of a SQLite-backed class. Each save is one row written.
 *
 * @see https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/
 *
 * @example
 * ```ts
 * import { DurableObjectSessionStore } from "@discordgateway/edge/stores";
 *
 * const values = new Map<string, unknown>();
 * const kv = {                                   // in the object: this.ctx.storage.kv
 *   get: (key: string) => values.get(key),
 *   put: (key: string, value: unknown) => void values.set(key, value),
 *   delete: (key: string) => values.delete(key),
 * };
 * const store = new DurableObjectSessionStore(kv);
 * store.save({ sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 });
 * if (store.load()?.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export class DurableObjectSessionStore implements SessionStore {
  readonly #kv: DurableObjectKvLike;
  readonly #key: string;

  /** A store under one key; {@linkcode SESSION_KEY} by default. */
  constructor(kv: DurableObjectKvLike, { key = SESSION_KEY }: { readonly key?: string } = {}) {
    this.#kv = kv;
    this.#key = key;
  }

  /**
   * The record saved last, or `null`.
   *
   * @throws {SessionStoreError} `ERR_SESSION_STORE_CORRUPT`: something else lies under the key.
   */
  load(): SessionRecord | null {
    return storedRecord(this.#kv.get(this.#key));
  }

  /** Replaces the record. */
  save(record: SessionRecord): void {
    this.#kv.put(this.#key, record);
  }

  /** Forgets the record. */
  clear(): void {
    this.#kv.delete(this.#key);
  }
}

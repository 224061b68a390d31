/** A session in Redis, for processes that may start again on another machine. */

import type { SessionRecord } from "../../gateway/mod.ts";
import { recordFromText, SESSION_KEY, type SessionStore } from "./session_store.ts";

/** The part of a Redis client that is used; `ioredis` and `redis` both fit. */
export interface RedisValuesLike {
  /** GET */
  get(key: string): Promise<string | null>;
  /** SET */
  set(key: string, value: string): Promise<unknown>;
  /** DEL */
  del(key: string): Promise<unknown>;
}

/**
 * A session in Redis, under one key.
 *
 * @example
 * ```ts
 * import { RedisSessionStore } from "@discordgateway/edge/stores";
 *
 * const values = new Map<string, string>();
 * const client = {                               // new Redis(url) of ioredis, or createClient() of redis
 *   get: (key: string) => Promise.resolve(values.get(key) ?? null),
 *   set: (key: string, value: string) => Promise.resolve(values.set(key, value)),
 *   del: (key: string) => Promise.resolve(values.delete(key)),
 * };
 * const store = new RedisSessionStore(client, { key: "bot:session:0" });
 * await store.save({ sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 });
 * if ((await store.load())?.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export class RedisSessionStore implements SessionStore {
  readonly #client: RedisValuesLike;
  readonly #key: string;

  /** A store under one key; {@linkcode SESSION_KEY} by default. */
  constructor(client: RedisValuesLike, { key = SESSION_KEY }: { readonly key?: string } = {}) {
    this.#client = client;
    this.#key = key;
  }

  /**
   * The record saved last, or `null`.
   *
   * @throws {SessionStoreError} `ERR_SESSION_STORE_CORRUPT`: something else lies under the key.
   */
  async load(): Promise<SessionRecord | null> {
    return recordFromText(await this.#client.get(this.#key));
  }

  /** Replaces the record. */
  async save(record: SessionRecord): Promise<void> {
    await this.#client.set(this.#key, JSON.stringify(record));
  }

  /** Forgets the record. */
  async clear(): Promise<void> {
    await this.#client.del(this.#key);
  }
}

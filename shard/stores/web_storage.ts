/** A session in Web Storage: `localStorage` of a browser, of Deno, or anything of its shape. */

import type { SessionRecord } from "../../gateway/mod.ts";
import { recordFromText, SESSION_KEY, type SessionStore } from "./session_store.ts";

/** The part of the standard `Storage` that is used. */
export interface WebStorageLike {
  /** The value of a key, or `null`. */
  getItem(key: string): string | null;
  /** Sets the value of a key. */
  setItem(key: string, value: string): void;
  /** Removes a key. */
  removeItem(key: string): void;
}

/**
 * A session in `localStorage`; in a browser every script of the same origin can read it.
 *
 * @example
 * ```ts
 * import { WebStorageSessionStore } from "@discordgateway/edge/stores";
 *
 * const store = new WebStorageSessionStore(sessionStorage, { key: "shard 3" });
 * store.save({ sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 3, shardCount: 4 });
 * if (store.load()?.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export class WebStorageSessionStore implements SessionStore {
  readonly #storage: WebStorageLike;
  readonly #key: string;

  /** A store under one key; {@linkcode SESSION_KEY} by default. */
  constructor(storage: WebStorageLike, { key = SESSION_KEY }: { readonly key?: string } = {}) {
    this.#storage = storage;
    this.#key = key;
  }

  /**
   * The record saved last, or `null`.
   *
   * @throws {SessionStoreError} `ERR_SESSION_STORE_CORRUPT`: something else lies under the key.
   */
  load(): SessionRecord | null {
    return recordFromText(this.#storage.getItem(this.#key));
  }

  /** Replaces the record. */
  save(record: SessionRecord): void {
    this.#storage.setItem(this.#key, JSON.stringify(record));
  }

  /** Forgets the record. */
  clear(): void {
    this.#storage.removeItem(this.#key);
  }
}

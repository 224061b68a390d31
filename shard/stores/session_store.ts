/**
 * Where a session's record outlives its process.
 *
 * A store holds one record: that of one shard. Three operations, each of which may be synchronous; whoever uses a store
 * awaits what it returns. A record holds no token. It is still nothing to hand around: together with the token it takes
 * over the session.
 */

import { parseSessionRecord, type SessionRecord, SessionRecordError } from "../../gateway/mod.ts";

/**
 * Keeps one shard's session record. What an operation throws, or rejects with, reaches the caller as the `cause` of a
 * {@linkcode SessionStoreError}.
 *
 * @example
 * ```ts
 * import type { SessionRecord } from "@discordgateway/edge";
 * import type { SessionStore } from "@discordgateway/edge/stores";
 *
 * const kept: SessionRecord[] = [];
 * const store: SessionStore = {
 *   load: () => kept.at(-1) ?? null,
 *   save: (record) => void kept.push(record),
 *   clear: () => void kept.splice(0),
 * };
 * store.save({ sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 });
 * if ((await store.load())?.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export interface SessionStore {
  /** The record saved last, or `null`. Throws {@linkcode SessionStoreError} where what is stored is no record. */
  load(): SessionRecord | null | Promise<SessionRecord | null>;
  /** Replaces the record, whole or not at all. Never called before the operation before it has settled. */
  save(record: SessionRecord): void | PromiseLike<void>;
  /** Forgets the record; fine if there is none. */
  clear(): void | PromiseLike<void>;
}

/** How a store can fail: it did not do as told, or holds something that is no session record. */
export type SessionStoreErrorCode = "ERR_SESSION_STORE_FAILED" | "ERR_SESSION_STORE_CORRUPT";

/**
 * A session store failed.
 *
 * @example
 * ```ts
 * import { SessionStoreError, WebStorageSessionStore } from "@discordgateway/edge/stores";
 *
 * const storage = { getItem: () => "{ half a rec", setItem: () => {}, removeItem: () => {} };
 * try {
 *   new WebStorageSessionStore(storage).load();
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof SessionStoreError) || error.code !== "ERR_SESSION_STORE_CORRUPT") throw error;
 * }
 * ```
 */
export class SessionStoreError extends Error {
  /** The name of the class. */
  override readonly name = "SessionStoreError";
  /** Stable identifier for switch statements. */
  readonly code: SessionStoreErrorCode;

  /** Made by a store, or by whoever uses one. */
  constructor(message: string, options: { code: SessionStoreErrorCode; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
  }
}

/**
 * The key under which a record lies in a store of keys and values, unless another is given. Shards that share one
 * such store need a key each.
 *
 * @example
 * ```ts
 * import { SESSION_KEY } from "@discordgateway/edge/stores";
 *
 * if (SESSION_KEY !== "discordgateway:session") throw new Error("unexpected");
 * ```
 */
export const SESSION_KEY = "discordgateway:session";

/** Checks what a store of structured values holds; `null` and `undefined` are no record. */
export function storedRecord(value: unknown): SessionRecord | null {
  if (value === null || value === undefined) return null;
  try {
    return parseSessionRecord(value);
  } catch (cause) {
    if (!(cause instanceof SessionRecordError)) throw cause;
    throw new SessionStoreError("Cannot load the session: what is stored is no session record", {
      code: "ERR_SESSION_STORE_CORRUPT",
      cause,
    });
  }
}

/** Reads what a store of texts holds; `null` is no record. */
export function recordFromText(text: string | null): SessionRecord | null {
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SessionStoreError("Cannot load the session: what is stored is no JSON", {
      code: "ERR_SESSION_STORE_CORRUPT",
      // The parser quotes the text, and with it a part of the record.
      cause: new SyntaxError(cause instanceof Error ? cause.name : "not JSON"),
    });
  }
  // A record is an object: `null` was not written by a store.
  return storedRecord(value ?? 0);
}

/**
 * A session in memory: for tests, and for shards that are made anew within one process.
 *
 * @example
 * ```ts
 * import { MemorySessionStore } from "@discordgateway/edge/stores";
 *
 * const store = new MemorySessionStore();
 * store.save({ sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 });
 * if (store.load()?.sequence !== 7) throw new Error("unexpected");
 * store.clear();
 * if (store.load() !== null) throw new Error("unexpected");
 * ```
 */
export class MemorySessionStore implements SessionStore {
  #record: SessionRecord | null = null;

  /** The record saved last, or `null`. */
  load(): SessionRecord | null {
    return this.#record;
  }

  /** Replaces the record. */
  save(record: SessionRecord): void {
    this.#record = { ...record };
  }

  /** Forgets the record. */
  clear(): void {
    this.#record = null;
  }
}

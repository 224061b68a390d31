/**
 * Sessions that outlive their process: stores, and a shard that keeps one up to date.
 *
 * @example
 * ```ts
 * import * as files from "node:fs/promises";
 * import { FileSessionStore, restoreShard } from "@discordgateway/edge/stores";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const { token, dial, fetch, journal } = new FakeDiscord();
 * const store = new FileSessionStore(`${await Deno.makeTempDir()}/session.json`, files);
 * for (let run = 1; run <= 2; run++) {
 *   const shard = await restoreShard(store, { token, dial, fetch, events: ["READY", "RESUMED"] });
 *   for await (const event of shard) {
 *     if (event.t !== "SESSION_GAP") break;
 *   }
 * }
 * if (journal.identifies().length !== 1 || journal.resumes().length !== 1) throw new Error("one of each");
 * ```
 *
 * @module
 */

export { MemorySessionStore, SESSION_KEY, SessionStoreError } from "./session_store.ts";
export { DenoKvSessionStore } from "./deno_kv.ts";
export { DurableObjectSessionStore } from "./durable_object.ts";
export { FileSessionStore } from "./file.ts";
export { RedisSessionStore } from "./redis.ts";
export { WebStorageSessionStore } from "./web_storage.ts";
export { restoreShard, StoredShard } from "./stored_shard.ts";

export type { DurableObjectKvLike } from "./durable_object.ts";
export type { SessionStore, SessionStoreErrorCode } from "./session_store.ts";
export type { DenoKvKey, DenoKvLike } from "./deno_kv.ts";
export type { FilesLike } from "./file.ts";
export type { RedisValuesLike } from "./redis.ts";
export type { WebStorageLike } from "./web_storage.ts";
export type { StoredShardOptions } from "./stored_shard.ts";

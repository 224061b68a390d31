/** A session in a file, for bots with a disk: Deno, Bun and Node.js through their common `node:fs/promises`. */

import type { SessionRecord } from "../../gateway/mod.ts";
import { recordFromText, type SessionStore } from "./session_store.ts";

/** The part of `node:fs/promises` that is used. */
export interface FilesLike {
  /** Reads a whole file; rejects with `code` `"ENOENT"` where there is none. */
  readFile(path: string, encoding: "utf8"): Promise<string>;
  /** Writes a whole file. */
  writeFile(path: string, text: string, options: { mode: number; flush: boolean }): Promise<void>;
  /** Puts a file in another's place, at once. */
  rename(from: string, to: string): Promise<void>;
  /** Deletes a file; with `force` also one that is not there. */
  rm(path: string, options: { force: boolean }): Promise<void>;
}

/**
 * A session in a file that only its owner may read.
 *
 * It is written beside its place (`path.tmp`) and moved there, so that a crash at any instant leaves the old record or
 * the new one. One process per file.
 *
 * @example
 * ```ts
 * import * as files from "node:fs/promises";
 * import { FileSessionStore } from "@discordgateway/edge/stores";
 *
 * const store = new FileSessionStore(`${await Deno.makeTempDir()}/session.json`, files);
 * if (await store.load() !== null) throw new Error("there is no file yet");
 * await store.save({ sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 });
 * if ((await store.load())?.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export class FileSessionStore implements SessionStore {
  readonly #path: string;
  readonly #files: FilesLike;

  /** A store in the file at `path`; its folder has to exist. Give it `node:fs/promises`. */
  constructor(path: string, files: FilesLike) {
    this.#path = path;
    this.#files = files;
  }

  /**
   * The record saved last, or `null` where there is no file.
   *
   * @throws {SessionStoreError} `ERR_SESSION_STORE_CORRUPT`: the file holds something else.
   */
  async load(): Promise<SessionRecord | null> {
    let text: string;
    try {
      text = await this.#files.readFile(this.#path, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
      throw error;
    }
    return recordFromText(text);
  }

  /** Replaces the record, whole or not at all. */
  async save(record: SessionRecord): Promise<void> {
    const fresh = `${this.#path}.tmp`;
    // Flushed before it is moved: after a power cut the name must not lead to an empty file.
    await this.#files.writeFile(fresh, JSON.stringify(record), { mode: 0o600, flush: true });
    await this.#files.rename(fresh, this.#path);
  }

  /** Deletes the file. */
  async clear(): Promise<void> {
    await this.#files.rm(this.#path, { force: true });
  }
}

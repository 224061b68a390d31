/** A shard whose session lives in a store: restored before it starts, saved while it runs, flushed when it closes. */

import type {
  DirectMessageEventName,
  GuildEventName,
  SessionRecord,
  UngatedEventName,
} from "../../gateway/mod.ts";
import type { ShardEvent, WantedName } from "../events/event.ts";
import type { EventHandler } from "../events/event_queue.ts";
import { systemPlatform } from "../pipe/platform.ts";
import type { ShardOptions } from "../options.ts";
import { DEFAULT_SAVE_EVERY_MS, SessionKeeper } from "./session_keeper.ts";
import { type SessionStore, SessionStoreError } from "./session_store.ts";
import { Shard } from "../shard.ts";
import type { VoiceProvider } from "../voice_provider.ts";

/** What a {@linkcode StoredShard} is made from: a shard's options, but for the session, which comes from the store. */
export interface StoredShardOptions<
  Guild extends GuildEventName = never,
  DirectMessage extends DirectMessageEventName = never,
  Ungated extends UngatedEventName = never,
  Voice extends VoiceProvider | undefined = VoiceProvider | undefined,
> extends Omit<ShardOptions<Guild, DirectMessage, Ungated, Voice>, "session"> {
  /**
   * Time between two writes of the sequence, in ms. So many ms of events at most come again after a crash; a new session
   * is written at once.
   *
   * @default {5_000}
   */
  readonly saveEveryMs?: number;
  /**
   * Told of what the store failed of. A write that failed is repeated. A record that cannot be loaded is taken for none;
   * without this callback, `restoreShard` throws it instead.
   */
  readonly onStoreError?: (error: SessionStoreError) => void;
}

/**
 * A shard whose session lives in a store. Made by {@linkcode restoreShard}.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, StoredShard } from "@discordgateway/edge/stores";
 *
 * const shard = new StoredShard({ token: "bot token", intents: 0 }, { store: new MemorySessionStore(), session: null });
 * await shard.close({ keepSession: true });
 * if (shard.storeError !== null) throw shard.storeError;
 * ```
 */
export class StoredShard<
  const Guild extends GuildEventName = never,
  const DirectMessage extends DirectMessageEventName = never,
  const Ungated extends UngatedEventName = never,
  Voice extends VoiceProvider | undefined = VoiceProvider | undefined,
> extends Shard<Guild, DirectMessage, Ungated, Voice> {
  readonly #keeper: SessionKeeper;
  #runs = false;

  /**
   * Makes a shard from a record that was loaded already.
   *
   * @throws {RangeError} `saveEveryMs` below 1.
   * @throws what a shard's constructor throws.
   */
  constructor(
    options: StoredShardOptions<Guild, DirectMessage, Ungated, Voice>,
    stored: { readonly store: SessionStore; readonly session: SessionRecord | null },
  ) {
    const { saveEveryMs = DEFAULT_SAVE_EVERY_MS, onStoreError, ...shardOptions } = options;
    if (!(saveEveryMs >= 1)) {
      throw new RangeError(`Cannot make a shard: saveEveryMs is at least 1: ${saveEveryMs}`);
    }
    super({
      ...shardOptions,
      session: stored.session,
      onStatus: (status) => {
        if (status.state === "closed") this.#keeper.stop();
        else this.#keeper.start();
        this.#keeper.check();
        options.onStatus?.(status);
      },
    });
    this.#keeper = new SessionKeeper({
      record: () => this.session,
      saved: stored.session,
      store: stored.store,
      saveEveryMs,
      clock: options.platform ?? systemPlatform,
      onError: (error) => onStoreError?.(error),
    });
  }

  /** What the last write to the store failed of; `null` once one went through. */
  get storeError(): SessionStoreError | null {
    return this.#keeper.error;
  }

  /**
   * Writes the session as it is now, without waiting for the next regular write.
   *
   * @throws {SessionStoreError} The store could not be written.
   */
  async save(): Promise<void> {
    await this.#keeper.flush();
  }

  /**
   * Closes the shard and writes what is not written yet; a session that was not kept is cleared from the store.
   *
   * @throws {SessionStoreError} The shard is closed, but the store could not be written.
   */
  override async close(options: { readonly keepSession?: boolean } = {}): Promise<SessionRecord | null> {
    const record = await super.close(options);
    await this.#keeper.flush().catch((error) => {
      // Whoever runs it may have an error of his own to report, which this one must not take the place of.
      if (!this.#runs) throw error;
    });
    return record;
  }

  /**
   * Calls `handler` with each event, as {@linkcode Shard.run} does.
   *
   * @throws {SessionStoreError} The shard was closed, but the store could not be written.
   * @throws what stopped the shard, or what the handler threw.
   */
  override async run(
    handler: EventHandler<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>,
  ): Promise<void> {
    this.#runs = true;
    await super.run(handler);
    if (this.storeError) throw this.storeError;
  }
}

/**
 * Makes a shard from what its store holds. From then on the store follows the shard: a new session is written at once, the
 * sequence every 5 s, and whatever is left when the shard closes.
 *
 * A record of another shard count is taken for none: resharding ends all sessions.
 *
 * @throws {SessionStoreError} The store cannot be read, or what it holds is no record.
 * @throws {SessionRecordError} The record belongs to another shard.
 * @throws what the constructor of {@linkcode StoredShard} throws.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, restoreShard } from "@discordgateway/edge/stores";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const { token, dial, fetch, journal } = new FakeDiscord();
 * const store = new MemorySessionStore();
 * for (let run = 1; run <= 2; run++) {
 *   const shard = await restoreShard(store, { token, dial, fetch, events: ["READY", "RESUMED"] });
 *   for await (const event of shard) {
 *     if (event.t !== "SESSION_GAP") break;       // leaving the loop keeps the session
 *   }
 * }
 * if (journal.identifies().length !== 1 || journal.resumes().length !== 1) throw new Error("one of each");
 * ```
 */
export async function restoreShard<
  const Guild extends GuildEventName = never,
  const DirectMessage extends DirectMessageEventName = never,
  const Ungated extends UngatedEventName = never,
  Voice extends VoiceProvider | undefined = VoiceProvider | undefined,
>(
  store: SessionStore,
  options: StoredShardOptions<Guild, DirectMessage, Ungated, Voice>,
): Promise<StoredShard<Guild, DirectMessage, Ungated, Voice>> {
  let session: SessionRecord | null = null;
  try {
    session = await store.load();
  } catch (cause) {
    const error = cause instanceof SessionStoreError
      ? cause
      : new SessionStoreError("Cannot load the session: the store failed", {
        code: "ERR_SESSION_STORE_FAILED",
        cause,
      });
    if (!options.onStoreError) throw error;
    options.onStoreError(error);
  }
  if (session && options.shard && session.shardCount !== options.shard[1]) session = null;
  return new StoredShard(options, { store, session });
}

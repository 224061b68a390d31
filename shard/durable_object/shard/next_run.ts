/** Makes the next life of a hosted shard, out of its host's options and the session that the last life has left. */

import type {
  DirectMessageEventName,
  GuildEventName,
  SessionRecord,
  UngatedEventName,
} from "../../../gateway/mod.ts";
import type { IdentifyLimiter } from "../../../ratelimit/mod.ts";
import type { ShardEvent, WantedName } from "../../events/event.ts";
import type { Platform } from "../../pipe/platform.ts";
import type { HostRecord, StoredHostRecord } from "./record.ts";
import { HostedLife, type HostedLifeOptions } from "./run.ts";
import { BackoffIdentifyLimiter } from "../../../ratelimit/identify/backoff_limiter.ts";
import { DEFAULT_SAVE_EVERY_MS } from "../../stores/session_keeper.ts";
import type { SessionStore } from "../../stores/session_store.ts";
import type { DurableObjectSessionStore } from "../../stores/durable_object.ts";
import { sharedIdentifyLimiter } from "../../connect/shared_identify_limiter.ts";
import { Shard } from "../../shard.ts";
import type { ShardHostOptions } from "./options.ts";

const DEFAULT_HANDLER_DEADLINE_MS = 60_000;
/** An isolate has 128 MB, for all objects in it; parsed events take several times their text. */
const DEFAULT_MAX_QUEUED_SIZE = 4 * 1024 * 1024;

/** What outlives a life, and whom it tells. */
export interface LifeSurroundings extends Pick<HostedLifeOptions<never>, "onStatus" | "onHandled"> {
  /** What is remembered from one life of the object to the next. */
  readonly record: StoredHostRecord;
  /** Where the session lies. */
  readonly sessions: DurableObjectSessionStore;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
  /** An attempt of the handler failed. */
  readonly onFailure: (error: unknown) => void;
  /** Something else went wrong. */
  readonly onError: (error: unknown) => void;
}

/**
 * Makes a life that has not begun.
 *
 * @throws what the constructor of `Shard` throws.
 */
export function nextLife<
  Guild extends GuildEventName,
  DirectMessage extends DirectMessageEventName,
  Ungated extends UngatedEventName,
>(
  shardOf: HostRecord["shard"],
  options: ShardHostOptions<Guild, DirectMessage, Ungated>,
  around: LifeSurroundings,
): HostedLife<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> {
  const {
    handler,
    handlerDeadlineMs = DEFAULT_HANDLER_DEADLINE_MS,
    deadLetter,
    saveEveryMs = DEFAULT_SAVE_EVERY_MS,
    alarmEveryMs: _alarm,
    sendDeadlineMs: _send,
    onStatus: _status,
    wallClock: _wall,
    ...shardOptions
  } = options;
  const { platform, onStatus, onHandled, onFailure, onError } = around;
  const session = loadSession(shardOf, around);
  return new HostedLife({
    shard: (onStatus) =>
      new Shard({
        maxQueuedSize: DEFAULT_MAX_QUEUED_SIZE,
        ...shardOptions,
        platform,
        shard: shardOf,
        session,
        identifyLimiter: backoffLimiter(options, around),
        onStatus,
      }),
    delivery: {
      handler,
      deadLetter,
      deadlineMs: handlerDeadlineMs,
      onFailure: ({ error }) => onFailure(error),
    },
    keeping: { saved: session, store: sessionsAfter(session, around), saveEveryMs, onError },
    platform,
    onStatus,
    onHandled,
  });
}

/** The stored session, where it is this shard's. */
function loadSession(
  [id, count]: HostRecord["shard"],
  { sessions, onError }: LifeSurroundings,
): SessionRecord | null {
  try {
    const session = sessions.load();
    if (session === null || session.shardId === id && session.shardCount === count) return session;
  } catch (error) {
    onError(error);
  }
  sessions.clear();
  return null;
}

/** The stored sessions; a write beyond `start` shows that this life gets somewhere. */
function sessionsAfter(start: SessionRecord | null, { sessions, record }: LifeSurroundings): SessionStore {
  return {
    load: () => sessions.load(),
    clear: () => sessions.clear(),
    save: (session) => {
      sessions.save(session);
      const isProgress = start !== null && session.sessionId === start.sessionId &&
        session.sequence > start.sequence;
      if (isProgress && record.value && record.value.shortLives > 0) record.update({ shortLives: 0 });
    },
  };
}

function backoffLimiter(
  { token, identifyLimiter }: { readonly token: string; readonly identifyLimiter?: IdentifyLimiter },
  { record, platform, wallClock }: LifeSurroundings,
): IdentifyLimiter {
  const last = () => record.value ?? { identifies: 0, identifiedAt: 0 };
  return new BackoffIdentifyLimiter({
    limiter: identifyLimiter ?? sharedIdentifyLimiter(token, platform),
    last,
    // Nothing leaves the object before this is stored: no identify goes uncounted.
    count: () => record.update({ identifies: last().identifies + 1, identifiedAt: wallClock() }),
    clock: platform,
    wallClock,
  });
}

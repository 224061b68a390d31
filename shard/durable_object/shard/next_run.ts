/** Makes the next run of a hosted shard, out of its host's options and the session that the last run has left. */

import type { ErrorLog } from "../error_log.ts";
import type { HostCounters } from "./status.ts";
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
import { HostedRun, type HostedRunOptions } from "./run.ts";
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

/** What outlives a run, and whom it tells. */
export interface RunSurroundings extends Pick<HostedRunOptions<never>, "onStatus"> {
  /** What is remembered from one incarnation of the object to the next. */
  readonly record: StoredHostRecord;
  /** Where the session lies. */
  readonly sessions: DurableObjectSessionStore;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
  /** Counts events and failures. */
  readonly counters: HostCounters;
  /** Notes what goes wrong. */
  readonly errors: ErrorLog;
}

/**
 * Makes a run that has not begun.
 *
 * @throws what the constructor of `Shard` throws.
 */
export function nextRun<
  Guild extends GuildEventName,
  DirectMessage extends DirectMessageEventName,
  Ungated extends UngatedEventName,
>(
  shardOf: HostRecord["shard"],
  options: ShardHostOptions<Guild, DirectMessage, Ungated>,
  around: RunSurroundings,
): HostedRun<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> {
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
  const { platform, onStatus, counters, errors } = around;
  const session = loadSession(shardOf, around);
  return new HostedRun({
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
      onFailure: ({ error }) => {
        counters.failures++;
        errors.note(error);
      },
    },
    keeping: {
      saved: session,
      store: sessionsAfter(session, around),
      saveEveryMs,
      onError: (error) => errors.note(error),
    },
    platform,
    onStatus,
    onHandled: (now) => counters.count(now),
  });
}

/** The stored session, where it is this shard's. */
function loadSession(
  [id, count]: HostRecord["shard"],
  { sessions, errors }: RunSurroundings,
): SessionRecord | null {
  try {
    const session = sessions.load();
    if (session === null || session.shardId === id && session.shardCount === count) return session;
  } catch (error) {
    errors.note(error);
  }
  sessions.clear();
  return null;
}

/** The stored sessions; a write beyond `start` shows that this run gets somewhere. */
function sessionsAfter(start: SessionRecord | null, { sessions, record }: RunSurroundings): SessionStore {
  return {
    load: () => sessions.load(),
    clear: () => sessions.clear(),
    save: (session) => {
      sessions.save(session);
      const isProgress = start !== null && session.sessionId === start.sessionId &&
        session.sequence > start.sequence;
      if (isProgress && record.value && record.value.shortRuns > 0) record.update({ shortRuns: 0 });
    },
  };
}

function backoffLimiter(
  { token, identifyLimiter }: { readonly token: string; readonly identifyLimiter?: IdentifyLimiter },
  { record, platform, wallClock }: RunSurroundings,
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

/** Creates the next run of a hosted shard, from the host's options and the stored session. */

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
/** All objects of an isolate share 128 MB, and a parsed event takes several times the size of its text. */
const DEFAULT_MAX_QUEUED_SIZE = 4 * 1024 * 1024;

/** What all runs of a host share. */
export interface RunContext extends Pick<HostedRunOptions<never>, "onStatus"> {
  /** The record that survives the incarnation. */
  readonly record: StoredHostRecord;
  /** The stored session. */
  readonly sessions: DurableObjectSessionStore;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
  /** Counts events and failures. */
  readonly counters: HostCounters;
  /** Records errors. */
  readonly errors: ErrorLog;
}

/**
 * Creates a run; `begin` starts it.
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
  context: RunContext,
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
  const { platform, onStatus, counters, errors } = context;
  const session = loadSession(shardOf, context);
  return new HostedRun({
    shard: (onStatus) =>
      new Shard({
        maxQueuedSize: DEFAULT_MAX_QUEUED_SIZE,
        ...shardOptions,
        platform,
        shard: shardOf,
        session,
        identifyLimiter: backoffLimiter(options, context),
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
      store: sessionsAfter(session, context),
      saveEveryMs,
      onError: (error) => errors.note(error),
    },
    platform,
    onStatus,
    onHandled: (now) => counters.count(now),
  });
}

/** Loads the stored session if it belongs to this shard; clears any other. */
function loadSession(
  [id, count]: HostRecord["shard"],
  { sessions, errors }: RunContext,
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

/** The session store; a write with a later sequence than `start` proves progress and resets the count of short runs. */
function sessionsAfter(start: SessionRecord | null, { sessions, record }: RunContext): SessionStore {
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
  { record, platform, wallClock }: RunContext,
): IdentifyLimiter {
  const last = () => record.value ?? { identifies: 0, identifiedAt: 0 };
  return new BackoffIdentifyLimiter({
    limiter: identifyLimiter ?? sharedIdentifyLimiter(token, platform),
    last,
    // The output gate holds back the identify until this is stored, so every identify is counted.
    count: () => record.update({ identifies: last().identifies + 1, identifiedAt: wallClock() }),
    clock: platform,
    wallClock,
  });
}

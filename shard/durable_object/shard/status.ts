/** The status of a hosted shard, and the counters over its runs. */

import type { Numbered } from "../../events/event_queue.ts";
import type { ErrorLog } from "../error_log.ts";
import { EventRate } from "./event_rate.ts";
import type { ShardHostStatus } from "./options.ts";
import type { HostRecord } from "./record.ts";
import type { HostedRun } from "./run.ts";

/** Counts events in this incarnation of the object. */
export class HostCounters {
  readonly #rate: EventRate;
  /** When the status last changed, in ms since the epoch. */
  since: number;
  /** Events handled. */
  handled = 0;
  /** Calls of the handler that failed. */
  failures = 0;

  /** Starts all counters at zero. */
  constructor({ now, wallNow }: { readonly now: number; readonly wallNow: number }) {
    this.#rate = new EventRate(now);
    this.since = wallNow;
  }

  /** Counts one handled event. */
  count(now: number): void {
    this.handled++;
    this.#rate.count(now);
  }

  /** Events handled per second, over the last minute. */
  perSecond(now: number): number {
    return this.#rate.perSecond(now);
  }
}

/** The parts of a status. */
export interface StatusParts<Event extends Numbered & { readonly t: string }> {
  /** The stored record. */
  readonly record: HostRecord | null;
  /** The present run; `null` between two runs. */
  readonly run: HostedRun<Event> | null;
  /** The counters. */
  readonly counters: HostCounters;
  /** The last error. */
  readonly errors: ErrorLog;
  /** The present time, in ms. */
  readonly now: number;
}

/** The status as JSON. */
export function statusOf<Event extends Numbered & { readonly t: string }>(
  { record, run, counters, errors, now }: StatusParts<Event>,
): ShardHostStatus {
  const failing = run?.delivery.failing ?? null;
  const session = run?.shard.session ?? null;
  return {
    running: record?.running ?? false,
    shard: record?.shard ?? null,
    state: run?.shard.status.state ?? (record?.running ? "waiting" : "stopped"),
    since: counters.since,
    why: run?.why ?? null,
    latency: latencyOf(run),
    events: {
      handled: counters.handled,
      perSecond: counters.perSecond(now),
      queued: run?.shard.queued.now ?? 0,
      failures: counters.failures,
    },
    commands: run?.shard.commands ?? null,
    failing: failing && { ...failing, error: errors.report(failing.error) },
    sequence: session && { handled: session.sequence, saved: run?.keeper.saved?.sequence ?? null },
    restarts: record?.restarts ?? 0,
    lastError: errors.last,
  };
}

function latencyOf(
  run: { readonly latency: HostedRun<never>["latency"] } | null,
): ShardHostStatus["latency"] {
  const { meanMs = null, recentMs = [] } = run?.latency ?? {};
  const [lastMs] = recentMs;
  return meanMs === null || lastMs === undefined ? null : { meanMs, lastMs };
}

/** What a fleet is doing, as plain data. */

import type { LatencyReading } from "../../gateway/mod.ts";
import type { CommandBudget } from "../commands/budget.ts";
import type { FleetShardStatus } from "./options.ts";
import type { FleetSet } from "./shard_set.ts";
import type { ShardStatus } from "../status.ts";

/** How many shards are in which state. */
export type FleetCounts = { readonly [State in ShardStatus["state"]]?: number };

/** A shard of the fleet. */
export interface FleetShardReport extends FleetShardStatus {
  /** How long heartbeats of its connection took to be acknowledged; `null` without a connection. */
  readonly latency: LatencyReading | null;
  /** Events that wait for the consumer now, and the most that ever did. */
  readonly queued: { readonly now: number; readonly peak: number };
  /** What is left of its budget of commands, and how many callers wait for it. */
  readonly commands: CommandBudget;
}

/** What a fleet is doing. */
export interface FleetStatus {
  /** `starting` until it is known which shards there are, `resharding` while two sets are up. */
  readonly state: "idle" | "starting" | "running" | "resharding" | "closed";
  /** How many shards the bot is split into; `null` while it is not known. */
  readonly shardCount: number | null;
  /** How many of the shards that deliver are in which state. */
  readonly counts: FleetCounts;
  /** During a reshard, the set that is to follow. */
  readonly next: { readonly shardCount: number; readonly counts: FleetCounts } | null;
  /** Every shard, by id; during a reshard those of both sets. */
  readonly shards: readonly FleetShardReport[];
  /** Why `GET /gateway/bot` last failed, while it is tried again; or what ended the fleet. */
  readonly error: unknown;
}

/** What a fleet's status is made from. */
export interface FleetStatusParts {
  /** Its consumer has asked for events. */
  readonly started: boolean;
  /** It was closed. */
  readonly closed: boolean;
  /** The shards, where the options name them. */
  readonly known: { readonly count: number } | null;
  /** The set that delivers. */
  readonly set: FleetSet | null;
  /** The set that is to follow. */
  readonly next: FleetSet | null;
  /** What ended the fleet, or why `GET /gateway/bot` last failed. */
  readonly error: unknown;
}

/** What the fleet and each of its shards are doing. */
export function fleetStatus({ started, closed, known, set, next, error }: FleetStatusParts): FleetStatus {
  const [present, following] = [reportsOf(set), reportsOf(next)];
  const state = set ? next ? "resharding" : "running" : started ? "starting" : "idle";
  return {
    state: closed ? "closed" : state,
    shardCount: set?.count ?? known?.count ?? null,
    counts: countsOf(present),
    next: next && { shardCount: next.count, counts: countsOf(following) },
    shards: [...present, ...following],
    error,
  };
}

function reportsOf(set: FleetSet | null): FleetShardReport[] {
  return (set?.list ?? []).map(({ shardId, shardCount, shard }) => {
    const { status, latency, queued, commands } = shard;
    return { shardId, shardCount, status, latency, queued, commands };
  });
}

function countsOf(reports: readonly FleetShardReport[]): FleetCounts {
  const counts: { [State in ShardStatus["state"]]?: number } = {};
  for (const { status } of reports) counts[status.state] = (counts[status.state] ?? 0) + 1;
  return counts;
}

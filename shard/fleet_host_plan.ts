/**
 * What a `FleetHost` remembers, and what follows from it: plain JSON, and pure functions over it.
 *
 * Every order becomes a list of calls to shards that is written down before the first is made. Whatever happens to the
 * coordinator, the calls that were not confirmed are made again; each of them may be made twice.
 */

import type { DurableObjectKvLike } from "./durable_object_state.ts";
import { identifyWaves } from "./fleet_plan.ts";
import type { ErrorReport } from "./shard_host_options.ts";

/** A shard's number and how many there are. */
export type ShardPlace = readonly [id: number, count: number];

/** A call to a shard that has not been confirmed. */
export interface PendingCall {
  /** Which shard. */
  readonly shard: ShardPlace;
  /**
   * What it is told: to run; to stop and keep its session, or end it; to stop once it has handled what it has; or to stop
   * keeping its session and run again.
   */
  readonly do: "start" | "park" | "stop" | "retire" | "restart";
}

/** How a reshard ended. */
export interface ReshardReport {
  /** How many shards there were. */
  readonly from: number;
  /** How many there should be. */
  readonly to: number;
  /** When, in ms since the epoch. */
  readonly at: number;
  /** Why it did not take place; `null` if it did. */
  readonly error: ErrorReport | null;
}

/** The stored part of a `FleetHost`. */
export interface FleetRecord {
  /** Whether the shards are to run. */
  readonly running: boolean;
  /** How many there are; `null` before the first start. */
  readonly count: number | null;
  /** How many there are to be, while a reshard is under way. */
  readonly next: number | null;
  /** How many there were, while the last of them still handle what they have. */
  readonly retiring: number | null;
  /** Calls that have not been confirmed, in their order. */
  readonly pending: readonly PendingCall[];
  /** How the last reshard ended. */
  readonly lastReshard: ReshardReport | null;
}

/** The record before the first start. */
export const NO_FLEET: FleetRecord = {
  running: false,
  count: null,
  next: null,
  retiring: null,
  pending: [],
  lastReshard: null,
};

const FLEET_KEY = "discordgateway:fleet";

/** Reads the record; what is not one counts as none. */
export function readFleetRecord(kv: DurableObjectKvLike): FleetRecord {
  const value = kv.get(FLEET_KEY);
  if (typeof value !== "object" || value === null || !("pending" in value) || !Array.isArray(value.pending)) {
    return NO_FLEET;
  }
  // It is our own key, and only `writeFleetRecord` writes it.
  return { ...NO_FLEET, ...value } as FleetRecord;
}

/** Writes the record: one row. */
export function writeFleetRecord(kv: DurableObjectKvLike, record: FleetRecord): void {
  kv.put(FLEET_KEY, record);
}

/** The same call for all shards of a count, in the order in which they may identify. */
export function callAll(count: number, what: PendingCall["do"], maxConcurrency = 1): PendingCall[] {
  const ids = Array.from({ length: count }, (_, id) => id);
  return identifyWaves(ids, maxConcurrency).flat().map((id) => ({ shard: [id, count], do: what }));
}

/** The calls that are left when a new order comes: none to a shard that the order is for. */
export function replaceCalls(pending: readonly PendingCall[], order: readonly PendingCall[]): PendingCall[] {
  const named = new Set(order.map(({ shard }) => shard.join()));
  return [...pending.filter(({ shard }) => !named.has(shard.join())), ...order];
}

/** What a reshard needs to know of a shard. */
export interface HostedShardView {
  /** The shard's number. */
  readonly shardId: number;
  /** It is not to run any more: Discord has stopped it for good. */
  readonly stopped: boolean;
  /** Since when it is seen live without a break, in ms; `null` while it is not. */
  readonly liveSince: number | null;
}

/** What comes next in a reshard. */
export type HostedReshardStep =
  | { readonly do: "wait" | "switch" }
  | { readonly do: "give up"; readonly shardId: number };

/**
 * What comes next in a reshard. Both sets deliver until both have been up together for `overlapMs`: whatever happened
 * before is with the old one, whatever comes after is with the new one. Then the old one is let go.
 *
 * @example
 * ```ts
 * import { nextHostedReshardStep } from "@discordgateway/edge/durable-object";
 *
 * const shard = { shardId: 0, stopped: false, liveSince: 1_000 };
 * const view = { old: [shard], next: [shard], overlapMs: 15_000 };
 * if (nextHostedReshardStep({ ...view, now: 15_999 }).do !== "wait") throw new Error("too early");
 * if (nextHostedReshardStep({ ...view, now: 16_000 }).do !== "switch") throw new Error("long enough");
 * ```
 */
export function nextHostedReshardStep(
  { old, next, overlapMs, now }: {
    readonly old: readonly HostedShardView[];
    readonly next: readonly HostedShardView[];
    readonly overlapMs: number;
    readonly now: number;
  },
): HostedReshardStep {
  const lost = next.find(({ stopped }) => stopped);
  if (lost) return { do: "give up", shardId: lost.shardId };
  // A shard that has stopped brings nothing more: waiting for it would help nobody.
  const concerned = [...next, ...old.filter(({ stopped }) => !stopped)];
  const isUp = ({ liveSince }: HostedShardView) => liveSince !== null && now - liveSince >= overlapMs;
  return { do: concerned.every(isUp) ? "switch" : "wait" };
}

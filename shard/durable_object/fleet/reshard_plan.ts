/**
 * Pure functions on the record of a `FleetHost`: its lists of calls, and the next step of a reshard.
 *
 * Every order becomes a list of calls to shards, which is stored before the first call. Unconfirmed calls are repeated
 * after a failure of the coordinator, so each of them may be made twice.
 */

import type { PendingCall } from "./record.ts";

/** The same call to all shards of a set, in ascending order, in which they identify at any `max_concurrency`. */
export function callAll(count: number, what: PendingCall["do"]): PendingCall[] {
  return Array.from({ length: count }, (_, id) => ({ shard: [id, count], do: what }));
}

/** The pending calls after a new order, which replaces those to the same shards. */
export function replaceCalls(pending: readonly PendingCall[], order: readonly PendingCall[]): PendingCall[] {
  const named = new Set(order.map(({ shard }) => shard.join()));
  return [...pending.filter(({ shard }) => !named.has(shard.join())), ...order];
}

/** A shard as a reshard sees it. */
export interface HostedShardView {
  /** The shard's number. */
  readonly shardId: number;
  /** Whether it has stopped: Discord has refused it permanently. */
  readonly stopped: boolean;
  /** Since when it has been live without interruption, in ms; `null` while it is not live. */
  readonly liveSince: number | null;
}

/** The next step of a reshard. */
export type HostedReshardStep =
  | { readonly do: "wait" | "switch" }
  | { readonly do: "give up"; readonly shardId: number };

/**
 * Returns the next step of a reshard. Both sets deliver until all their shards have been live for `overlapMs` together:
 * the old set has received every event before the overlap, the new set every event after it. Then the old set retires.
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
  // A stopped shard of the old set delivers no more events, so nothing is gained by waiting for it.
  const concerned = [...next, ...old.filter(({ stopped }) => !stopped)];
  const isUp = ({ liveSince }: HostedShardView) => liveSince !== null && now - liveSince >= overlapMs;
  return { do: concerned.every(isUp) ? "switch" : "wait" };
}

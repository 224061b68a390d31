/**
 * What follows from what a `FleetHost` remembers: pure functions.
 *
 * Every order becomes a list of calls to shards that is written down before the first is made. Whatever happens to the
 * coordinator, the calls that were not confirmed are made again; each of them may be made twice.
 */

import type { PendingCall } from "./record.ts";

/** The same call for all shards of a count: ascending, the order in which they may identify at any `max_concurrency`. */
export function callAll(count: number, what: PendingCall["do"]): PendingCall[] {
  return Array.from({ length: count }, (_, id) => ({ shard: [id, count], do: what }));
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

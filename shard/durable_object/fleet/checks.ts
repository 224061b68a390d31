/** Checks of the orders to a hosted fleet. */

import { HostError } from "../errors.ts";
import { type FleetRecord, type HostedShardId, MAX_HOSTED_SHARDS } from "./record.ts";

/**
 * Checks a number of shards.
 *
 * @throws {RangeError} The number is not an integer from 1 to 16,384.
 */
export function requireCount(shards: number): number {
  if (Number.isSafeInteger(shards) && shards >= 1 && shards <= MAX_HOSTED_SHARDS) return shards;
  throw new RangeError(
    `Cannot host so many shards: their number is an integer from 1 to ${MAX_HOSTED_SHARDS}: ${shards}`,
  );
}

/**
 * Checks that a shard belongs to the present set.
 *
 * @throws {HostError} The fleet is stopped, or there is no such shard.
 */
export function requireShard(
  shardId: number,
  { running, count }: Pick<FleetRecord, "running" | "count">,
): HostedShardId {
  if (!running || count === null) {
    throw new HostError("Cannot reach a shard: the fleet is stopped", { code: "ERR_FLEET_HOST_STOPPED" });
  }
  if (!Number.isSafeInteger(shardId) || shardId < 0 || shardId >= count) {
    throw new HostError(`Cannot reach a shard: there are ${count}, from 0 on: ${shardId}`, {
      code: "ERR_FLEET_HOST_SHARD",
    });
  }
  return [shardId, count];
}

/**
 * Checks that a reshard to this number may begin.
 *
 * @throws {RangeError} The fleet already has this number of shards.
 * @throws {HostError} The fleet is stopped, or another reshard is in progress.
 */
export function requireReshard(shards: number, record: FleetRecord): void {
  const [, count] = requireShard(0, record);
  if (shards === count) throw new RangeError(`Cannot reshard: there are as many shards already: ${shards}`);
  const { next, retiring } = record;
  if (next === null && retiring === null) return;
  throw new HostError(`Cannot reshard to ${shards}: another one is under way, to ${next ?? count}`, {
    code: "ERR_FLEET_HOST_RESHARDING",
  });
}

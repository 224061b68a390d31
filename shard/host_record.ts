/** What a hosted shard remembers from one life of its object to the next, besides the session. */

import type { DurableObjectKvLike } from "./durable_object_state.ts";

/** The stored part of a `ShardHost`. */
export interface HostRecord {
  /** Whether the shard is to run. */
  readonly running: boolean;
  /** Whether it stops by itself once what it has is handled. */
  readonly retiring: boolean;
  /** The shard's number and how many there are. */
  readonly shard: readonly [id: number, count: number];
  /** How often an object was made anew while its shard was to run, since the last start. */
  readonly restarts: number;
  /** Lives in a row that ended before they proved themselves, this one included. */
  readonly shortLives: number;
  /** Identifies in a row without a session that proved itself. */
  readonly identifies: number;
  /** When the last of them was, in ms since the epoch. */
  readonly identifiedAt: number;
}

/** Where it lies. */
const HOST_KEY = "discordgateway:host";

/** Reads the record; what is not one counts as none. */
export function readHostRecord(kv: DurableObjectKvLike): HostRecord | null {
  const value = kv.get(HOST_KEY);
  if (typeof value !== "object" || value === null) return null;
  const record: { [field in keyof HostRecord]?: unknown } = value;
  const { running, retiring, shard, restarts, shortLives, identifies, identifiedAt } = record;
  if (typeof running !== "boolean" || !isShard(shard)) return null;
  return {
    running,
    retiring: retiring === true,
    shard,
    restarts: countOf(restarts),
    shortLives: countOf(shortLives),
    identifies: countOf(identifies),
    identifiedAt: countOf(identifiedAt),
  };
}

/** Writes the record: one row. */
export function writeHostRecord(kv: DurableObjectKvLike, record: HostRecord): void {
  kv.put(HOST_KEY, record);
}

/** Whether this is a shard's number and a count that it fits in. */
export function isShard(value: unknown): value is readonly [id: number, count: number] {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [id, count]: unknown[] = value;
  return isCount(id) && isCount(count) && id < count;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function countOf(value: unknown): number {
  return isCount(value) ? value : 0;
}

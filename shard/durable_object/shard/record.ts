/** What a hosted shard remembers from one incarnation of its object to the next, besides the session. */

import type { DurableObjectKvLike } from "../../stores/durable_object.ts";

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
  /** Runs in a row that ended before they proved themselves, this one included. */
  readonly shortRuns: number;
  /** Identifies in a row without a session that proved itself. */
  readonly identifies: number;
  /** When the last of them was, in ms since the epoch. */
  readonly identifiedAt: number;
}

/** Where it lies. */
const HOST_KEY = "discordgateway:host";

/** The record in memory, and the one in the storage: always the same. */
export class StoredHostRecord {
  readonly #kv: DurableObjectKvLike;
  #value: HostRecord | null;

  /** Reads what an earlier incarnation of the object has left. */
  constructor(kv: DurableObjectKvLike) {
    this.#kv = kv;
    this.#value = readHostRecord(kv);
  }

  /** The record; `null` before the first start. */
  get value(): HostRecord | null {
    return this.#value;
  }

  /** Whether the shard is to run. */
  get isRunning(): boolean {
    return this.#value?.running ?? false;
  }

  /** Replaces it. */
  set(record: HostRecord): void {
    this.#value = record;
    writeHostRecord(this.#kv, record);
  }

  /** Changes a part of it; does nothing before the first start. */
  update(change: Partial<HostRecord>): void {
    if (this.#value) this.set({ ...this.#value, ...change });
  }
}

/** Reads the record; what is not one counts as none. */
function readHostRecord(kv: DurableObjectKvLike): HostRecord | null {
  const value = kv.get(HOST_KEY);
  if (typeof value !== "object" || value === null) return null;
  const record: { [field in keyof HostRecord]?: unknown } = value;
  const { running, retiring, shard, restarts, shortRuns, identifies, identifiedAt } = record;
  if (typeof running !== "boolean" || !isShard(shard)) return null;
  return {
    running,
    retiring: retiring === true,
    shard,
    restarts: countOf(restarts),
    shortRuns: countOf(shortRuns),
    identifies: countOf(identifies),
    identifiedAt: countOf(identifiedAt),
  };
}

/** Writes the record: one row. */
function writeHostRecord(kv: DurableObjectKvLike, record: HostRecord): void {
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

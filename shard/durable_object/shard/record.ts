/** What a hosted shard stores besides the session, for the next incarnation of its object. */

import type { DurableObjectKvLike } from "../../stores/durable_object.ts";

/** The stored state of a `ShardHost`. */
export interface HostRecord {
  /** Whether the shard has to run. */
  readonly running: boolean;
  /** Whether it stops by itself once every received event is handled. */
  readonly retiring: boolean;
  /** The shard's number and the shard count. */
  readonly shard: readonly [id: number, count: number];
  /** How often the object was restarted while its shard had to run, since the last start. */
  readonly restarts: number;
  /** Runs in a row that ended before they made progress, the present one included. */
  readonly shortRuns: number;
  /** Identifies in a row without a session that made progress. */
  readonly identifies: number;
  /** When the last identify was, in ms since the epoch. */
  readonly identifiedAt: number;
}

/** The storage key. */
const HOST_KEY = "discordgateway:host";

/** The record, kept equal in memory and in storage. */
export class StoredHostRecord {
  readonly #kv: DurableObjectKvLike;
  #value: HostRecord | null;

  /** Reads the record of the previous incarnation. */
  constructor(kv: DurableObjectKvLike) {
    this.#kv = kv;
    this.#value = readHostRecord(kv);
  }

  /** The record; `null` before the first start. */
  get value(): HostRecord | null {
    return this.#value;
  }

  /** Whether the shard has to run. */
  get isRunning(): boolean {
    return this.#value?.running ?? false;
  }

  /** Replaces the record. */
  set(record: HostRecord): void {
    this.#value = record;
    writeHostRecord(this.#kv, record);
  }

  /** Changes fields of the record; does nothing before the first start. */
  update(change: Partial<HostRecord>): void {
    if (this.#value) this.set({ ...this.#value, ...change });
  }
}

/** Reads the record; a malformed one counts as missing. */
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

/** Writes the record, as one row. */
function writeHostRecord(kv: DurableObjectKvLike, record: HostRecord): void {
  kv.put(HOST_KEY, record);
}

/** Whether this is a shard's number and a greater shard count. */
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

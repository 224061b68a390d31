/**
 * What a `FleetHost` remembers: plain JSON under one key.
 *
 * The calls that are left are written down anew after every few of them. So they are stored as ranges: an order to all
 * shards is one, however many there are.
 */

import type { DurableObjectKvLike } from "../../stores/durable_object.ts";
import type { ErrorReport } from "../errors.ts";

/** A shard's number and how many there are. */
export type HostedShardId = readonly [id: number, count: number];

/** A call to a shard that has not been confirmed. */
export interface PendingCall {
  /** Which shard. */
  readonly shard: HostedShardId;
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

/** The same call to shards of consecutive numbers. */
interface CallRange {
  readonly do: PendingCall["do"];
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** The record as it is stored. */
type StoredFields = Omit<FleetRecord, "pending"> & { readonly pending: readonly CallRange[] };

/**
 * More than the largest bots have; a slip of the finger is not to cost a day's identifies and a million objects. Even
 * where every second call of a reshard between two such numbers is left, the record fits under its key, which may hold
 * 2 MB.
 *
 * @see https://developers.cloudflare.com/durable-objects/platform/limits/
 */
export const MAX_HOSTED_SHARDS = 16_384;

const FLEET_KEY = "discordgateway:fleet";

/** The record before the first start. */
const NO_FLEET: FleetRecord = {
  running: false,
  count: null,
  next: null,
  retiring: null,
  pending: [],
  lastReshard: null,
};

/** The record in memory, and the one in the storage: always the same. */
export class StoredFleetRecord {
  readonly #kv: DurableObjectKvLike;
  #value: FleetRecord;

  /** Reads what an earlier incarnation of the object has left; what is no record counts as none. */
  constructor(kv: DurableObjectKvLike) {
    this.#kv = kv;
    this.#value = readFleetRecord(kv);
  }

  /** The record. */
  get value(): FleetRecord {
    return this.#value;
  }

  /** Whether everything is carried out. */
  get isDone(): boolean {
    const { pending, next, retiring } = this.#value;
    return pending.length === 0 && next === null && retiring === null;
  }

  /** Changes a part of it: one row written. Throws what the storage fails of; then nothing has changed. */
  update(change: Partial<FleetRecord>): void {
    const value = { ...this.#value, ...change };
    const stored: StoredFields = { ...value, pending: rangesOf(value.pending) };
    this.#kv.put(FLEET_KEY, stored);
    this.#value = value;
  }
}

function readFleetRecord(kv: DurableObjectKvLike): FleetRecord {
  const value = kv.get(FLEET_KEY);
  if (typeof value !== "object" || value === null || !("pending" in value) || !Array.isArray(value.pending)) {
    return NO_FLEET;
  }
  // It is our own key, and only `update` writes it.
  const { pending, ...rest } = value as StoredFields;
  return { ...NO_FLEET, ...rest, pending: pending.flatMap(callsOf) };
}

function rangesOf(calls: readonly PendingCall[]): CallRange[] {
  const ranges: CallRange[] = [];
  for (const { do: what, shard: [id, count] } of calls) {
    const last = ranges.at(-1);
    if (last && last.do === what && last.count === count && last.to === id - 1) {
      ranges[ranges.length - 1] = { ...last, to: id };
    } else ranges.push({ do: what, count, from: id, to: id });
  }
  return ranges;
}

function callsOf({ do: what, count, from, to }: CallRange): PendingCall[] {
  return Array.from({ length: to - from + 1 }, (_, place) => ({ shard: [from + place, count], do: what }));
}

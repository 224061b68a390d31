/**
 * What a `FleetHost` stores: plain JSON under one key.
 *
 * The pending calls are rewritten after every few calls. So they are stored as ranges: an order to all shards is one
 * range, for any number of shards.
 */

import type { DurableObjectKvLike } from "../../stores/durable_object.ts";
import type { ErrorReport } from "../errors.ts";

/** A shard's number and the shard count. */
export type HostedShardId = readonly [id: number, count: number];

/** A call to a shard that is not confirmed yet. */
export interface PendingCall {
  /** The shard to call. */
  readonly shard: HostedShardId;
  /**
   * What the shard has to do: run; stop and keep its session (`park`), or end it (`stop`); stop once every received event
   * is handled (`retire`); or stop with its session kept, and run again (`restart`).
   */
  readonly do: "start" | "park" | "stop" | "retire" | "restart";
}

/** How a reshard ended. */
export interface ReshardReport {
  /** The old number of shards. */
  readonly from: number;
  /** The new number of shards. */
  readonly to: number;
  /** When it ended, in ms since the epoch. */
  readonly at: number;
  /** Why it failed; `null` if it succeeded. */
  readonly error: ErrorReport | null;
}

/** The stored state of a `FleetHost`. */
export interface FleetRecord {
  /** Whether the shards have to run. */
  readonly running: boolean;
  /** The number of shards; `null` before the first start. */
  readonly count: number | null;
  /** The new number of shards during a reshard; `null` otherwise. */
  readonly next: number | null;
  /** The old number of shards while some of them still handle events after a reshard; `null` otherwise. */
  readonly retiring: number | null;
  /** Calls that are not confirmed yet, in order. */
  readonly pending: readonly PendingCall[];
  /** How the last reshard ended. */
  readonly lastReshard: ReshardReport | null;
}

/** The same call to shards with consecutive numbers. */
interface CallRange {
  readonly do: PendingCall["do"];
  readonly count: number;
  readonly from: number;
  readonly to: number;
}

/** The record as it is stored. */
type StoredFields = Omit<FleetRecord, "pending"> & { readonly pending: readonly CallRange[] };

/**
 * More shards than the largest bots have: a mistyped number must not cost a day's identifies and a million objects. Even
 * if every second call of a reshard between two such numbers is pending, the record fits into the 2 MB of one key.
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

/** The record, kept equal in memory and in storage. */
export class StoredFleetRecord {
  readonly #kv: DurableObjectKvLike;
  #value: FleetRecord;

  /** Reads the record of the previous incarnation; a malformed one counts as missing. */
  constructor(kv: DurableObjectKvLike) {
    this.#kv = kv;
    this.#value = readFleetRecord(kv);
  }

  /** The record. */
  get value(): FleetRecord {
    return this.#value;
  }

  /** Whether no order is pending. */
  get isDone(): boolean {
    const { pending, next, retiring } = this.#value;
    return pending.length === 0 && next === null && retiring === null;
  }

  /** Changes fields of the record; writes one row. Throws the storage's error; then nothing has changed. */
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
  // Only `update` writes this key.
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
  return Array.from({ length: to - from + 1 }, (_, index) => ({ shard: [from + index, count], do: what }));
}

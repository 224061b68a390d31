/**
 * The part of a Durable Object's `ctx` that the hosts use, as an interface: nothing is imported from Cloudflare, and the
 * real `DurableObjectState` is assignable to it.
 */

import type { DurableObjectKvLike } from "../stores/durable_object.ts";
import { HostError } from "./errors.ts";

/** The part of `ctx.storage` that the hosts use. */
export interface DurableObjectStorageLike {
  /** The synchronous key-value store. */
  readonly kv: DurableObjectKvLike;
  /** When the alarm is due, in ms since the epoch; `null` if none is set, or while one is being delivered. */
  getAlarm(): Promise<number | null>;
  /** Sets the object's only alarm, in ms since the epoch; replaces the previous one. Writes one row. */
  setAlarm(at: number): Promise<void>;
  /** Deletes the alarm. */
  deleteAlarm(): Promise<void>;
}

/** The part of a Durable Object's `ctx` that the hosts use. */
export interface DurableObjectStateLike {
  /** The object's storage. */
  readonly storage: DurableObjectStorageLike;
}

/** The synchronous part of an object's storage; throws if the object has none. */
export function kvOf(storage: DurableObjectStorageLike): DurableObjectKvLike {
  let kv: DurableObjectKvLike | undefined;
  let cause: unknown;
  try {
    kv = storage.kv;
  } catch (error) {
    cause = error;
  }
  if (kv) return kv;
  throw new HostError("Cannot host a shard: its class has to be SQLite-backed (new_sqlite_classes)", {
    code: "ERR_SHARD_HOST_STORAGE",
    cause,
  });
}

/**
 * The part of a Durable Object's `ctx` that is used, by its shape: nothing here is imported from Cloudflare, and the real
 * `DurableObjectState` fits.
 */

import type { DurableObjectKvLike } from "../stores/durable_object.ts";
import { HostError } from "./errors.ts";

/** `ctx.storage`, as far as it is used. */
export interface DurableObjectStorageLike {
  /** The synchronous store of keys and values. */
  readonly kv: DurableObjectKvLike;
  /** When the alarm is due, in ms since the epoch; `null` without one, and while it is being delivered. */
  getAlarm(): Promise<number | null>;
  /** Sets the one alarm, in ms since the epoch; replaces the one before. One row written. */
  setAlarm(at: number): Promise<void>;
  /** Takes the alarm back. */
  deleteAlarm(): Promise<void>;
}

/** A Durable Object's `ctx`, as far as it is used. */
export interface DurableObjectStateLike {
  /** The object's storage. */
  readonly storage: DurableObjectStorageLike;
}

/** The synchronous part of an object's storage; throws where there is none. */
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

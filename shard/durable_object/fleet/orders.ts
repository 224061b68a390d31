/**
 * Carries out what a fleet's coordinator has written down: the calls that are left, and the steps of a reshard.
 *
 * It may die at any point. The alarm that is set before the first call brings it back, and the record says what is left.
 */

import type { DurableObjectStorageLike } from "../object_state.ts";
import type { ErrorLog } from "../error_log.ts";
import type { ShardCalls } from "./calls.ts";
import { callAll, type HostedShardView, nextHostedReshardStep, replaceCalls } from "./reshard_plan.ts";
import type { FleetRecord, PendingCall, StoredFleetRecord } from "./record.ts";
import type { Platform } from "../../pipe/platform.ts";

/** While something is not done yet the coordinator looks again after so many ms. */
const LOOK_EVERY_MS = 5_000;
/** So many shards are called at once. */
const CALLS_AT_ONCE = 8;
const DEFAULT_OVERLAP_MS = 15_000;

/** What {@linkcode FleetOrders} are carried out with. */
export interface FleetOrdersOptions {
  /** What is written down. */
  readonly record: StoredFleetRecord;
  /** Reaches the shards. */
  readonly calls: ShardCalls;
  /** Holds the alarm. */
  readonly storage: DurableObjectStorageLike;
  /** Where failures are written down. */
  readonly errors: ErrorLog;
  /** Clock and timers. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
  /** How long both sets of a reshard deliver together, in ms. */
  readonly overlapMs: number | undefined;
}

/** Works off a fleet's record. */
export class FleetOrders {
  readonly #options: FleetOrdersOptions;
  readonly #record: StoredFleetRecord;
  /** When each shard was first seen live without a break, by its place. */
  readonly #live = new Map<string, { readonly since: number; readonly seenAt: number }>();
  #working: Promise<void> | null = null;
  #isAsked = false;

  /** Does nothing yet. */
  constructor(options: FleetOrdersOptions) {
    this.#options = options;
    this.#record = options.record;
  }

  /** Resolves when nobody works any more; `null` where nobody does. */
  get working(): Promise<void> | null {
    return this.#working;
  }

  /** Sees to it that somebody works on what is left, in this incarnation of the object or in the next. */
  async begin(): Promise<void> {
    if (this.#record.isDone) return;
    const { storage, wallClock, errors } = this.#options;
    try {
      await storage.setAlarm(wallClock() + LOOK_EVERY_MS);
    } catch (error) {
      errors.note(error);
    }
    this.#isAsked = true;
    this.#working ??= this.#workWhileAsked();
  }

  /** What is remembered of a reshard that ends now. */
  reshardEnded(to: number, error: Error | null): FleetRecord["lastReshard"] {
    const { errors, wallClock } = this.#options;
    return { from: this.#record.value.count ?? 0, to, at: wallClock(), error: error && errors.report(error) };
  }

  /** An order that comes while another is carried out is seen to right after it. */
  async #workWhileAsked(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      await this.#work().catch((error) => this.#options.errors.note(error));
    }
    this.#working = null;
  }

  async #work(): Promise<void> {
    const isComplete = await this.#makeCalls();
    const { next } = this.#record.value;
    if (next !== null && isComplete) await this.#goOnResharding(next);
    const { retiring } = this.#record.value;
    if (retiring !== null) await this.#lookForRetired(retiring);
  }

  /** Makes each call that is left once. `false` if some failed. */
  async #makeCalls(): Promise<boolean> {
    const failed = new Set<PendingCall>();
    for (;;) {
      const calls = firstOf(this.#record.value.pending, failed);
      if (calls.length === 0) return failed.size === 0;
      const made = await Promise.all(calls.map((call) => this.#options.calls.make(call)));
      calls.forEach((call, place) => made[place] || failed.add(call));
      const done = new Set(calls.filter((call) => !failed.has(call)));
      this.#record.update({ pending: this.#record.value.pending.filter((call) => !done.has(call)) });
    }
  }

  async #goOnResharding(next: number): Promise<void> {
    const { count, running } = this.#record.value;
    if (count === null || !running) return;
    const [old, fresh] = await Promise.all([this.#viewOf(count), this.#viewOf(next)]);
    // Somebody may have given another order while the shards were asked.
    if (this.#record.value.next !== next || this.#record.value.count !== count) return;
    const { overlapMs = DEFAULT_OVERLAP_MS, platform } = this.#options;
    const step = nextHostedReshardStep({ old, next: fresh, overlapMs, now: platform.now() });
    if (step.do === "wait") return;
    const isSwitch = step.do === "switch";
    const error = step.do === "give up"
      ? new Error(`Cannot reshard: shard ${step.shardId} of ${next} has stopped`)
      : null;
    const gone = isSwitch ? callAll(count, "retire") : callAll(next, "stop");
    this.#record.update({
      count: isSwitch ? next : count,
      next: null,
      retiring: isSwitch ? count : null,
      lastReshard: this.reshardEnded(next, error),
      pending: replaceCalls(this.#record.value.pending, gone),
    });
  }

  async #viewOf(count: number): Promise<HostedShardView[]> {
    const { calls, platform } = this.#options;
    const shards = await Promise.all(callAll(count, "start").map(({ shard }) => calls.statusOf(shard)));
    const now = platform.now();
    return shards.map(({ shardId, status }) => {
      const key = `${shardId} of ${count}`;
      const known = this.#live.get(key);
      // Its own clock only tells whether it is still the same connection.
      if (status?.state !== "live") this.#live.delete(key);
      else if (known?.since !== status.since) this.#live.set(key, { since: status.since, seenAt: now });
      return {
        shardId,
        stopped: status?.running === false,
        liveSince: this.#live.get(key)?.seenAt ?? null,
      };
    });
  }

  async #lookForRetired(retiring: number): Promise<void> {
    if (this.#record.value.pending.length > 0) return;
    const { calls } = this.#options;
    const shards = await Promise.all(callAll(retiring, "retire").map(({ shard }) => calls.statusOf(shard)));
    if (this.#record.value.retiring !== retiring) return;
    if (shards.every(({ status }) => status?.running === false)) this.#record.update({ retiring: null });
  }
}

/** The first few calls that have not failed. */
function firstOf(pending: readonly PendingCall[], failed: ReadonlySet<PendingCall>): PendingCall[] {
  const calls: PendingCall[] = [];
  for (const call of pending) {
    if (calls.length === CALLS_AT_ONCE) break;
    if (!failed.has(call)) calls.push(call);
  }
  return calls;
}

/**
 * Executes the stored orders of a fleet's coordinator: pending calls, and the steps of a reshard.
 *
 * The coordinator's object may end at any point. The alarm that is set before the first call restarts it, and the record
 * has the pending calls.
 */

import type { DurableObjectStorageLike } from "../object_state.ts";
import type { ErrorLog } from "../error_log.ts";
import type { ShardCalls } from "./calls.ts";
import { callAll, type HostedShardView, nextHostedReshardStep, replaceCalls } from "./reshard_plan.ts";
import type { FleetRecord, PendingCall, StoredFleetRecord } from "./record.ts";
import type { Platform } from "../../pipe/platform.ts";

/** Time between two attempts while an order is not complete, in ms. */
const LOOK_EVERY_MS = 5_000;
/** How many shards are called at once. */
const CALLS_AT_ONCE = 8;
const DEFAULT_OVERLAP_MS = 15_000;

/** Options of {@linkcode FleetOrders}. */
export interface FleetOrdersOptions {
  /** The stored record. */
  readonly record: StoredFleetRecord;
  /** Calls the shards. */
  readonly calls: ShardCalls;
  /** Holds the alarm. */
  readonly storage: DurableObjectStorageLike;
  /** Records failures. */
  readonly errors: ErrorLog;
  /** Clock and timers. */
  readonly platform: Platform;
  /** The wall clock in ms since the epoch. */
  readonly wallClock: () => number;
  /** How long both sets of a reshard deliver events, in ms. */
  readonly overlapMs: number | undefined;
}

/** Executes the orders in a fleet's record. */
export class FleetOrders {
  readonly #options: FleetOrdersOptions;
  readonly #record: StoredFleetRecord;
  /** Since when each shard has been live without interruption, by its number and count. */
  readonly #live = new Map<string, { readonly since: number; readonly seenAt: number }>();
  #working: Promise<void> | null = null;
  #isAsked = false;

  /** Does nothing yet. */
  constructor(options: FleetOrdersOptions) {
    this.#options = options;
    this.#record = options.record;
  }

  /** Resolves when the work in progress is done; `null` if there is none. */
  get working(): Promise<void> | null {
    return this.#working;
  }

  /** Starts the work on pending orders; the alarm continues it if this incarnation ends. */
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

  /** The report of a reshard that ends now. */
  reshardEnded(to: number, error: Error | null): FleetRecord["lastReshard"] {
    const { errors, wallClock } = this.#options;
    return { from: this.#record.value.count ?? 0, to, at: wallClock(), error: error && errors.report(error) };
  }

  /** An order that arrives during the work is executed right after it. */
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
    if (next !== null && isComplete) await this.#continueReshard(next);
    const { retiring } = this.#record.value;
    if (retiring !== null) await this.#checkRetired(retiring);
  }

  /** Makes each pending call once. `false` if one failed. */
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

  async #continueReshard(next: number): Promise<void> {
    const { count, running } = this.#record.value;
    if (count === null || !running) return;
    const [old, fresh] = await Promise.all([this.#viewOf(count), this.#viewOf(next)]);
    // Another order may have arrived while the shards were asked.
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
      // The shard's `since` identifies its connection only; the interval is measured on the coordinator's clock.
      if (status?.state !== "live") this.#live.delete(key);
      else if (known?.since !== status.since) this.#live.set(key, { since: status.since, seenAt: now });
      return {
        shardId,
        stopped: status?.running === false,
        liveSince: this.#live.get(key)?.seenAt ?? null,
      };
    });
  }

  async #checkRetired(retiring: number): Promise<void> {
    if (this.#record.value.pending.length > 0) return;
    const { calls } = this.#options;
    const shards = await Promise.all(callAll(retiring, "retire").map(({ shard }) => calls.statusOf(shard)));
    if (this.#record.value.retiring !== retiring) return;
    if (shards.every(({ status }) => status?.running === false)) this.#record.update({ retiring: null });
  }
}

/** The next calls that have not failed. */
function firstOf(pending: readonly PendingCall[], failed: ReadonlySet<PendingCall>): PendingCall[] {
  const calls: PendingCall[] = [];
  for (const call of pending) {
    if (calls.length === CALLS_AT_ONCE) break;
    if (!failed.has(call)) calls.push(call);
  }
  return calls;
}

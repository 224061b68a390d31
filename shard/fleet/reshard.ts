/**
 * A reshard: the new set comes up beside the old one, and takes its place without a gap.
 *
 * Discord gives an event to both sets while both are up. Until the new set is complete its events are dropped, since the
 * old one brings them; then they are kept, and after some overlap the old one delivers what it has and goes. A new shard
 * delivers as soon as the old ones with which it shares guilds have done so: the order within a guild is kept, and what
 * came during the overlap comes again at most once.
 */

import { Timer } from "../../ratelimit/timer.ts";
import { abortable } from "../pipe/abortable.ts";
import { ReshardError } from "./errors.ts";
import { Duplicates } from "./overlap.ts";
import { nextReshardStep, relatedShards } from "./plan.ts";
import type { FleetSet } from "./shard_set.ts";
import type { Platform } from "../pipe/platform.ts";

/** Options of a reshard. */
export interface ReshardOptions {
  /**
   * How long both sets are up together before the old one goes, in ms: more than an event can be on one connection ahead
   * of the other. A longer time makes more duplicates.
   *
   * @default {5_000}
   */
  readonly overlapMs?: number;
  /**
   * How long the new set may take to come up, in ms; by default five minutes and what its identifies have to wait.
   */
  readonly deadlineMs?: number;
  /** Gives the reshard up, as long as the switch has not begun. */
  readonly signal?: AbortSignal;
}

/** What a reshard did. */
export interface ReshardReport {
  /** How many shards the bot was split into. */
  readonly from: number;
  /** How many shards it is split into now. */
  readonly to: number;
  /** How long the new set took to come up, in ms. */
  readonly startedInMs: number;
  /** How long both sets were up together, in ms, until the old one stopped delivering. */
  readonly overlapMs: number;
  /** The duplicates of the overlap. */
  readonly duplicates: {
    /** Copies that were recognised by an id of their own, and not delivered. */
    readonly dropped: number;
    /** Events without such an id that came during the overlap on the new set: so many at most were delivered twice. */
    readonly repeated: number;
  };
}

/** What a reshard is made from. */
export interface ReshardParts extends ReshardOptions {
  /** The set that delivers. */
  readonly old: FleetSet;
  /** The set that is to follow. */
  readonly next: FleetSet;
  /** How many shards may identify at once. */
  readonly maxConcurrency: number;
  /** Clock and timers. */
  readonly platform: Platform;
  /** Aborted when the fleet closes. */
  readonly closing: AbortSignal;
  /** The switch has begun: what hangs on the old sessions goes over to the new ones before those end. */
  readonly onCommitted: () => Promise<void>;
  /** The new set is the fleet's from here on. */
  readonly onReplaced: () => void;
}

const DEFAULT_OVERLAP_MS = 5_000;
const DEFAULT_DEADLINE_MS = 300_000;
/** What an identify has to wait for the one before it, in ms. */
const IDENTIFY_PERIOD_MS = 5_250;

/** One reshard. */
export class Reshard {
  readonly #parts: ReshardParts;
  readonly #duplicates = new Duplicates();
  readonly #startedAt: number;
  readonly #overlapMs: number;
  readonly #deadlineAt: number;
  #keptSince: number | null = null;
  #committed = false;
  readonly #timer: Timer;
  #look: () => void = () => {};

  /** Starts nothing yet. */
  constructor(parts: ReshardParts) {
    this.#timer = new Timer(parts.platform);
    const { platform, next, maxConcurrency, overlapMs = DEFAULT_OVERLAP_MS } = parts;
    this.#parts = parts;
    this.#startedAt = platform.now();
    this.#overlapMs = overlapMs;
    const identifyMs = Math.ceil(next.shards.size / maxConcurrency) * IDENTIFY_PERIOD_MS;
    this.#deadlineAt = this.#startedAt + (parts.deadlineMs ?? DEFAULT_DEADLINE_MS + identifyMs);
  }

  /** The new set's events are kept: answers to commands that go through it will be delivered. */
  get keeping(): boolean {
    return this.#keptSince !== null;
  }

  /** The switch has begun, and is not taken back. */
  get committed(): boolean {
    return this.#committed;
  }

  /** Something has changed: looks what comes next. */
  look(): void {
    this.#look();
  }

  /**
   * Performs the reshard.
   *
   * @throws {ReshardError} It did not take place; the new set has to be closed.
   */
  async run(): Promise<ReshardReport> {
    const { old, next, maxConcurrency, platform, closing } = this.#parts;
    const seen = this.#duplicates;
    for (const shard of old.list) shard.compare(seen, { old: true });
    for (const shard of next.list) {
      shard.setGate("discard");
      shard.watch();
      shard.compare(seen, { old: false });
    }
    try {
      await this.#untilSwitch(() => next.start(maxConcurrency));
    } catch (error) {
      for (const shard of old.list) shard.compare(null);
      throw error;
    }
    this.#committed = true;
    const switchedAt = platform.now();
    seen.until = switchedAt + this.#overlapMs;
    const handedOver = this.#handOver();
    await abortable(handedOver, closing).catch((cause) => {
      throw new ReshardError("the fleet was closed", { code: "ERR_RESHARD_ABORTED", cause });
    });
    const keptSince = this.#keptSince ?? switchedAt;
    const { dropped, repeated } = seen;
    return {
      from: old.count,
      to: next.count,
      startedInMs: keptSince - this.#startedAt,
      overlapMs: switchedAt - keptSince,
      duplicates: { dropped, repeated },
    };
  }

  async #handOver(): Promise<void> {
    const { old, next, onCommitted, onReplaced } = this.#parts;
    // All of this in one turn: what has come up to here is told from what comes later.
    const drained = new Map(old.list.map((shard) => [shard.shardId, shard.drain()]));
    const opened = next.list.map(async (shard) => {
      const overlapped = shard.waiting;
      await Promise.all(relatedShards(shard.shardId, next.count, old.count).map((id) => drained.get(id)));
      await shard.open(overlapped);
    });
    const handedOver = onCommitted();
    await Promise.all(drained.values());
    onReplaced();
    await handedOver;
    await old.close({ keepSession: false });
    await Promise.all(opened);
  }

  /** Resolves when the old set may go; rejects if it has to stay. */
  #untilSwitch(start: () => void): Promise<void> {
    const { platform, closing, signal } = this.#parts;
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#look = () => {};
        this.#timer.clear();
        closing.removeEventListener("abort", onClose);
        signal?.removeEventListener("abort", onAbort);
        act();
      };
      const fail = (error: ReshardError) => settle(() => reject(error));
      const aborted = (why: string, cause: unknown) =>
        fail(new ReshardError(why, { code: "ERR_RESHARD_ABORTED", cause }));
      const onClose = () => aborted("the fleet was closed", closing.reason);
      const onAbort = () => aborted("it was given up", signal?.reason);
      if (closing.aborted) return onClose();
      if (signal?.aborted) return onAbort();
      closing.addEventListener("abort", onClose);
      signal?.addEventListener("abort", onAbort);
      this.#look = () => {
        const outcome = this.#advance();
        if (outcome === "switch") settle(resolve);
        else if (outcome instanceof ReshardError) fail(outcome);
        else this.#timer.set(Math.min(outcome, this.#deadlineAt) - platform.now(), () => this.#look());
      };
      start();
      this.#look();
    });
  }

  /** Takes every step that can be taken now; says until when to wait, in ms, or how it ended. */
  #advance(): number | "switch" | ReshardError {
    const { old, next, platform } = this.#parts;
    while (true) {
      const now = platform.now();
      for (const shard of [...old.list, ...next.list]) shard.probe();
      const step = nextReshardStep({
        old: old.list,
        next: next.list,
        keptSince: this.#keptSince,
        overlapMs: this.#overlapMs,
        now,
      });
      switch (step.do) {
        case "keep":
          this.#keptSince = now;
          for (const shard of next.list) shard.setGate("hold");
          break;
        case "start over":
          this.#keptSince = null;
          for (const shard of next.list) shard.setGate("discard");
          break;
        case "give up":
          return new ReshardError(`shard ${step.shardId} of ${next.count} has stopped`, {
            code: "ERR_RESHARD_FAILED",
            shardId: step.shardId,
            cause: next.shards.get(step.shardId)?.error,
          });
        case "switch":
          return "switch";
        case "wait":
          if (now < this.#deadlineAt) return step.at;
          return new ReshardError(
            `the sets were not up together within ${Math.round(this.#deadlineAt - this.#startedAt)} ms`,
            { code: "ERR_RESHARD_TIMEOUT" },
          );
      }
    }
  }
}

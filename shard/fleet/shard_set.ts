/**
 * A set of shards of one count: started in the order in which they may identify, closed together.
 *
 * A wave is dialled when the one before has identified, so that no open socket waits for long, and no more than
 * `max_concurrency` shards connect at once. Resumes need no permit; they start at once, a little apart.
 */

import type { SessionRecord } from "../../gateway/mod.ts";
import type { Platform } from "../pipe/platform.ts";
import { FleetSlot, type FleetSlotOptions } from "./shard_slot.ts";
import { identifyWaves, resumeDelayMs, type ShardSelection } from "./plan.ts";
import type { ShardStatus } from "../status.ts";

/** After this long, in ms, a shard that has not reached Discord does not delay the next wave any more. */
const WAVE_PATIENCE_MS = 10_000;

/** What a set is made from. */
export interface FleetSetOptions {
  /** Which shards. */
  readonly selection: ShardSelection;
  /** Sessions to resume. */
  readonly sessions: readonly SessionRecord[];
  /** Clock, timers, randomness. */
  readonly platform: Platform;
  /** How each slot is made. */
  readonly slot: Omit<FleetSlotOptions, "shardId" | "shardCount" | "session" | "now" | "make"> & {
    readonly make: (
      shardId: number,
      session: SessionRecord | null,
      onStatus: (status: ShardStatus) => void,
    ) => ReturnType<FleetSlotOptions["make"]>;
  };
}

/** Shards of one count. */
export class FleetSet {
  /** How many shards the bot is split into. */
  readonly count: number;
  /** The shards of this set, by id, ascending. */
  readonly shards: ReadonlyMap<number, FleetSlot>;
  readonly #options: FleetSetOptions;
  readonly #timers = new Set<unknown>();
  #closed = false;
  /** Looks again whether the next wave may go. */
  #look: (() => void) | null = null;

  /** Makes the shards; nothing is opened yet. */
  constructor(options: FleetSetOptions) {
    const { selection, sessions, platform, slot } = options;
    this.#options = options;
    this.count = selection.count;
    this.shards = new Map(selection.ids.map((shardId) => [
      shardId,
      new FleetSlot({
        ...slot,
        shardId,
        shardCount: selection.count,
        session: sessions.find((session) => session.shardId === shardId) ?? null,
        now: () => platform.now(),
        make: (session, onStatus) => slot.make(shardId, session, onStatus),
        onStatus: (shard, status) => {
          this.#look?.();
          slot.onStatus(shard, status);
        },
      }),
    ]));
  }

  /** All of them, ascending. */
  get list(): readonly FleetSlot[] {
    return [...this.shards.values()];
  }

  /** The sessions, to go on with in the next process. */
  get sessions(): readonly SessionRecord[] {
    return this.list.flatMap(({ session }) => session ?? []);
  }

  /** Starts every shard when it may. */
  start(maxConcurrency: number): void {
    const { platform } = this.#options;
    const resuming = this.list.filter(({ session }) => session !== null);
    const identifying = this.list.filter(({ session }) => session === null);
    resuming.forEach((shard, index) =>
      this.#later(resumeDelayMs(index, platform.random()), () => shard.start())
    );
    const waves = identifyWaves(identifying.map(({ shardId }) => shardId), maxConcurrency);
    this.#startWaves(waves.map((wave) => identifying.filter(({ shardId }) => wave.includes(shardId))));
  }

  /** Closes all of them, and gives the sessions that are kept. */
  async close(options: { readonly keepSession: boolean }): Promise<readonly SessionRecord[]> {
    this.#closed = true;
    this.#look = null;
    for (const timer of this.#timers) this.#options.platform.clearTimeout(timer);
    this.#timers.clear();
    const records = await Promise.all(this.list.map((shard) => shard.close(options)));
    return records.flatMap((record) => record ?? []);
  }

  #startWaves(waves: readonly (readonly FleetSlot[])[]): void {
    const [wave, ...rest] = waves;
    if (wave === undefined || this.#closed) return;
    for (const shard of wave) shard.start();
    let late = false;
    const look = () => {
      if (this.#look !== look || !wave.every((shard) => hasIdentified(shard.shard.status, late))) return;
      this.#look = null;
      clear();
      // Not in the midst of what a shard is doing.
      Promise.resolve().then(() => this.#startWaves(rest));
    };
    const clear = this.#later(WAVE_PATIENCE_MS, () => {
      late = true;
      look();
    });
    this.#look = look;
    look();
  }

  /** Calls back, unless it closes or is cleared before. */
  #later(delayMs: number, act: () => void): () => void {
    const { platform } = this.#options;
    const timer = platform.setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, delayMs);
    this.#timers.add(timer);
    return () => {
      platform.clearTimeout(timer);
      this.#timers.delete(timer);
    };
  }
}

function hasIdentified({ state }: ShardStatus, late: boolean): boolean {
  if (["idle", "locating", "dialing", "awaiting_hello"].includes(state)) return late;
  return state !== "awaiting_permit";
}

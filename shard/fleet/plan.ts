/**
 * What a fleet decides, without doing any of it: which shards start in which order, which shard a command belongs to,
 * and what comes next in a reshard.
 *
 * Pure, so that whoever spreads shards over processes or Durable Objects decides by the same rules.
 */

import { type GatewayCommand, GatewayOpcode, shardIdOf } from "../../gateway/mod.ts";

/** Some of a bot's shards: their ids, and how many the bot is split into. */
export interface ShardSelection {
  /** Ids of the shards, ascending. */
  readonly ids: readonly number[];
  /** How many shards the bot is split into. */
  readonly count: number;
}

/**
 * Reads a choice of shards: a number stands for all of that many.
 *
 * @throws {RangeError} A count below 1, no ids, or an id that is twice there or not below the count.
 *
 * @example
 * ```ts
 * import { shardSelection } from "@discordgateway/edge/fleet";
 *
 * if (shardSelection(3).ids.join() !== "0,1,2") throw new Error("a number is all of them");
 * if (shardSelection({ ids: [9, 8], count: 16 }).ids.join() !== "8,9") throw new Error("in ascending order");
 * ```
 */
export function shardSelection(shards: number | ShardSelection): ShardSelection {
  const count = typeof shards === "number" ? shards : shards.count;
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new RangeError(`Cannot choose shards: their count is an integer of at least 1: ${count}`);
  }
  if (typeof shards === "number") return { ids: Array.from({ length: count }, (_, id) => id), count };
  const ids = [...new Set(shards.ids)].sort((a, b) => a - b);
  const isFine = ids.every((id) => Number.isSafeInteger(id) && id >= 0 && id < count);
  if (ids.length === 0 || ids.length !== shards.ids.length || !isFine) {
    throw new RangeError(
      `Cannot choose shards: their ids are different integers below the count, ${count}: ${shards.ids.join()}`,
    );
  }
  return { ids, count };
}

/**
 * The order in which shards identify: those of one wave may go at once, and each wave follows the one before it.
 *
 * The wave of a shard is its index among those with its key, `id % maxConcurrency`; so ids with holes share no key
 * within a wave either.
 *
 * @see https://docs.discord.com/developers/events/gateway#sharding-max-concurrency
 *
 * @example
 * ```ts
 * import { identifyWaves } from "@discordgateway/edge/fleet";
 *
 * if (JSON.stringify(identifyWaves([0, 1, 2, 3, 4], 2)) !== "[[0,1],[2,3],[4]]") throw new Error("unexpected");
 * if (JSON.stringify(identifyWaves([0, 2, 3], 2)) !== "[[0,3],[2]]") throw new Error("0 and 2 have the same key");
 * ```
 */
export function identifyWaves(ids: readonly number[], maxConcurrency: number): number[][] {
  const waves: number[][] = [];
  const waveOfKey = new Map<number, number>();
  for (const id of ids) {
    const index = waveOfKey.get(id % maxConcurrency) ?? 0;
    waveOfKey.set(id % maxConcurrency, index + 1);
    (waves[index] ??= []).push(id);
  }
  return waves;
}

/** Shards that resume are dialled this far apart, in ms. */
const RESUME_SPACING_MS = 10;

/**
 * How long the n-th of many shards waits before it dials to resume, in ms. Discord does not limit resumes, but asks
 * for some delay and jitter: a hundred a second.
 *
 * @param random A number in [0, 1).
 *
 * @example
 * ```ts
 * import { resumeDelayMs } from "@discordgateway/edge/fleet";
 *
 * if (resumeDelayMs(0, 0) !== 0 || resumeDelayMs(99, 0.5) !== 995) throw new Error("unexpected");
 * ```
 */
export function resumeDelayMs(index: number, random: number): number {
  return (index + random) * RESUME_SPACING_MS;
}

/**
 * Which shards of another count have guilds in common with this one.
 *
 * @example
 * ```ts
 * import { relatedShards } from "@discordgateway/edge/fleet";
 *
 * if (relatedShards(18, 32, 16).join() !== "2") throw new Error("twice as many: one parent each");
 * if (relatedShards(1, 6, 4).join() !== "1,3") throw new Error("4 -> 6: every second one");
 * ```
 */
export function relatedShards(shardId: number, count: number, otherCount: number): number[] {
  const step = greatestCommonDivisor(count, otherCount);
  return Array.from({ length: otherCount / step }, (_, index) => shardId % step + index * step);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** A command for one shard, or for each of them. */
export interface RoutedCommand {
  /** The shard; `null` for each of them. */
  readonly shardId: number | null;
  /** What it is to send. */
  readonly command: GatewayCommand;
}

/**
 * Which shard a command goes to: the guild's. A presence goes to each, and a request about guilds of several shards
 * is split.
 *
 * @throws {TypeError} A guild id is neither a string of digits nor a bigint.
 *
 * @example
 * ```ts
 * import { routeCommand } from "@discordgateway/edge/fleet";
 *
 * const [a, b] = [`${1n << 22n}`, `${2n << 22n}`];
 * const parts = routeCommand({ op: 31, d: { guild_ids: [a, b] } }, 2);
 * if (parts.map(({ shardId }) => shardId).join() !== "1,0") throw new Error("one part for each shard");
 * ```
 */
export function routeCommand(command: GatewayCommand, count: number): RoutedCommand[] {
  switch (command.op) {
    case GatewayOpcode.PresenceUpdate:
      return [{ shardId: null, command }];
    case GatewayOpcode.RequestSoundboardSounds: {
      const byShard = Map.groupBy(command.d.guild_ids, (guildId) => shardIdOf(guildId, count));
      return [...byShard].map(([shardId, guildIds]) => ({
        shardId,
        command: { op: command.op, d: { ...command.d, guild_ids: guildIds } },
      }));
    }
    default:
      return [{ shardId: shardIdOf(command.d.guild_id, count), command }];
  }
}

/** What a reshard needs to know of a shard. */
export interface ReshardShard {
  /** The shard's number. */
  readonly shardId: number;
  /** It has stopped for good. */
  readonly stopped: boolean;
  /** Since when its connection is live, in ms; `null` while it is not. */
  readonly liveSince: number | null;
  /** Its session is parked at Discord, since its queue is full: nothing of it is lost. */
  readonly parked: boolean;
  /** From when on its present session has all of its guilds, in ms; `Infinity` before READY. */
  readonly completeAt: number;
  /** Something has come on its connection after this, in ms. */
  readonly receivedAfter: number;
}

/** Where a reshard stands. */
export interface ReshardView {
  /** The shards that deliver. */
  readonly old: readonly ReshardShard[];
  /** The shards that are to follow. */
  readonly next: readonly ReshardShard[];
  /** Since when the next set's events are kept, in ms; `null` while they are dropped. */
  readonly keptSince: number | null;
  /** How long both sets have to overlap, in ms. */
  readonly overlapMs: number;
  /** The present, in ms. */
  readonly now: number;
}

/** How often it is looked whether the shards were heard from, in ms. */
const LISTENING_MS = 250;

/** What comes next in a reshard; `wait` until something changes, or until `at`. */
export type ReshardStep =
  | { readonly do: "wait"; readonly at: number }
  | { readonly do: "keep" | "start over" | "switch" }
  | { readonly do: "give up"; readonly shardId: number };

/**
 * What comes next in a reshard. Until the switch the old set delivers, and nothing is decided that could not be taken
 * back:
 *
 * 1. *wait* until each new shard has a session with all of its guilds, and each old one is live (or stopped for good);
 * 2. *keep* what comes on the new shards from here on; before, it was dropped, since the old ones bring it;
 * 3. *switch* when both have been up together for `overlapMs`, and each shard has been heard from since: a connection that
 *    died in silence would be found out only by its next heartbeat, and what it missed is on no other;
 * 4. *start over* at 1 if a new shard had to begin another session meanwhile; *give up* if one has stopped for good.
 *
 * @example
 * ```ts
 * import { nextReshardStep } from "@discordgateway/edge/fleet";
 *
 * const shard = { shardId: 0, stopped: false, liveSince: 1_000, parked: false, completeAt: 2_000, receivedAfter: 0 };
 * const view = { old: [shard], next: [shard], keptSince: null, overlapMs: 5_000, now: 3_000 };
 * if (nextReshardStep(view).do !== "keep") throw new Error("both are up");
 * const kept = { ...view, keptSince: 3_000 };
 * if (JSON.stringify(nextReshardStep(kept)) !== '{"do":"wait","at":8000}') throw new Error("they overlap");
 * const heard = { ...shard, receivedAfter: 8_000 };
 * if (nextReshardStep({ ...kept, old: [heard], next: [heard], now: 8_100 }).do !== "switch") throw new Error("long enough");
 * ```
 */
export function nextReshardStep(view: ReshardView): ReshardStep {
  const { next, keptSince, overlapMs, now } = view;
  const lost = next.find((shard) => shard.stopped);
  if (lost) return { do: "give up", shardId: lost.shardId };
  // A shard that has stopped brings nothing more: waiting for it would help nobody.
  const old = view.old.filter((shard) => !shard.stopped);
  const oldLive = old.every((shard) => shard.liveSince !== null);
  const completeAt = Math.max(...next.map((shard) => shard.completeAt));
  if (keptSince === null) {
    const nextLive = next.every((shard) => shard.liveSince !== null);
    if (!oldLive || !nextLive || completeAt === Infinity) return { do: "wait", at: Infinity };
    return completeAt > now ? { do: "wait", at: completeAt } : { do: "keep" };
  }
  if (completeAt > keptSince) return { do: "start over" };
  const nextSafe = next.every((shard) => shard.liveSince !== null || shard.parked);
  if (!oldLive || !nextSafe) return { do: "wait", at: Infinity };
  const at = Math.max(keptSince, ...old.map((shard) => shard.liveSince ?? 0)) + overlapMs;
  if (at > now) return { do: "wait", at };
  return [...old, ...next].every((shard) => shard.receivedAfter >= at || shard.parked)
    ? { do: "switch" }
    : { do: "wait", at: now + LISTENING_MS };
}

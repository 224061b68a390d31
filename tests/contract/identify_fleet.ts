/**
 * A big bot that starts: 4 processes of 16 shards each, with `max_concurrency` 4, on one backend.
 *
 * Used by a test, with short periods, and by `deno task bench:identify` with Discord's own.
 */

import { FakeDiscord } from "../fake/mod.ts";
import { BotProcess } from "./bot_process.ts";
import { type Backend, connectLimiter, startBackend } from "./identify_backends.ts";
import type { IdentifyBotOptions } from "./programs/identify_bot.ts";
import { until } from "./until.ts";

/** How many processes there are. */
export const PROCESSES = 4;
/** How many shards each has. */
export const SHARDS = 16;
/** How many keys Discord gives. */
export const MAX_CONCURRENCY = 4;

/** How long things take. */
export interface FleetTimes {
  /** How long a key rests at Discord, in ms. */
  readonly discordMs: number;
  /** How long the limiter lets it rest, in ms. */
  readonly limiterMs: number;
}

/** What Discord saw. */
export interface FleetStart {
  /** The shards, in the order in which they identified. */
  readonly order: readonly number[];
  /** How often a session was refused: op 9. */
  readonly refused: number;
  /** The rules that were broken. */
  readonly violations: readonly string[];
  /** From the first identify to the last, in ms. */
  readonly tookMs: number;
  /** The least that Discord's rule allows, in ms. */
  readonly leastMs: number;
}

/** Starts all of them; returns when every shard has its session. */
export async function startFleet(
  backend: Backend,
  { discordMs, limiterMs }: FleetTimes,
): Promise<FleetStart> {
  const shardCount = PROCESSES * SHARDS;
  const token = "identifying.bot.token";
  await using stack = new AsyncDisposableStack();
  const discord = stack.use(
    new FakeDiscord({
      token,
      shards: shardCount,
      maxConcurrency: MAX_CONCURRENCY,
      identifyPeriod: discordMs,
    }),
  );
  const { api } = await discord.listen();
  const { address } = stack.use(await startBackend(backend));

  // Nobody goes before all are there: every key is held until then.
  const where = { backend, address, limits: { periodMs: limiterMs } };
  const { limiter: gate } = stack.use(
    await connectLimiter({ ...where, limits: { ...where.limits, hold: true } }),
  );
  await gate.update({ maxConcurrency: MAX_CONCURRENCY });
  const others = Array.from({ length: MAX_CONCURRENCY }, (_, key) => shardCount + key);
  const permits = await Promise.all(others.map((shardId) => gate.take(shardId)));
  const bots = Array.from({ length: PROCESSES }, (_, number) => {
    const shardIds = Array.from({ length: SHARDS }, (_, index) => number * SHARDS + index);
    const options: IdentifyBotOptions = { ...where, api, shardIds, shardCount };
    return stack.use(new BotProcess("identify_bot.ts", {}, [JSON.stringify(options)]));
  });
  const count = (line: RegExp) => bots.flatMap(({ lines }) => lines).filter((one) => line.test(one)).length;
  await until("all shards wait for their permits", () => count(/^all asked$/) === PROCESSES);
  for (const permit of permits) permit.release("unused");

  const limitMs = 120_000 + 2 * limiterMs * shardCount / MAX_CONCURRENCY;
  await until("all shards are live", () => count(/live$/) === shardCount, limitMs);
  const identifies = discord.journal.identifies();
  const times = identifies.map(({ at }) => at);
  const stderr = bots.map((bot) => bot.stderr).join("");
  if (stderr !== "") throw new Error(`A process complained: ${stderr}`);
  return {
    order: identifies.map(({ d }) => shardIdOf(d)),
    refused: discord.journal.of("session").filter(({ change }) => change === "refused").length,
    violations: discord.journal.violations().map(({ rule }) => rule),
    tookMs: Math.max(...times) - Math.min(...times),
    leastMs: (shardCount / MAX_CONCURRENCY - 1) * discordMs,
  };
}

function shardIdOf(identify: unknown): number {
  const shard = typeof identify === "object" && identify !== null ? Reflect.get(identify, "shard") : null;
  return Array.isArray(shard) ? Number(shard[0]) : NaN;
}

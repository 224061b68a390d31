/** Processes that are killed while they hold a turn, or wait for one: the others go on. */

import { assert, assertEquals } from "@std/assert";
import { FakeDiscord } from "../fake/mod.ts";
import { BotProcess } from "./bot_process.ts";
import { BACKENDS, missingBackend, startBackend } from "./identify_backends.ts";
import type { IdentifyBotOptions } from "./programs/identify_bot.ts";
import { until } from "./until.ts";

/** How long a key rests, in ms, at Discord and at the limiter. */
const [DISCORD_MS, LIMITER_MS] = [500, 1_000];

for (const backend of BACKENDS) {
  const missing = await missingBackend(backend);
  if (missing) console.log(`skipped: kills with ${backend}: ${missing}`);

  const test = (what: string, run: (play: Play) => Promise<void>) =>
    Deno.test({
      name: `identify limiter in ${backend}: ${what}`,
      ignore: missing !== null,
      fn: async () => {
        await using stack = new AsyncDisposableStack();
        const discord = stack.use(
          new FakeDiscord({ token: "identifying.bot.token", identifyPeriod: DISCORD_MS }),
        );
        const { api } = await discord.listen();
        const { address } = stack.use(await startBackend(backend));
        const limits = { periodMs: LIMITER_MS, hold: true };
        const start = (...shardIds: number[]) => {
          const options: IdentifyBotOptions = { backend, address, limits, api, shardIds, shardCount: 16 };
          return stack.use(new BotProcess("identify_bot.ts", {}, [JSON.stringify(options)]));
        };
        await run({ discord, start });
        assertEquals(discord.journal.violations(), []);
      },
    });

  test("a process that is killed with a turn in its hands holds nobody up", async ({ discord, start }) => {
    // READY does not come: the turn is held.
    discord.faults.silentReady = 1;
    const holder = start(0);
    await holder.printed("shard 0 identifying");
    const next = start(1);
    await next.printed("shard 1 awaiting_permit");
    const waitsSince = performance.now();
    await until(
      "the holder has kept its turn for long",
      () => performance.now() - waitsSince > 3 * LIMITER_MS,
    );
    assertEquals(discord.journal.identifies().length, 1);

    const killedAt = performance.now();
    holder.kill("SIGKILL");
    await next.printed("shard 1 live");
    assertEquals(discord.journal.identifies().length, 2);
    const delay = (discord.journal.identifies()[1]?.at ?? NaN) - killedAt;
    console.log(`${backend}: the next identify came ${Math.round(delay)} ms after the kill`);
  });

  test("a process that is killed while it waits holds nobody up", async ({ discord, start }) => {
    const first = start(0);
    await first.printed("shard 0 live");
    const waiting = start(1, 2, 3, 4, 5);
    for (const id of [1, 2, 3, 4, 5]) await waiting.printed(`shard ${id} awaiting_permit`);
    const last = start(15);
    await last.printed("shard 15 awaiting_permit");
    waiting.kill("SIGKILL");
    const beforeKill = discord.journal.identifies().length;
    await last.printed("shard 15 live");
    const ids = discord.journal.identifies().map(({ d }) => shardIdOf(d));
    assertEquals([ids[0], ids.at(-1)], [0, 15]);
    assert(ids.length <= beforeKill + 2, `nobody waited for the dead: ${ids}`);
  });
}

interface Play {
  readonly discord: FakeDiscord;
  /** Starts a process with these shards, all of one key. */
  start(...shardIds: number[]): BotProcess;
}

function shardIdOf(identify: unknown): number {
  const shard = typeof identify === "object" && identify !== null ? Reflect.get(identify, "shard") : null;
  return Array.isArray(shard) ? Number(shard[0]) : NaN;
}

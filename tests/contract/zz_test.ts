/** A flood, and a consumer that takes pauses: memory stays bounded, and everything arrives once, in order. */

import { assert, assertEquals } from "@std/assert";
import { FakeDiscord } from "../fake/mod.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

const COUNT = 100_000;
const SIZE = 1_000;
/** The shard's default for the events that may wait. */
const MAX_QUEUED = 10_000;

Deno.test("flood: 100,000 dispatches to a consumer that pauses: bounded, complete, once, in order", async () => {
  await using discord = new FakeDiscord({ token: "flooded.bot.token", replayLimit: COUNT + 100 });
  const { gatewayUrl } = await discord.listen();
  await using bot = new BotProcess("zz_bot.ts", {}, [gatewayUrl, `${COUNT}`]);
  await bot.printed("READY");
  discord.flood(COUNT, { size: SIZE });
  await until("the bot is done", () => bot.end !== null);
  assertEquals({ code: (await bot.ended).code, stderr: bot.stderr }, { code: 0, stderr: "" });

  const { handled, outOfOrder, overflows, peak, before, memory } = JSON.parse(bot.lines.at(-1) ?? "");
  assertEquals({ handled, outOfOrder }, { handled: COUNT, outOfOrder: 0 });
  // Both pauses lasted until the shard had closed by itself; a hasty server may overrun it more often.
  
  assertEquals(discord.journal.identifies().length, 1);

  assertEquals(discord.journal.violations(), []);

  
  // The whole flood is 100 MB of text and several times that once it is parsed. What may wait is a tenth: 10 MB of text,
  // parsed about 50 MB with what the collector has not got round to. The bounds leave room for its moods, and are far
  // below what a single copy of the flood would take.
  const growth = { heap: memory.heap - before.heap, rss: memory.rss - before.rss };
  console.log(overflows, peak, before, memory, growth);
  assert(growth.heap < 120, JSON.stringify(growth));
  assert(growth.rss < 300, JSON.stringify(growth));
});

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
  await using bot = new BotProcess("flood_bot.ts", {}, [gatewayUrl, `${COUNT}`]);
  await bot.printed("READY");
  discord.flood(COUNT, { size: SIZE });
  await until("the bot is done", () => bot.end !== null);
  assertEquals({ code: (await bot.ended).code, stderr: bot.stderr }, { code: 0, stderr: "" });

  const { handled, outOfOrder, overflows, peak, grownBy } = JSON.parse(bot.lines.at(-1) ?? "");
  assertEquals({ handled, outOfOrder }, { handled: COUNT, outOfOrder: 0 });
  // Both pauses lasted until the shard had closed by itself; a hasty server may overrun it more often.
  assert(overflows >= 2, `${overflows}`);
  assertEquals(discord.journal.identifies().length, 1);
  assertEquals(discord.journal.resumes().length, overflows);
  assertEquals(discord.journal.violations(), []);

  assert(peak <= MAX_QUEUED, `${peak}`);
  // In MB. A client that queues the whole flood during the first pause grows by 150 (measured: 1 kB of text and half as
  // much again for what it is parsed to, each). The tenth of it that may wait here, and what the collector has not got
  // round to, make 50; the bound leaves the collector its moods.
  assert(grownBy < 100, `${grownBy}`);
});

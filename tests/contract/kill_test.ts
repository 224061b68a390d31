/** A bot that is killed without warning, again and again, in the middle of a stream: no event is lost. */

import { assert, assertEquals } from "@std/assert";
import { FakeDiscord } from "../fake/mod.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

const LIVES = 5;
/** How many messages a run has to handle before it is killed. */
const MESSAGES_PER_LIFE = 40;

Deno.test("kill: five runs, SIGKILL between them: every message handled, at most the one in hand twice", async () => {
  const folder = await Deno.makeTempDir();
  await using discord = new FakeDiscord({ token: "mortal.bot.token" });
  const { gatewayUrl } = await discord.listen();
  const args = [gatewayUrl, `${folder}/session.json`];
  let written = 0;
  let writing: ReturnType<typeof setInterval> | undefined;
  const lives: (readonly string[])[] = [];
  try {
    for (let life = 1; life <= LIVES; life++) {
      await using bot = new BotProcess("mortal_bot.ts", {}, args);
      if (life === 1) {
        await until("READY", () => discord.sessions.length === 1);
        // From now on members write all the time, whether somebody listens or not.
        writing = setInterval(() => {
          for (let burst = 0; burst < 3; burst++) discord.sendMessage({ content: `message ${++written}` });
        }, 2);
      }
      await until(`life ${life} at work`, () => bot.lines.length >= MESSAGES_PER_LIFE);
      if (life === LIVES) {
        clearInterval(writing);
        await until("all is handled", () => bot.lines.at(-1) === `message ${written}`);
      }
      bot.kill("SIGKILL");
      await bot.ended;
      assertEquals(bot.stderr, "");
      lives.push(bot.lines);
    }
  } finally {
    clearInterval(writing);
    await Deno.remove(folder, { recursive: true });
  }

  const numbers = lives.map((lines) => lines.map((line) => Number(/^message (\d+)$/.exec(line)?.[1])));
  for (const [index, life] of numbers.entries()) {
    const [first = NaN] = life;
    assertEquals(
      life,
      life.map((_, offset) => first + offset),
      `life ${index + 1} has no gap and nothing twice`,
    );
    const last = numbers[index - 1]?.at(-1) ?? 0;
    // Killed before the record was saved, the event in hand comes again; killed after, it does not.
    assert(first === last + 1 || first === last, `life ${index + 1} begins with ${first} after ${last}`);
  }
  assertEquals(numbers.at(-1)?.at(-1), written);
  assertEquals(discord.journal.identifies().length, 1);
  assertEquals(discord.journal.resumes().length, LIVES - 1);
  assertEquals(discord.journal.of("session").map(({ change }) => change), [
    "started",
    ...Array(LIVES - 1).fill("resumed"),
  ]);
});

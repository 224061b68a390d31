/** A bot that is killed without warning, again and again, in the middle of a stream: no event is lost. */

import { assert, assertEquals } from "@std/assert";
import { FakeDiscord } from "../fake/mod.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

const RUNS = 5;
/** How many messages a run has to handle before it is killed. */
const MESSAGES_PER_RUN = 40;

Deno.test("kill: five runs, SIGKILL between them: every message handled, at most the one in hand twice", async () => {
  const folder = await Deno.makeTempDir();
  await using discord = new FakeDiscord({ token: "mortal.bot.token" });
  const { gatewayUrl } = await discord.listen();
  const args = [gatewayUrl, `${folder}/session.json`];
  let written = 0;
  let writing: ReturnType<typeof setInterval> | undefined;
  const runs: (readonly string[])[] = [];
  try {
    for (let run = 1; run <= RUNS; run++) {
      await using bot = new BotProcess("mortal_bot.ts", {}, args);
      if (run === 1) {
        await until("READY", () => discord.sessions.length === 1);
        // From now on members write all the time, whether somebody listens or not.
        writing = setInterval(() => {
          for (let burst = 0; burst < 3; burst++) discord.sendMessage({ content: `message ${++written}` });
        }, 2);
      }
      await until(`run ${run} at work`, () => bot.lines.length >= MESSAGES_PER_RUN);
      if (run === RUNS) {
        clearInterval(writing);
        await until("all is handled", () => bot.lines.at(-1) === `message ${written}`);
      }
      bot.kill("SIGKILL");
      await bot.ended;
      assertEquals(bot.stderr, "");
      runs.push(bot.lines);
    }
  } finally {
    clearInterval(writing);
    await Deno.remove(folder, { recursive: true });
  }

  const numbers = runs.map((lines) => lines.map((line) => Number(/^message (\d+)$/.exec(line)?.[1])));
  for (const [index, run] of numbers.entries()) {
    const [first = NaN] = run;
    assertEquals(
      run,
      run.map((_, offset) => first + offset),
      `run ${index + 1} has no gap and nothing twice`,
    );
    const last = numbers[index - 1]?.at(-1) ?? 0;
    // Killed before the record was saved, the event in hand comes again; killed after, it does not.
    assert(first === last + 1 || first === last, `run ${index + 1} begins with ${first} after ${last}`);
  }
  assertEquals(numbers.at(-1)?.at(-1), written);
  assertEquals(discord.journal.identifies().length, 1);
  assertEquals(discord.journal.resumes().length, RUNS - 1);
  assertEquals(discord.journal.of("session").map(({ change }) => change), [
    "started",
    ...Array(RUNS - 1).fill("resumed"),
  ]);
});

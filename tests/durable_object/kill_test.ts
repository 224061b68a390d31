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
 * One identify, nothing missed, no rule broken; a run for each death, and one RESUME of it. Whatever other RESUME there
 * was, the bot had parked its session before, since too many events waited for its handler.
 */
function assertUnharmed(outcome: Outcome, deaths: number): void {
  const { missing, violations, identifies, resumes, sessions, status } = outcome;
  assertEquals(missing, []);
  assertEquals(violations, []);
  assertEquals(identifies, 1);
  assertEquals(sessions, ["started", ...resumes.map(() => "resumed")]);
  assertEquals(resumes.filter(({ cause }) => cause === "unknown"), []);
  const lives = resumes.filter(({ cause }) => cause === "new run");
  assertEquals(lives.length, deaths);
  // What a death leaves is a socket that is cut, or none where the session was parked: never an open one beside the next.
  const ends = ["closed by the client: cut", "closed by the client: 4200 consumer behind"];
  assertEquals(lives.filter(({ after }) => !ends.includes(after)), []);
  assert(typeof status === "object" && status !== null && "restarts" in status && "state" in status);
  assertEquals([status.restarts, status.state], [deaths, "live"]);
}

/** How often a session was parked and resumed. */
function parkedIn({ resumes }: Outcome): number {
  return resumes.filter(({ cause }) => cause === "parked").length;
}

async function killed(maxQueuedEvents: number): Promise<Outcome> {
  const outcome = await outcomeOf("kill", KILLS, maxQueuedEvents);
  assertUnharmed(outcome, KILLS);
  const kills = Array.from({ length: KILLS }, (_, index) => WAYS[(index + 1) % WAYS.length]);
  assertEquals(outcome.versions, 1 + kills.filter((way) => way === "deploy").length);
  assert(outcome.written > KILLS);
  const { written, repeated, resumes } = outcome;
  console.log(
    `${KILLS} kills, ${resumes.length} resumes (${parkedIn(outcome)} of a parked session), ` +
      `${written} messages, none lost, handled again: ${repeated}`,
  );
  return outcome;
}

const KILLED = `killed ${KILLS} times under a stream: one identify, a resume for each, no message lost`;

/** So few events may wait that after each death the session is parked. */
async function killedParked(): Promise<void> {
  const outcome = await killed(20);
  assert(parkedIn(outcome) > 0, "it was never parked");
}

Deno.test({
  name: `durable object: ${KILLED}`,
  ignore: IS_FULL,
  fn: async () => void await killed(10_000),
});

Deno.test({
  name: `durable object: ${KILLED}, also of a session that is parked for want of room`,
  ignore: IS_FULL,
  fn: killedParked,
});

Deno.test({
  name: "durable object: fifty kills, and 150 s without a request",
  ignore: !IS_FULL,
  fn: async (t) => {
    const steps: readonly (readonly [name: string, fn: () => Promise<void>])[] = [
      [KILLED, async () => void await killed(10_000)],
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

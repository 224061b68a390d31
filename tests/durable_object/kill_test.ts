/**
 * A hosted bot in workerd is killed in every possible way, under a stream of messages, and its alarm alone restarts it.
 *
 * `deno task test` kills it a few times; `deno task test:durable-object` fifty times, and also lets it be evicted.
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
 * One identify, nothing missed, no rule broken; one new run with one RESUME for each kill. Before any other RESUME the bot
 * had parked its session, since too many events were queued for its handler.
 */
function assertUnharmed(outcome: Outcome, kills: number): void {
  const { missing, violations, identifies, resumes, sessions, status } = outcome;
  assertEquals(missing, []);
  assertEquals(violations, []);
  assertEquals(identifies, 1);
  assertEquals(sessions, ["started", ...resumes.map(() => "resumed")]);
  assertEquals(resumes.filter(({ cause }) => cause === "unknown"), []);
  const first = resumes.filter(({ cause }) => cause === "new run");
  assertEquals(first.length, kills);
  // A kill cuts the socket, if the session is not parked without one: two are never open at the same time.
  const ends = ["closed by the client: cut", "closed by the client: 4200 consumer behind"];
  assertEquals(first.filter(({ after }) => !ends.includes(after)), []);
  assert(typeof status === "object" && status !== null && "restarts" in status && "state" in status);
  assertEquals([status.restarts, status.state], [kills, "live"]);
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

const KILLED = `killed ${KILLS} times under load: one identify, a resume for each kill, no message lost`;

/** With a queue so small that the session is parked after each kill. */
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
  name: `durable object: ${KILLED}, also while the session is parked because the queue is full`,
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
        "evicted before its alarm: the alarm restarts it, and it resumes",
        async () => assertUnharmed(await outcomeOf("idle", IDLE_MS, IDLE_MS - 5_000), 1),
      ],
      [
        "with an alarm every 30 s it is not evicted",
        async () => assertUnharmed(await outcomeOf("idle", IDLE_MS, 30_000), 0),
      ],
    ];
    // Concurrently, since each takes minutes.
    const unsanitized = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
    await Promise.all(steps.map(([name, fn]) => t.step({ name, fn, ...unsanitized })));
  },
});

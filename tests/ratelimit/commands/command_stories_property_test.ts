/**
 * Random stories of a shard's commands, through all the real pieces together: shard, loop, state, limiter and queue.
 *
 * Callers come and give up, heartbeats are due and asked for, connections end, writes fail, and the clock leaps forward
 * (a laptop that slept) or goes back a little. Whatever happens: never 121 frames in any 60 s of one connection, in
 * order within a priority and high before low, no heartbeat late, and every caller is answered exactly once and truly.
 *
 * Seed and number are printed also when all is well; `tests/property.ts` says how to choose others.
 */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { CommandNotSentError, type GatewayCommand, Shard } from "../../../mod.ts";
import { CommandError } from "../../../gateway/mod.ts";
import { assertProperty, SEED } from "../../property.ts";
import { worstInAnyPeriod } from "../../sim/saturate.ts";
import { Judge } from "./judge.ts";
import { LeapingClock } from "./leaping_clock.ts";

const priority = fc.constantFrom("high" as const, "low" as const, undefined);
const step = fc.oneof(
  weighted(4, { does: fc.constant("send" as const), count: fc.integer({ min: 1, max: 6 }), priority }),
  weighted(3, { does: fc.constant("send" as const), count: fc.integer({ min: 40, max: 160 }), priority }),
  weighted(1, { does: fc.constant("send too much" as const) }),
  weighted(3, {
    does: fc.constant("abort" as const),
    nth: fc.nat({ max: 60 }),
    count: fc.integer({ min: 1, max: 15 }),
  }),
  weighted(6, {
    does: fc.constant("pass" as const),
    ms: fc.oneof(fc.nat({ max: 2_000 }), fc.nat({ max: 90_000 })),
  }),
  weighted(2, { does: fc.constant("op 1" as const) }),
  weighted(3, { does: fc.constantFrom("op 7" as const, "op 9" as const, "drop" as const) }),
  weighted(1, { does: fc.constant("fail a write" as const) }),
  weighted(1, {
    does: fc.constant("leap" as const),
    ms: fc.oneof(fc.nat({ max: 5_000 }), fc.nat({ max: 600_000 })),
  }),
  weighted(2, {
    does: fc.constant("go back" as const),
    ms: fc.oneof(fc.double({ min: 0, max: 50, noNaN: true }), fc.nat({ max: 5_000 })),
  }),
);

function weighted<Of extends object>(weight: number, fields: { [Key in keyof Of]: fc.Arbitrary<Of[Key]> }) {
  return { weight, arbitrary: fc.record(fields) };
}

type Step = typeof step extends fc.Arbitrary<infer Item> ? Item : never;

const story = fc.record({
  intervalMs: fc.oneof(
    fc.constantFrom(600, 30_000, 41_250, 60_000),
    // Heartbeats that nearly fill the budget: one frame too many makes one late.
    fc.double({ min: 600, max: 1_500, noNaN: true }),
    fc.double({ min: 600, max: 70_000, noNaN: true }),
  ),
  periodMs: fc.constantFrom(60_000, 60_250),
  delayMs: fc.constantFrom(0, 30, 400.5),
  jitter: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  steps: fc.array(step, { minLength: 1, maxLength: 30, size: "max" }),
});

interface Told {
  readonly intervalMs: number;
  readonly periodMs: number;
  readonly delayMs: number;
  readonly jitter: number;
  readonly steps: readonly Step[];
}

type Answer = "written" | "gave up" | "write failed" | "not sent";

/** A caller of `send`, and what it was told. */
interface Caller {
  readonly abort: AbortController | null;
  readonly answers: Answer[];
}

class Story {
  readonly clock: LeapingClock;
  readonly judge: Judge;
  readonly shard: Shard;
  readonly callers: Caller[] = [];
  /** Ids of the callers who can give up. */
  readonly fickle: number[] = [];
  readonly finished: Promise<void>;

  constructor({ intervalMs, periodMs, delayMs, jitter }: Told) {
    this.clock = new LeapingClock(jitter);
    this.judge = new Judge({ clock: this.clock, intervalMs, delayMs });
    this.shard = new Shard({
      token: "token",
      intents: 0,
      url: "wss://gateway.test",
      dial: this.judge.dial,
      platform: this.clock,
      identifyLimiter: { take: () => true },
      gateway: { commandPeriodMs: periodMs },
    });
    this.finished = this.shard.run(() => {});
  }

  perform(step: Step): Promise<void> | void {
    const { clock, judge } = this;
    switch (step.does) {
      case "send":
        for (let n = 0; n < step.count; n++) this.#send(step.priority);
        return;
      case "send too much":
        return this.#sendTooMuch();
      case "abort":
        for (const id of this.fickle.slice(-step.nth - 1).slice(0, step.count)) this.#giveUp(id);
        return;
      case "pass":
        return clock.pass(step.ms);
      case "leap":
        return clock.leap(step.ms);
      case "go back":
        return clock.goBack(step.ms);
      case "fail a write":
        return void (judge.failsNextWrite = true);
      default:
        return judge.disturb(step.does);
    }
  }

  #send(priority: "high" | "low" | undefined): void {
    const id = this.callers.length;
    // Signals are what costs most: every fifth caller has one.
    const abort = id % 5 === 0 ? new AbortController() : null;
    const caller: Caller = { abort, answers: [] };
    this.callers.push(caller);
    if (abort) this.fickle.push(id);
    const command: GatewayCommand = {
      op: 4,
      d: { guild_id: `${id}`, channel_id: null, self_mute: false, self_deaf: false },
    };
    this.judge.expect(id, priority ?? "low");
    this.shard.send(command, { ...(abort && { signal: abort.signal }), ...(priority && { priority }) }).then(
      () => caller.answers.push("written"),
      (error) => {
        if (abort && error === abort.signal.reason) caller.answers.push("gave up");
        else if (error === this.judge.writeError) caller.answers.push("write failed");
        else if (error instanceof CommandNotSentError && error.command === command) {
          caller.answers.push("not sent");
        } else throw error;
      },
    );
  }

  #giveUp(id: number): void {
    this.judge.expectNoMore(id);
    this.callers[id]?.abort?.abort();
  }

  async #sendTooMuch(): Promise<void> {
    const guild_ids = Array.from({ length: 300 }, () => "613425648685547541");
    const error = await this.shard.send({ op: 31, d: { guild_ids } }).catch((error) => error);
    assert(
      error instanceof CommandError && error.code === "ERR_PAYLOAD_TOO_LARGE" && Number(error.bytes) > 4096 &&
        error.message.includes(`${error.bytes}`),
    );
  }
}

/** How often what happened, over all stories. */
const seen = {
  stories: 0,
  connections: 0,
  full: 0,
  written: 0,
  "gave up": 0,
  "write failed": 0,
  "not sent": 0,
};

/** Plays one story and checks what came of it. */
async function tell(told: Told): Promise<void> {
  seen.stories++;
  const { steps } = told;
  const story = new Story(told);
  const { clock, judge, shard, callers } = story;
  for (const step of steps) {
    await story.perform(step);
    await clock.settle();
    judge.judgeSilence();
  }
  await shard.close();
  await story.finished;
  // What the judge still had to say.
  await clock.pass(500);

  for (const { frames } of judge.connections) {
    const worst = worstInAnyPeriod(frames.map(({ at }) => at), 60_000);
    assert(worst <= 120, `by the server's clock: ${worst}`);
    if (worst === 120) seen.full++;
  }
  seen.connections += judge.connections.length;
  assertEquals(judge.problems, []);
  const written = new Set(judge.written);
  assertEquals(written.size, judge.written.length, "no command is written twice");
  callers.forEach(({ abort, answers }, id) => {
    assertEquals(answers.length, 1, `answers to caller ${id}`);
    assertEquals(answers[0] === "written", written.has(id), `caller ${id}: ${answers}`);
    for (const answer of answers) seen[answer]++;
    if (answers[0] === "gave up") assert(abort?.signal.aborted);
  });
  assertEquals(clock.pending, 0, "no timer is left");
}

const DENSE = { intervalMs: 600, periodMs: 60_000, delayMs: 0, jitter: 0 };
const high = (count: number): Step => ({ does: "send", count, priority: "high" });

Deno.test("command stories: dense heartbeats, and the clock goes back while callers wait", async () => {
  // Seed 2058398661. What was sent afterwards once counted from before the clock went back, longer than it was weighed
  // for, and the heartbeat of 59.4 s had to wait.
  await tell({
    ...DENSE,
    steps: [{ does: "pass", ms: 0 }, high(40), { does: "go back", ms: 1_200 }, { does: "pass", ms: 61_200 }],
  });
});

Deno.test("command stories: dense heartbeats, and the clock goes back while the machine wakes up", async () => {
  // Commands went out while an overdue heartbeat let frames come in first; then the clock went back to where the frames
  // before the sleep counted once more, and left no place for it.
  await tell({
    ...DENSE,
    steps: [
      high(40),
      { does: "pass", ms: 56_066 },
      { does: "leap", ms: 3_934 },
      high(40),
      { does: "go back", ms: 51 },
      { does: "pass", ms: 51 },
    ],
  });
});

Deno.test(`command stories: never 121 in 60 s, in order, no heartbeat late, every caller answered once`, async () => {
  await assertProperty(fc.asyncProperty(story, tell), { numRuns: 10_000 });
  console.log(`command stories, from seed ${SEED}: ${JSON.stringify(seen)}`);
  // The stories go where it hurts: full windows, and every way in which a caller can be answered.
  for (const [what, count] of Object.entries(seen)) {
    assert(count > seen.stories / 50, `${what}: ${count} in ${seen.stories} stories`);
  }
});

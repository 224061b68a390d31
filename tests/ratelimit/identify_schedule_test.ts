import { assertEquals, assertThrows } from "@std/assert";
import { DEFAULT_IDENTIFY_PERIOD_MS, IdentifySchedule, sessionStartLimit } from "../../ratelimit/mod.ts";

const DAY_MS = 86_400_000;

Deno.test("identify schedule: one identify per period and key, keys do not touch each other", () => {
  const schedule = new IdentifySchedule({ maxConcurrency: 4, periodMs: 5_000 }, 0);
  schedule.record(3, 100);
  assertEquals(schedule.turn(7, 200), { allowed: true, at: 5_100 });
  assertEquals(schedule.turn(3, 5_099), { allowed: true, at: 5_100 });
  assertEquals(schedule.turn(3, 5_100), { allowed: true, at: 5_100 });
  assertEquals(schedule.turn(7, 9_000), { allowed: true, at: 9_000 });
  assertEquals(schedule.turn(4, 200), { allowed: true, at: 200 });
});

Deno.test("identify schedule: a key rests 5.25 s unless told otherwise", () => {
  const schedule = new IdentifySchedule({}, 0);
  schedule.record(0, 0);
  assertEquals(schedule.turn(1, 0), { allowed: true, at: DEFAULT_IDENTIFY_PERIOD_MS });
});

Deno.test("identify schedule: the day of a full budget starts with its first identify", () => {
  const schedule = new IdentifySchedule({ total: 2, maxConcurrency: 8 }, 0);
  assertEquals([schedule.remaining(0), schedule.resetAt(0)], [2, null]);
  schedule.record(0, 1_000);
  schedule.record(1, 2_000);
  assertEquals([schedule.remaining(2_000), schedule.resetAt(2_000)], [0, 1_000 + DAY_MS]);
  assertEquals(schedule.turn(2, 3_000), { allowed: false, resetAt: 1_000 + DAY_MS });
  assertEquals(schedule.turn(2, 999 + DAY_MS), { allowed: false, resetAt: 1_000 + DAY_MS });

  assertEquals(schedule.turn(2, 1_000 + DAY_MS), { allowed: true, at: 1_000 + DAY_MS });
  assertEquals([schedule.remaining(1_000 + DAY_MS), schedule.resetAt(1_000 + DAY_MS)], [2, null]);
  schedule.record(2, 5_000 + DAY_MS);
  assertEquals(schedule.resetAt(5_000 + DAY_MS), 5_000 + 2 * DAY_MS);
});

Deno.test("identify schedule: a budget in use resets after what Discord says, then a day after its first identify", () => {
  const schedule = new IdentifySchedule({ total: 10, remaining: 1, resetAfterMs: 60_000 }, 1_000);
  schedule.record(0, 2_000);
  assertEquals(schedule.turn(0, 10_000), { allowed: false, resetAt: 61_000 });
  assertEquals(schedule.remaining(61_000), 10);
  schedule.record(0, 70_000);
  assertEquals([schedule.remaining(70_000), schedule.resetAt(70_000)], [9, 70_000 + DAY_MS]);
});

Deno.test("identify schedule: a budget in use of which the reset is unknown is kept for a whole day", () => {
  const schedule = new IdentifySchedule({ total: 10, remaining: 0 }, 1_000);
  assertEquals(schedule.turn(0, 1_000), { allowed: false, resetAt: 1_000 + DAY_MS });
});

Deno.test("identify schedule: new limits apply at once, and what is left out stays", () => {
  const schedule = new IdentifySchedule({ total: 10, remaining: 5, resetAfterMs: 60_000 }, 0);
  schedule.update({ remaining: 3 }, 1_000);
  assertEquals([schedule.remaining(1_000), schedule.resetAt(1_000)], [3, 60_000]);
  schedule.update({ total: 2 }, 1_000);
  assertEquals([schedule.remaining(1_000), schedule.resetAt(1_000)], [2, null]);
  schedule.update({ remaining: 1, resetAfterMs: 9_000 }, 1_000);
  assertEquals([schedule.remaining(1_000), schedule.resetAt(1_000)], [1, 10_000]);
});

Deno.test("identify schedule: an identify beyond the budget leaves no debt", () => {
  const schedule = new IdentifySchedule({ total: 1 }, 0);
  schedule.record(0, 0);
  schedule.record(0, 10_000);
  assertEquals(schedule.remaining(10_000), 0);
});

Deno.test("identify schedule: keys go on resting under another max_concurrency", () => {
  const schedule = new IdentifySchedule({ maxConcurrency: 1, periodMs: 5_000 }, 0);
  schedule.record(5, 0);
  schedule.update({ maxConcurrency: 4 }, 1_000);
  assertEquals(schedule.turn(1, 1_000), { allowed: true, at: 5_000 }, "5 and 1 share a key of 4");
  assertEquals(schedule.turn(2, 1_000), { allowed: true, at: 1_000 }, "nobody of key 2 has identified");

  schedule.record(2, 1_000);
  schedule.update({ maxConcurrency: 1 }, 2_000);
  assertEquals(
    schedule.turn(0, 2_000),
    { allowed: true, at: 6_000 },
    "joined keys rest as long as the later one",
  );

  const inverse = new IdentifySchedule({ maxConcurrency: 2, periodMs: 5_000 }, 0);
  inverse.record(0, 0);
  inverse.record(1, 1_000);
  inverse.record(0, 5_000);
  inverse.update({ maxConcurrency: 1 }, 5_500);
  assertEquals(inverse.turn(0, 5_500), { allowed: true, at: 10_000 }, "whichever key it came from");
});

Deno.test("identify schedule: reads session_start_limit in Discord's own names", () => {
  assertEquals(
    sessionStartLimit({ total: 1_000, remaining: 999, reset_after: 14_400_000, max_concurrency: 16 }),
    {
      maxConcurrency: 16,
      total: 1_000,
      remaining: 999,
      resetAfterMs: 14_400_000,
    },
  );
});

Deno.test("identify schedule: limits out of range are refused and change nothing", () => {
  for (
    const limits of [
      { maxConcurrency: 0 },
      { maxConcurrency: -1 },
      { maxConcurrency: 1.5 },
      { total: 0 },
      { remaining: -1 },
      { periodMs: NaN },
      { resetAfterMs: -1 },
    ]
  ) {
    assertThrows(() => new IdentifySchedule(limits, 0), RangeError, "Cannot limit identifies");
    const schedule = new IdentifySchedule({ total: 7 }, 0);
    assertThrows(() => schedule.update({ total: 5, ...limits }, 0), RangeError);
    assertEquals(schedule.remaining(0), 7);
  }
  for (const shardId of [-1, 0.5, NaN]) {
    assertThrows(() => new IdentifySchedule({}, 0).turn(shardId, 0), RangeError);
    assertThrows(() => new IdentifySchedule({}, 0).record(shardId, 0), RangeError);
  }
});

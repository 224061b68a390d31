import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import { CommandLimiter, TurnQueue } from "../../ratelimit/mod.ts";
import { VirtualClock } from "../fake/virtual_clock.ts";
import { simulate, worstInAnyPeriod } from "./simulation.ts";

const INTERVALS_MS = [30_000, 41_250, 60_000];
const PHASES = [0, 0.2, 0.4, 0.6, 0.8];
/** Ten minutes of 120: no limiter can send more in ten windows that touch. */
const MOST_IN_TEN_MINUTES = 1_200;

for (const intervalMs of INTERVALS_MS) {
  const mostPerMinute = 120 - 60_000 / intervalMs;
  Deno.test(`command limiter: at ${intervalMs / 1000} s saturated demand gets ${mostPerMinute.toFixed(1)} commands a minute, the most there is`, () => {
    for (const phase of PHASES) {
      const run = simulate({ intervalMs, phaseMs: phase * intervalMs, minutes: 10 });
      assertEquals(run.worstInAnyPeriod, 120);
      assertEquals(run.latestHeartbeatMs, 0);
      assertEquals(run.commands + run.heartbeats, MOST_IN_TEN_MINUTES);
      assertAlmostEquals(run.commands / 10, mostPerMinute, mostPerMinute / 1_000);
    }
  });

  Deno.test(`command limiter: at ${intervalMs / 1000} s requested beats make nothing late and waste nothing`, () => {
    for (const phase of PHASES) {
      for (const requestEveryMs of [1_000, 7_000, 47_777, 123_456]) {
        const run = simulate({ intervalMs, phaseMs: phase * intervalMs, minutes: 10, requestEveryMs });
        assertEquals(run.worstInAnyPeriod, 120);
        assertEquals(run.latestHeartbeatMs, 0);
        assertEquals(run.commands + run.heartbeats, MOST_IN_TEN_MINUTES);
        assert(run.requestWaitsMs.length > 0);
        for (const waited of run.requestWaitsMs) assertLessOrEqual(waited, intervalMs);
      }
    }
  });
}

Deno.test("command limiter: six hours of saturated demand stay at the most there is", () => {
  const run = simulate({ intervalMs: 41_250, phaseMs: 12_345, minutes: 360 });
  assertEquals(run.worstInAnyPeriod, 120);
  assertEquals(run.latestHeartbeatMs, 0);
  assertEquals(run.commands + run.heartbeats, 360 * 120);
});

Deno.test("command limiter: 200 commands in a row all go, in order, and none breaks the limit [case 58]", async () => {
  const clock = new VirtualClock();
  const limiter = new CommandLimiter();
  const queue = new TurnQueue<number>();
  const beats = { nextAt: 1_000_000, intervalMs: 41_250 };
  const order: number[] = [];
  const times: number[] = [];

  const grant = () => {
    while (queue.size > 0) {
      const at = limiter.nextAvailableAt(clock.now(), beats);
      if (at > clock.now()) return void clock.setTimeout(grant, at - clock.now());
      const turn = queue.next()!;
      limiter.record(clock.now());
      times.push(clock.now());
      order.push(turn.item);
      turn.resolve();
    }
  };
  const answers = Array.from({ length: 200 }, (_, n) => queue.wait(n));
  grant();
  await clock.advance(60_000);
  await Promise.all(answers);

  assertEquals(order, Array.from({ length: 200 }, (_, n) => n));
  assertEquals(worstInAnyPeriod(times, 60_000), 120);
  assertEquals(clock.pending, 0);
});

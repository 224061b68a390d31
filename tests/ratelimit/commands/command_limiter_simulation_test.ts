/** The command limiter under saturated demand, in virtual time. Beside other limiters: `tests/sim/`. */

import { assert, assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import { CommandLimiter, TurnQueue } from "../../../ratelimit/mod.ts";
import { VirtualClock } from "../../fake/base/virtual_clock.ts";
import { THIS_LIMITER, thisLimiter } from "../../sim/policies/this_limiter.ts";
import { saturate, worstInAnyPeriod } from "../../sim/saturate.ts";

for (const intervalMs of [30_000, 41_250, 60_000]) {
  Deno.test(`command limiter: at ${intervalMs / 1000} s requested heartbeats make nothing late and waste nothing`, () => {
    for (const phase of [0, 0.2, 0.4, 0.6, 0.8]) {
      for (const requestEveryMs of [1_000, 7_000, 47_777, 123_456]) {
        const run = saturate(THIS_LIMITER.make(intervalMs), {
          intervalMs,
          firstHeartbeatMs: phase * intervalMs,
          demandFromMs: 0,
          minutes: 10,
          requestEveryMs,
        });
        assertEquals(run.worst, 120);
        assertEquals(run.latestHeartbeatMs, 0);
        // Ten windows that touch, all of them full.
        assertEquals(run.frames.length, 1_200);
        assert(run.requestWaitsMs.length > 0);
        for (const waited of run.requestWaitsMs) assertLessOrEqual(waited, intervalMs);
      }
    }
  });
}

const SIX_HOURS = { intervalMs: 41_250, firstHeartbeatMs: 12_345, demandFromMs: 0, minutes: 360 };

Deno.test("command limiter: six hours of saturated demand stay at the most there is", () => {
  const run = saturate(THIS_LIMITER.make(41_250), SIX_HOURS);
  assertEquals(run.worst, 120);
  assertEquals(run.latestHeartbeatMs, 0);
  assertEquals(run.frames.length, 360 * 120);
});

Deno.test("command limiter: a shard's margin of 250 ms costs half a command a minute", () => {
  // 240 whole periods of 60.25 s.
  const minutes = 241;
  const commands = (periodMs: number) =>
    saturate(thisLimiter(periodMs), { ...SIX_HOURS, minutes }).count.command;
  assertAlmostEquals((commands(60_000) - commands(60_250)) / minutes, 0.5, 0.01);
});

Deno.test("command limiter: 200 commands in a row all go, in order, and none breaks the limit [case 58]", async () => {
  const clock = new VirtualClock();
  const limiter = new CommandLimiter();
  const queue = new TurnQueue<number>();
  const heartbeats = { nextAt: 1_000_000, intervalMs: 41_250 };
  const order: number[] = [];
  const times: number[] = [];

  const grant = () => {
    while (queue.size > 0) {
      const at = limiter.nextAvailableAt(clock.now(), heartbeats);
      if (at > clock.now()) return void clock.setTimeout(grant, at - clock.now());
      const position = queue.next()!;
      limiter.record(clock.now());
      times.push(clock.now());
      order.push(position.item);
      position.resolve();
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

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SlidingLog } from "../../../ratelimit/mod.ts";
import { assertProperty } from "../../property.ts";

Deno.test("sliding log: an entry counts from its instant until exactly one period later", () => {
  const log = new SlidingLog(3, 60_000);
  assertEquals(log.liveAt(0), 0);
  assertEquals(log.dropsTo(0), -Infinity);
  log.record(5);
  assertEquals([log.liveAt(5), log.liveAt(60_004), log.liveAt(60_005)], [1, 1, 0]);
  assertEquals([log.dropsTo(1), log.dropsTo(0)], [-Infinity, 60_005]);
});

Deno.test("sliding log: half now and half 30 s later leave in two halves [case 53]", () => {
  const log = new SlidingLog(120, 60_000);
  for (let n = 0; n < 60; n++) log.record(0);
  for (let n = 0; n < 60; n++) log.record(30_000);
  assertEquals([59_999, 60_000, 89_999, 90_000].map((at) => log.liveAt(at)), [120, 60, 60, 0]);
});

Deno.test("sliding log: a full ring forgets its oldest entry, and still answers whether it is full", () => {
  const log = new SlidingLog(2, 100);
  for (const time of [0, 10, 20, 30]) log.record(time);
  assertEquals(log.liveAt(30), 2);
  assertEquals([log.dropsTo(1), log.dropsTo(0)], [120, 130]);
});

Deno.test("sliding log: a clock that went back takes all entries with it", () => {
  const log = new SlidingLog(3, 100);
  log.record(20);
  log.record(50);
  log.record(10);
  // The first was sent 30 ms before the others, and still was.
  assertEquals([79, 80, 109, 110].map((at) => log.liveAt(at)), [3, 2, 2, 0]);
  assertEquals([log.dropsTo(2), log.dropsTo(1), log.dropsTo(0)], [80, 110, 110]);
});

Deno.test("sliding log: a clock that went back is noticed before anything is sent", () => {
  const log = new SlidingLog(3, 100);
  log.observe(-1_000);
  log.record(20);
  log.record(50);
  log.observe(70);
  assertEquals([log.dropsTo(1), log.dropsTo(0)], [120, 150], "time that passes changes nothing");
  log.observe(10);
  assertEquals([log.dropsTo(1), log.dropsTo(0)], [80, 110]);
  log.observe(-Infinity);
  log.observe(NaN);
  assertEquals([log.dropsTo(1), log.dropsTo(0)], [80, 110], "what is no time is not noticed");
  log.record(10);
  assertEquals([log.dropsTo(2), log.dropsTo(1), log.dropsTo(0)], [80, 110, 110]);
});

Deno.test("sliding log: however a clock goes back, no entry leaves before its time is over, and order stays", () => {
  const story = fc.record({
    passMs: fc.nat({ max: 15 }),
    backMs: fc.constantFrom(0, 0, 0, 1, 7, 30),
    observed: fc.boolean(),
    idleMs: fc.constantFrom(0, 0, 5),
  });
  assertProperty(fc.property(
    fc.integer({ min: 1, max: 8 }),
    fc.array(story, { maxLength: 30 }),
    fc.nat({ max: 60 }),
    (capacity, frames, later) => {
      const log = new SlidingLog(capacity, 40);
      let truth = 0;
      let lag = 0;
      const sent: number[] = [];
      for (const { passMs, backMs, observed, idleMs } of frames) {
        truth += passMs;
        lag += backMs;
        if (observed) log.observe(truth - lag);
        truth += idleMs;
        log.record(truth - lag);
        sent.push(truth);
      }
      truth += later;
      const live = sent.slice(-capacity).filter((at) => truth < at + 40).length;
      assert(log.liveAt(truth - lag) >= live);
      for (let count = 1; count < capacity; count++) assert(log.dropsTo(count) <= log.dropsTo(count - 1));
      // The last one is exactly as old as it looks.
      if (sent.length > 0) assertEquals(log.dropsTo(0), sent.at(-1)! - lag + 40);
    },
  ));
});

Deno.test("sliding log: agrees with counting one by one", () => {
  assertProperty(fc.property(
    fc.integer({ min: 1, max: 8 }),
    fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30, size: "max" }),
    fc.integer({ min: 0, max: 60 }),
    (capacity, gaps, later) => {
      const log = new SlidingLog(capacity, 40);
      let now = 0;
      const times = gaps.map((gap) => now += gap);
      for (const time of times) log.record(time);
      const live = (at: number) => times.slice(-capacity).filter((time) => at < time + 40).length;
      assertEquals(log.liveAt(now + later), live(now + later));
      for (let count = 0; count < capacity; count++) {
        let at = now;
        while (live(at) > count) at++;
        assertEquals(Math.max(now, log.dropsTo(count)), at);
      }
    },
  ));
});

Deno.test("sliding log: refuses sizes that make no sense", () => {
  for (const capacity of [0, -1, 1.5, NaN]) assertThrows(() => new SlidingLog(capacity, 1), RangeError);
  for (const period of [0, -1, Infinity, NaN]) assertThrows(() => new SlidingLog(1, period), RangeError);
});

Deno.test("sliding log: a time that is no number is refused, and not taken for a frame that never counts", () => {
  const log = new SlidingLog(2, 60_000);
  log.record(0);
  for (const now of [NaN, Infinity, -Infinity]) assertThrows(() => log.record(now), RangeError, `${now}`);
  log.record(1);
  assertEquals(log.liveAt(1), 2);
});

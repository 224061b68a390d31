import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { SubLimit } from "../../../ratelimit/mod.ts";
import { assertProperty } from "../../property.ts";

Deno.test("sub-limit: five in any 20 s, and the sixth when the first has left", () => {
  const limit = new SubLimit({ limit: 5, periodMs: 20_000 });
  for (const at of [0, 1_000, 2_000, 3_000, 4_000]) {
    assertEquals(limit.nextAt(at), at);
    limit.record(at);
  }
  assertEquals(limit.nextAt(4_000), 20_000);
  assertEquals(limit.nextAt(20_000), 20_000);
  limit.record(20_000);
  assertEquals(limit.nextAt(20_000), 21_000);
});

Deno.test("sub-limit: a rest takes the place of the count, and is never shortened", () => {
  const limit = new SubLimit({ limit: 5, periodMs: 20_000 });
  limit.restUntil(7_500);
  limit.restUntil(2_000);
  assertEquals([limit.nextAt(0), limit.nextAt(7_499), limit.nextAt(7_500)], [7_500, 7_500, 7_500]);
  const refused = new SubLimit({ limit: 1, periodMs: 30_000 });
  refused.record(0);
  refused.restUntil(12_500);
  assertEquals(refused.nextAt(0), 12_500, "what was refused does not count");
  const uncounted = new SubLimit();
  uncounted.record(0);
  assertEquals(uncounted.nextAt(0), 0);
  uncounted.restUntil(10);
  assertEquals(uncounted.nextAt(0), 10);
});

Deno.test("sub-limit: it is idle once a new one would answer the same", () => {
  const limit = new SubLimit({ limit: 1, periodMs: 30_000 });
  assertEquals(limit.isIdle(0), true);
  limit.record(0);
  assertEquals([limit.isIdle(29_999), limit.isIdle(30_000)], [false, true]);
  limit.restUntil(40_000);
  assertEquals([limit.isIdle(39_999), limit.isIdle(40_000)], [false, true]);
});

Deno.test("sub-limit: a limit or a period that cannot be is refused", () => {
  for (const options of [{ limit: 0, periodMs: 1 }, { limit: 1.5, periodMs: 1 }, { limit: 1, periodMs: 0 }]) {
    assertThrows(() => new SubLimit(options), RangeError);
  }
});

Deno.test("sub-limit: whoever goes as soon as it may never exceeds the limit in any period, and wastes none", () => {
  assertProperty(fc.property(
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 1_000 }),
    fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 }),
    (count, periodMs, pauses) => {
      const limit = new SubLimit({ limit: count, periodMs });
      const sent: number[] = [];
      let now = 0;
      for (const pause of pauses) {
        now += pause;
        const at = limit.nextAt(now);
        const live = (instant: number) => sent.filter((each) => each > instant - periodMs).length;
        assertEquals(live(at) < count, true, "it fits at the instant that was named");
        if (at > now) assertEquals(live(at - 1) >= count, true, "and not before");
        now = at;
        limit.record(now);
        sent.push(now);
      }
    },
  ));
});

import { assertEquals } from "@std/assert";
import { EventRate } from "../../../../shard/durable_object/shard/event_rate.ts";

Deno.test("event rate: a steady stream shows its rate from the first seconds on", () => {
  const rate = new EventRate(1_000);
  for (let now = 1_100; now <= 601_000; now += 100) {
    rate.count(now);
    if (now === 3_000 || now === 30_000 || now === 600_000) assertEquals(Math.round(rate.perSecond(now)), 10);
  }
});

Deno.test("event rate: after a minute without events it is zero", () => {
  const rate = new EventRate(0);
  for (let event = 0; event < 100; event++) rate.count(1_000);
  assertEquals(rate.perSecond(50_000) > 0, true);
  assertEquals(rate.perSecond(70_000), 0);
  assertEquals(rate.perSecond(10_000_000), 0);
});

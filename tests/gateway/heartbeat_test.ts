import { assertEquals } from "@std/assert";
import { Heartbeat } from "../../gateway/heartbeat.ts";

for (const [jitter, first] of [[0, 1_000], [0.25, 11_312.5], [0.999, 42_208.75]] as const) {
  Deno.test(`heartbeat: with a jitter of ${jitter} the first heartbeat comes ${first - 1_000} ms after HELLO`, () => {
    const heartbeat = new Heartbeat(41_250, 1_000, jitter);
    assertEquals([heartbeat.nextAt, heartbeat.intervalMs], [first, 41_250]);
  });
}

Deno.test("heartbeat: only the first heartbeat is jittered, the next follow an interval after the one before", () => {
  const heartbeat = new Heartbeat(40_000, 0, 0.5);
  heartbeat.sent(20_000);
  assertEquals(heartbeat.nextAt, 60_000);
  // A timer was late: the interval counts from when the heartbeat went out.
  heartbeat.sent(60_007);
  assertEquals(heartbeat.nextAt, 100_007);
});

Deno.test("heartbeat: a peer is silent from a heartbeat until anything is heard", () => {
  const heartbeat = new Heartbeat(40_000, 0, 0.5);
  assertEquals(heartbeat.silent, false, "before the first heartbeat there is nothing to answer");
  heartbeat.sent(20_000);
  assertEquals(heartbeat.silent, true);
  heartbeat.heard();
  assertEquals(heartbeat.silent, false);
  heartbeat.sent(60_000);
  assertEquals(heartbeat.silent, true, "each heartbeat asks anew");
});

Deno.test("heartbeat: a heartbeat can be moved, and the ones after it with it", () => {
  const heartbeat = new Heartbeat(40_000, 0, 0.5);
  heartbeat.moveTo(5_000);
  assertEquals(heartbeat.nextAt, 5_000);
  heartbeat.sent(5_000);
  assertEquals(heartbeat.nextAt, 45_000);
});

Deno.test("heartbeat: a shorter interval pulls the next heartbeat in, a longer one leaves it and counts from then on", () => {
  const shorter = new Heartbeat(40_000, 0, 0.5);
  shorter.changeInterval(10_000, 5_000);
  assertEquals([shorter.intervalMs, shorter.nextAt], [10_000, 15_000]);

  const longer = new Heartbeat(40_000, 0, 0.5);
  longer.changeInterval(90_000, 5_000);
  assertEquals([longer.intervalMs, longer.nextAt], [90_000, 20_000]);
  longer.sent(20_000);
  assertEquals(longer.nextAt, 110_000);
});

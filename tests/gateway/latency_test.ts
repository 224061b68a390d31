import { assertEquals } from "@std/assert";
import { Latency } from "../../gateway/latency.ts";

Deno.test("latency: nothing is known before the first acknowledgement", () => {
  const latency = new Latency();
  assertEquals(latency.reading, { meanMs: null, recentMs: [], acknowledged: 0 });
  latency.sent(100);
  assertEquals(latency.reading, { meanMs: null, recentMs: [], acknowledged: 0 });
});

Deno.test("latency: from a heartbeat to its acknowledgement [case 31]", () => {
  const latency = new Latency();
  latency.sent(1_000);
  latency.acknowledged(1_042);
  assertEquals(latency.reading, { meanMs: 42, recentMs: [42], acknowledged: 1 });
});

Deno.test("latency: an acknowledgement that nobody waits for counts for nothing", () => {
  const latency = new Latency();
  latency.acknowledged(10);
  assertEquals(latency.reading.acknowledged, 0);
  latency.sent(20);
  latency.acknowledged(30);
  latency.acknowledged(500);
  assertEquals(latency.reading, { meanMs: 10, recentMs: [10], acknowledged: 1 });
});

Deno.test("latency: with two heartbeats under way it is measured from the last one [case 31]", () => {
  const latency = new Latency();
  latency.sent(0);
  latency.sent(100);
  latency.acknowledged(130);
  latency.acknowledged(140);
  assertEquals(latency.reading, { meanMs: 30, recentMs: [30], acknowledged: 1 });
});

Deno.test("latency: an acknowledgement in the same millisecond is one of 0 ms", () => {
  const latency = new Latency();
  latency.sent(5);
  latency.acknowledged(5);
  assertEquals(latency.reading, { meanMs: 0, recentMs: [0], acknowledged: 1 });
});

Deno.test("latency: the mean is over all of them, the list has the last five, newest first", () => {
  const latency = new Latency();
  for (const ms of [10, 20, 30, 40, 50, 60, 70]) {
    latency.sent(0);
    latency.acknowledged(ms);
  }
  assertEquals(latency.reading, { meanMs: 40, recentMs: [70, 60, 50, 40, 30], acknowledged: 7 });
});

Deno.test("latency: a reading is a snapshot", () => {
  const latency = new Latency();
  latency.sent(0);
  latency.acknowledged(10);
  const before = latency.reading;
  latency.sent(20);
  latency.acknowledged(40);
  assertEquals(before, { meanMs: 10, recentMs: [10], acknowledged: 1 });
});

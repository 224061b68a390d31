import { assertEquals } from "@std/assert";
import { Timer } from "../../ratelimit/timer.ts";
import { wait } from "../../ratelimit/wait.ts";
import { VirtualClock } from "../fake/mod.ts";

Deno.test("timer: one callback waits, a later set replaces it, and clear takes it back", async () => {
  const clock = new VirtualClock();
  const timer = new Timer(clock);
  const fired: string[] = [];
  timer.set(100, () => fired.push("first"));
  timer.set(200, () => fired.push(`second at ${clock.now()}`));
  assertEquals([timer.isSet, clock.pending], [true, 1]);
  await clock.advance(1_000);
  assertEquals([fired, timer.isSet], [["second at 200"], false]);
  timer.set(100, () => fired.push("third"));
  timer.clear();
  timer.set(Infinity, () => fired.push("never"));
  assertEquals([timer.isSet, clock.pending], [false, 0]);
});

Deno.test("timer: a callback may set it anew, and a time that has passed is now", async () => {
  const clock = new VirtualClock();
  const timer = new Timer(clock);
  const fired: number[] = [];
  const again = () => {
    if (fired.push(clock.now()) < 3) timer.set(-5, again);
  };
  timer.set(10, again);
  await clock.advance(10);
  assertEquals([fired, timer.isSet], [[10, 10, 10], false]);
});

Deno.test("wait: resolves with its time or with the signal, and leaves no timer", async () => {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const waits = [wait(50, { clock }), wait(1_000, { clock, signal: controller.signal }), wait(0, { clock })];
  await clock.advance(50);
  controller.abort();
  await Promise.all(waits);
  assertEquals(clock.pending, 0);
  await wait(1_000, { clock, signal: controller.signal });
});

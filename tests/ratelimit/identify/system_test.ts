import { assertEquals } from "@std/assert";
import { delay } from "@std/async";
import { wallClock } from "../../../ratelimit/identify/system.ts";

Deno.test("wall clock: a delay that is longer than timers can be does not fire at once", async () => {
  const fired: number[] = [];
  const timers = [2 ** 31, 1e10, Infinity].map((ms) => wallClock.setTimeout(() => fired.push(ms), ms));
  await delay(20);
  for (const timer of timers) wallClock.clearTimeout(timer);
  assertEquals(fired, []);
});

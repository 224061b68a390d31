import { assert, assertEquals, assertThrows } from "@std/assert";
import { Backoff } from "../../ratelimit/mod.ts";

Deno.test("backoff: the ceiling doubles from the base and stops at the cap", () => {
  const backoff = new Backoff({ random: () => 1 });
  const waits = Array.from({ length: 9 }, () => backoff.next());
  assertEquals(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  assertEquals(backoff.attempts, 9);
});

Deno.test("backoff: the wait is drawn evenly from nothing up to the ceiling", () => {
  const draws = [0, 0.25, 0.999];
  const backoff = new Backoff({ random: () => draws.shift() ?? 0, baseMs: 100, capMs: 150 });
  assertEquals([backoff.next(), backoff.next(), backoff.next()], [0, 37.5, 149.85]);
});

Deno.test("backoff: starts over after a reset", () => {
  const backoff = new Backoff({ random: () => 1 });
  backoff.next();
  backoff.next();
  backoff.reset();
  assertEquals([backoff.attempts, backoff.next()], [0, 1_000]);
});

Deno.test("backoff: ten thousand attempts overflow nothing, a base or cap of nothing included", () => {
  const usual = new Backoff({ random: () => 0.5 });
  const none = new Backoff({ random: () => 0.5, baseMs: 0 });
  const capless = new Backoff({ random: () => 0.5, capMs: Infinity });
  for (let n = 0; n < 10_000; n++) {
    assert(usual.next() <= 30_000);
    assertEquals(none.next(), 0);
    assert(Number.isFinite(capless.next()));
  }
  assertEquals(usual.attempts, 10_000);
});

Deno.test("backoff: refuses what is no time", () => {
  for (const ms of [-1, NaN]) {
    assertThrows(() => new Backoff({ random: () => 0, baseMs: ms }), RangeError);
    assertThrows(() => new Backoff({ random: () => 0, capMs: ms }), RangeError);
  }
});

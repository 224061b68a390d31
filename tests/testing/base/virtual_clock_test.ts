import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { VirtualClock } from "../../fake/base/virtual_clock.ts";

Deno.test("virtual clock: timers fire in the order of their times, and of their arming at the same time", async () => {
  const clock = new VirtualClock({ start: 100 });
  const fired: string[] = [];
  clock.setTimeout(() => fired.push(`c ${clock.now()}`), 20);
  clock.setTimeout(() => fired.push(`a ${clock.now()}`), 10);
  clock.setTimeout(() => fired.push(`b ${clock.now()}`), 10);
  await clock.advance(30);
  assertEquals(fired, ["a 110", "b 110", "c 120"]);
  assertEquals(clock.now(), 130);
  assertEquals(clock.pending, 0);
});

Deno.test("virtual clock: everything that is ready runs before, between and after the steps", async () => {
  const clock = new VirtualClock();
  const seen: string[] = [];
  const longChain = async (name: string) => {
    for (let turn = 0; turn < 1000; turn++) await null;
    seen.push(`${name} at ${clock.now()}`);
  };
  void longChain("before");
  clock.setTimeout(() => void longChain("between"), 10);
  clock.setTimeout(() => void longChain("after"), 20);
  await clock.advance(20);
  assertEquals(seen, ["before at 0", "between at 10", "after at 20"]);
});

Deno.test("virtual clock: a timer that is armed by another fires within the same advance", async () => {
  const clock = new VirtualClock();
  const fired: number[] = [];
  const tick = () => {
    fired.push(clock.now());
    clock.setTimeout(tick, 10);
  };
  clock.setTimeout(tick, 10);
  await clock.advance(35);
  assertEquals(fired, [10, 20, 30]);
  assertEquals(clock.pending, 1);
});

Deno.test("virtual clock: a timer taken back never fires, and taking it back twice is harmless", async () => {
  const clock = new VirtualClock();
  const timer = clock.setTimeout(() => {
    throw new Error("fired");
  }, 10);
  clock.clearTimeout(timer);
  clock.clearTimeout(timer);
  clock.clearTimeout(undefined);
  assertEquals(clock.pending, 0);
  await clock.advance(100);
});

Deno.test("virtual clock: runUntil stops at the wake-up that makes the condition true", async () => {
  const clock = new VirtualClock();
  let heartbeats = 0;
  const heartbeat = () => {
    heartbeats++;
    clock.setTimeout(heartbeat, 41_250);
  };
  clock.setTimeout(heartbeat, 41_250);
  await clock.runUntil(() => heartbeats === 3);
  assertEquals(clock.now(), 3 * 41_250);
});

Deno.test("virtual clock: runUntil says so when the limit passes or nothing is left to wait for", async () => {
  const clock = new VirtualClock();
  await assertRejects(() => clock.runUntil(() => false), Error, "no timer is armed");
  clock.setTimeout(() => {}, 5000);
  await assertRejects(() => clock.runUntil(() => false, { limitMs: 1000 }), Error, "within 1000 ms");
  assertEquals(clock.pending, 1);
});

Deno.test("virtual clock: an error in a timer ends the advance with it, and the clock goes on afterwards", async () => {
  const clock = new VirtualClock();
  clock.setTimeout(() => {
    throw new Error("from the timer");
  }, 10);
  await assertRejects(() => clock.advance(20), Error, "from the timer");
  assertEquals(clock.now(), 10);
  await clock.advance(5);
  assertEquals(clock.now(), 15);
});

Deno.test("virtual clock: misuse is refused, and a timer that arms itself without delay does not hang", async () => {
  const clock = new VirtualClock();
  await assertRejects(() => clock.advance(-1), RangeError, "must not be negative: -1");
  await assertRejects(() => clock.advance(NaN), RangeError);
  assertThrows(() => new VirtualClock({ start: NaN }), RangeError);
  const first = clock.advance(1);
  await assertRejects(() => clock.advance(1), TypeError, "being advanced already");
  await first;
});

Deno.test("virtual clock: the same seed gives the same numbers, all in [0, 1)", () => {
  const draw = (seed: number) => {
    const clock = new VirtualClock({ seed });
    return Array.from({ length: 1000 }, () => clock.random());
  };
  assertEquals(draw(7), draw(7));
  assertEquals(draw(7).join() === draw(8).join(), false);
  const numbers = draw(7);
  assertEquals(numbers.every((number) => number >= 0 && number < 1), true);
  const mean = numbers.reduce((sum, number) => sum + number) / numbers.length;
  assertEquals(Math.abs(mean - 0.5) < 0.05, true);
});

Deno.test("virtual clock: held work is done before time goes on", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  clock.setTimeout(() => log.push(`timer at ${clock.now()}`), 5);
  const digest = crypto.subtle.digest("SHA-256", new Uint8Array(1)).then(() => {
    log.push(`digest at ${clock.now()}`);
    // What follows from it is waited for as well.
    clock.hold(
      crypto.subtle.digest("SHA-256", new Uint8Array(2)).then(() => log.push(`second at ${clock.now()}`)),
    );
  });
  clock.hold(digest);
  await clock.advance(10);
  assertEquals(log, ["digest at 0", "second at 0", "timer at 5"]);
  clock.hold(Promise.reject(new Error("it went wrong")));
  await assertRejects(() => clock.advance(1), Error, "it went wrong");
  assertEquals([clock.now(), await clock.advance(1), clock.now()], [10, undefined, 11]);
});

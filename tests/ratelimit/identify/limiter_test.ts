import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type IdentifyLimiter,
  type IdentifyLimits,
  IdentifyRefusedError,
  MemoryIdentifyLimiter,
} from "../../../ratelimit/mod.ts";
import { VirtualClock } from "../../fake/base/virtual_clock.ts";
import { assertProperty } from "../../property.ts";
import { watched } from "../watched_signal.ts";

/** A limiter on a virtual clock, and a log of who was answered when: `[shardId, answer, at]`. */
function scene(limits: IdentifyLimits) {
  const clock = new VirtualClock();
  const limiter = new MemoryIdentifyLimiter({ clock, periodMs: 5_000, ...limits });
  const log: [number, boolean | "aborted", number][] = [];
  const ask = (shardId: number, signal?: AbortSignal) => {
    limiter.take(shardId, signal ? { signal } : {}).then(
      () => log.push([shardId, true, clock.now()]),
      (error) => log.push([shardId, error instanceof IdentifyRefusedError ? false : "aborted", clock.now()]),
    );
  };
  return { clock, limiter, log, ask };
}

Deno.test("identify limiter: shards of one key go 5 s apart [case 55]", async () => {
  const { clock, log, ask } = scene({ maxConcurrency: 1 });
  for (const shardId of [0, 1, 2]) ask(shardId);
  await clock.advance(20_000);
  assertEquals(log, [[0, true, 0], [1, true, 5_000], [2, true, 10_000]]);
  assertEquals(clock.pending, 0);
});

Deno.test("identify limiter: shards of different keys go together, the lower id first [case 55]", async () => {
  const { clock, log, ask } = scene({ maxConcurrency: 4 });
  for (const shardId of [3, 1, 0, 2]) ask(shardId);
  await clock.advance(0);
  assertEquals(log, [[0, true, 0], [1, true, 0], [2, true, 0], [3, true, 0]]);
});

Deno.test("identify limiter: max_concurrency 4 and ids 0, 1, 3, 3: three at once, the fourth 5 s later [case 55]", async () => {
  const { clock, log, ask } = scene({ maxConcurrency: 4 });
  for (const shardId of [0, 1, 3, 3]) ask(shardId);
  await clock.advance(10_000);
  assertEquals(log, [[0, true, 0], [1, true, 0], [3, true, 0], [3, true, 5_000]]);
});

Deno.test("identify limiter: a whole fleet that asks at once goes bucket by bucket", async () => {
  const { clock, log, ask } = scene({ maxConcurrency: 16 });
  for (let shardId = 47; shardId >= 0; shardId--) ask(shardId);
  await clock.advance(10_000);
  assertEquals(log, Array.from({ length: 48 }, (_, id) => [id, true, Math.floor(id / 16) * 5_000]));
});

Deno.test("identify limiter: who came earlier goes earlier, so that none starves behind a shard that comes back", async () => {
  const { clock, log, ask } = scene({ maxConcurrency: 1 });
  ask(0);
  await clock.advance(1);
  ask(9);
  await clock.advance(1);
  ask(0);
  await clock.advance(20_000);
  assertEquals(log, [[0, true, 0], [9, true, 5_000], [0, true, 10_000]]);
});

Deno.test("identify limiter: shards whose turns come together go in the order of their ids, whoever came earlier", async () => {
  const { clock, log, ask } = scene({ maxConcurrency: 2 });
  ask(0);
  ask(1);
  await clock.advance(1);
  ask(3);
  await clock.advance(1);
  ask(2);
  await clock.advance(20_000);
  assertEquals(log, [[0, true, 0], [1, true, 0], [2, true, 5_000], [3, true, 5_000]]);
});

Deno.test("identify limiter: an aborted shard spends nothing and delays nobody [case 57]", async () => {
  const { clock, limiter, log, ask } = scene({ maxConcurrency: 1, total: 100 });
  const controller = new AbortController();
  ask(0);
  ask(1, controller.signal);
  ask(2);
  await clock.advance(2_000);
  controller.abort();
  await clock.advance(20_000);
  assertEquals(log, [[0, true, 0], [1, "aborted", 2_000], [2, true, 5_000]]);
  assertEquals(limiter.remaining, 98);
});

Deno.test("identify limiter: the last one to give up leaves no timer and no listener behind", async () => {
  const { clock, ask } = scene({ maxConcurrency: 1 });
  const controller = new AbortController();
  const signal = watched(controller.signal);
  ask(0, signal);
  ask(1, signal);
  await clock.advance(100);
  assertEquals([clock.pending, signal.listeners], [1, 1]);
  controller.abort();
  assertEquals([clock.pending, signal.listeners], [0, 0]);
});

Deno.test("identify limiter: an abort rejects with the signal's reason, one from before too", async () => {
  const { limiter } = scene({});
  const reason = new Error("the connection has ended");
  const before = limiter.take(0, { signal: AbortSignal.abort(reason) });
  assertStrictEquals(await assertRejects(() => before), reason);

  const controller = new AbortController();
  const during = limiter.take(0, { signal: controller.signal });
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => during), reason);
  assertEquals(limiter.remaining, 1_000);
});

Deno.test("identify limiter: one timer, however many wait", async () => {
  const { clock, ask } = scene({ maxConcurrency: 4 });
  for (let shardId = 0; shardId < 40; shardId++) ask(shardId);
  await clock.advance(0);
  assertEquals(clock.pending, 1);
  await clock.advance(7_000);
  ask(3);
  assertEquals(clock.pending, 1);
});

Deno.test("identify limiter: a spent budget refuses at once, those who wait included", async () => {
  const { clock, limiter, log, ask } = scene({
    maxConcurrency: 2,
    total: 1_000,
    remaining: 3,
    resetAfterMs: 60_000,
  });
  for (const shardId of [0, 1, 2, 3, 4]) ask(shardId);
  await clock.advance(5_000);
  assertEquals(log, [[0, true, 0], [1, true, 0], [3, false, 5_000], [4, false, 5_000], [2, true, 5_000]]);
  assertEquals([limiter.remaining, limiter.resetAt, clock.pending], [0, 60_000, 0]);
  ask(0);
  await clock.advance(54_999);
  assertEquals(log.at(-1), [0, false, 5_000]);
  ask(0);
  await clock.advance(0);
  assertEquals(log.at(-1), [0, false, 59_999]);
  await clock.advance(1);
  ask(0);
  await clock.advance(0);
  assertEquals(log.at(-1), [0, true, 60_000]);
  assertEquals([limiter.remaining, limiter.resetAt], [999, 60_000 + 86_400_000]);
});

Deno.test("identify limiter: a raised max_concurrency lets those go who wait, by their new keys [case 14]", async () => {
  const { clock, limiter, log, ask } = scene({ maxConcurrency: 1 });
  for (const shardId of [0, 1, 2, 4]) ask(shardId);
  await clock.advance(1_000);
  limiter.update({ maxConcurrency: 4 });
  await clock.advance(10_000);
  assertEquals(log, [[0, true, 0], [1, true, 1_000], [2, true, 1_000], [4, true, 5_000]]);
});

Deno.test("identify limiter: a lowered max_concurrency holds those back who share a key now", async () => {
  const { clock, limiter, log, ask } = scene({ maxConcurrency: 4 });
  for (const shardId of [0, 1, 4, 5]) ask(shardId);
  await clock.advance(1_000);
  limiter.update({ maxConcurrency: 1 });
  await clock.advance(10_000);
  assertEquals(log, [[0, true, 0], [1, true, 0], [4, true, 5_000], [5, true, 10_000]]);
});

Deno.test("identify limiter: an update that leaves nothing of the budget refuses those who wait", async () => {
  const { clock, limiter, log, ask } = scene({ maxConcurrency: 1 });
  ask(0);
  ask(1);
  await clock.advance(1_000);
  limiter.update({ remaining: 0, resetAfterMs: 500_000 });
  await clock.advance(0);
  assertEquals(log, [[0, true, 0], [1, false, 1_000]]);
  assertEquals([limiter.resetAt, clock.pending], [501_000, 0]);
});

Deno.test("identify limiter: a timer that fires early only looks again", async () => {
  const clock = new VirtualClock();
  const hasty = {
    now: () => clock.now(),
    setTimeout: (callback: () => void, ms: number) => clock.setTimeout(callback, ms > 1 ? ms - 1 : ms),
    clearTimeout: (timer: unknown) => clock.clearTimeout(timer),
  };
  const limiter = new MemoryIdentifyLimiter({ clock: hasty, periodMs: 5_000 });
  const times: number[] = [];
  for (const shardId of [0, 1]) limiter.take(shardId).then(() => times.push(clock.now()));
  await clock.advance(10_000);
  assertEquals(times, [0, 5_000]);
});

Deno.test("identify limiter: misuse is told at once", async () => {
  const { clock, limiter } = scene({});
  for (const maxConcurrency of [0, -1]) {
    assertThrows(() => new MemoryIdentifyLimiter({ clock, maxConcurrency }), RangeError);
    assertThrows(() => limiter.update({ maxConcurrency }), RangeError);
  }
  await assertRejects(() => limiter.take(-1), RangeError);
  assertEquals(limiter.remaining, 1_000);
});

Deno.test("identify limiter: a limiter may answer without a promise", async () => {
  const own: IdentifyLimiter = { take: (shardId) => shardId === 0 };
  assertEquals([await own.take(0), await own.take(1)], [true, false]);
});

Deno.test("identify limiter: takes and aborts in any order: each answered once, keys rest, nothing is lost", async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("take" as const), shardId: fc.nat({ max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant("abort" as const), which: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.nat({ max: 8_000 }) }) },
  );
  await assertProperty(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(step, { maxLength: 25, size: "max" }),
      async (maxConcurrency, steps) => {
        const { clock, limiter, log, ask } = scene({ maxConcurrency, total: 100 });
        const controllers: AbortController[] = [];
        for (const step of steps) {
          if (step.do === "wait") await clock.advance(step.ms);
          else if (step.do === "abort") controllers[step.which % controllers.length]?.abort();
          else {
            const controller = new AbortController();
            controllers.push(controller);
            ask(step.shardId, controller.signal);
          }
        }
        await clock.advance(25 * 5_000);
        assertEquals(log.length, controllers.length);
        assertEquals(clock.pending, 0);
        const granted = log.filter(([, go]) => go === true);
        assertEquals(limiter.remaining, 100 - granted.length);
        for (let key = 0; key < maxConcurrency; key++) {
          const times = granted.filter(([shardId]) => shardId % maxConcurrency === key).map(([, , at]) => at);
          times.slice(1).forEach((at, n) => assertEquals(at - times[n]! >= 5_000, true));
        }
      },
    ),
    { numRuns: 200 },
  );
});

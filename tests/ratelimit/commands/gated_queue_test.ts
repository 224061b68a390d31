import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { GatedQueue, type QueueGate } from "../../../ratelimit/mod.ts";
import { assertProperty } from "../../property.ts";
import { watched } from "../watched_signal.ts";

const PRESENCE: QueueGate = { key: "presence", limit: 2, periodMs: 20_000, newestOnly: true };
const guild = (id: string): QueueGate => ({ key: `guild ${id}`, limit: 1, periodMs: 30_000 });

/** Takes every turn that there is at `now`. */
function serve(queue: GatedQueue<string>, now: number): string[] {
  const items: string[] = [];
  for (let position = queue.next(now); position; position = queue.next(now)) {
    position.spend(now);
    items.push(position.item);
    position.resolve();
  }
  return items;
}

Deno.test("gated queue: without gates it is first in, first out, high before low", async () => {
  const queue = new GatedQueue<string>();
  const waiting = [queue.wait("1"), queue.wait("2"), queue.wait("high", { priority: "high" })];
  assertEquals([queue.size, queue.readyAt(7)], [3, 7]);
  assertEquals(serve(queue, 7), ["high", "1", "2"]);
  assertEquals([queue.size, queue.readyAt(7), queue.next(7)], [0, Infinity, undefined]);
  assertEquals(await Promise.all(waiting), [true, true, true]);
});

Deno.test("gated queue: who waits at a shut gate delays nobody, and goes at the instant that was named", async () => {
  const queue = new GatedQueue<string>();
  const waiting = ["a", "b", "c"].map((item) => queue.wait(item, { gate: guild("1"), priority: "high" }));
  waiting.push(queue.wait("other guild", { gate: guild("2") }), queue.wait("free"));
  assertEquals(serve(queue, 0), ["a", "other guild", "free"]);
  assertEquals([queue.size, queue.readyAt(0)], [2, 30_000]);
  assertEquals(serve(queue, 29_999), []);
  waiting.push(queue.wait("late"));
  assertEquals(serve(queue, 30_000), ["b", "late"]);
  assertEquals(queue.readyAt(30_000), 60_000);
  assertEquals(serve(queue, 60_000), ["c"]);
  await Promise.all(waiting);
});

Deno.test("gated queue: behind a gate that opens, priority and arrival count as if there had been none", async () => {
  const queue = new GatedQueue<string>();
  queue.shut(guild("1"), 100, 0);
  queue.shut(guild("2"), 100, 0);
  const waiting = [
    queue.wait("1 low", { gate: guild("1") }),
    queue.wait("free low"),
    queue.wait("2 high", { gate: guild("2"), priority: "high" }),
    queue.wait("1 high", { gate: guild("1"), priority: "high" }),
  ];
  const first = queue.next(50);
  assertEquals(first?.item, "free low");
  first?.resolve();
  // Each guild lets one through, the more urgent one.
  assertEquals(serve(queue, 100), ["2 high", "1 high"]);
  assertEquals(serve(queue, 30_100), ["1 low"]);
  await Promise.all(waiting);
});

Deno.test("gated queue: of the newest-only kind one waits; who is replaced is told so at once", async () => {
  const queue = new GatedQueue<string>();
  const outcomes = [queue.wait("1", { gate: PRESENCE })];
  outcomes.push(queue.wait("other"));
  for (let n = 2; n <= 200; n++) outcomes.push(queue.wait(`${n}`, { gate: PRESENCE }));
  assertEquals(queue.size, 2);
  const [first, other, ...rest] = outcomes;
  assertEquals(await first, false);
  // The newest stands where the first one stood.
  assertEquals(serve(queue, 0), ["200", "other"]);
  assertEquals(await other, true);
  assertEquals((await Promise.all(rest)).filter(Boolean).length, 1);
  assertEquals(await rest.at(-1), true);
});

Deno.test("gated queue: the newest keeps the higher priority of the two", async () => {
  const queue = new GatedQueue<string>();
  const waiting = [
    queue.wait("urgent", { priority: "high" }),
    queue.wait("old", { gate: PRESENCE, priority: "high" }),
    queue.wait("also urgent", { priority: "high" }),
    queue.wait("new", { gate: PRESENCE }),
  ];
  assertEquals(serve(queue, 0), ["urgent", "new", "also urgent"]);
  assertEquals(await Promise.all(waiting), [true, false, true, true]);
});

Deno.test("gated queue: a newest one that is aborted at once replaces nobody", async () => {
  const queue = new GatedQueue<string>();
  const old = queue.wait("old", { gate: PRESENCE });
  const reason = new Error("no more");
  const error = await assertRejects(() =>
    queue.wait("new", { gate: PRESENCE, signal: AbortSignal.abort(reason) })
  );
  assertStrictEquals(error, reason);
  assertEquals(serve(queue, 0), ["old"]);
  assertEquals(await old, true);
});

Deno.test("gated queue: an abort leaves a gate's queue, and no listener behind [case 57]", async () => {
  const queue = new GatedQueue<string>();
  const controller = new AbortController();
  const signal = watched(controller.signal);
  queue.shut(guild("1"), 1_000, 0);
  const [aborted, next] = [
    queue.wait("aborted", { gate: guild("1"), signal }),
    queue.wait("next", { gate: guild("1") }),
  ];
  assertEquals(queue.readyAt(0), 1_000);
  const reason = new Error("changed my mind");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => aborted), reason);
  assertEquals([signal.listeners, queue.size], [0, 1]);
  assertEquals(serve(queue, 1_000), ["next"]);
  await next;
  assertEquals(queue.readyAt(1_000), Infinity);
});

Deno.test("gated queue: a turn that is not spent does not count, and onAdmitted is called for one that is", () => {
  const queue = new GatedQueue<string>();
  const turns: string[] = [];
  const wait = (item: string) => {
    queue.wait(item, { gate: guild("1"), onAdmitted: () => turns.push(item) }).catch(() => {});
  };
  wait("refused");
  queue.next(0)?.reject(new Error("it became invalid while it waited"));
  wait("written");
  assertEquals(serve(queue, 0), ["written"]);
  assertEquals(turns, ["written"]);
  wait("rests");
  assertEquals([serve(queue, 0), queue.readyAt(0)], [[], 30_000]);
  queue.rejectAll(() => new Error("over"));
});

Deno.test("gated queue: a gate that is shut while somebody stands at its head lets nobody through", async () => {
  const queue = new GatedQueue<string>();
  const waiting = queue.wait("1", { gate: guild("1") });
  assertEquals(queue.readyAt(0), 0);
  queue.shut(guild("1"), 5_000, 0);
  assertEquals([queue.next(4_999), queue.readyAt(0)], [undefined, 5_000]);
  assertEquals(serve(queue, 5_000), ["1"]);
  await waiting;
});

Deno.test("gated queue: rejectAll sends away everybody, at gates and before none, each with its own error", async () => {
  const queue = new GatedQueue<string>();
  queue.shut(guild("1"), 1_000, 0);
  const waiting = [queue.wait("free"), queue.wait("gated", { gate: guild("1") })];
  queue.rejectAll((item) => new Error(item));
  assertEquals(
    await Promise.all(waiting.map((each) => each.catch((error: Error) => error.message))),
    ["free", "gated"],
  );
  assertEquals([queue.size, queue.readyAt(2_000)], [0, Infinity]);
});

Deno.test("gated queue: many guilds, each of which rested long ago, are served at once again", async () => {
  const queue = new GatedQueue<string>();
  for (const now of [0, 30_000, 60_000]) {
    const waiting = Array.from({ length: 1_000 }, (_, n) => queue.wait(`${n}`, { gate: guild(`${n}`) }));
    assertEquals(serve(queue, now).length, 1_000);
    await Promise.all(waiting);
  }
  const again = queue.wait("1", { gate: guild("1") });
  assertEquals(queue.readyAt(60_001), 90_000);
  assertEquals(serve(queue, 90_000), ["1"]);
  await again;
});

Deno.test("gated queue: in any order of things every caller is answered once, no gate is exceeded, and none waits before an open gate", async () => {
  const gates = [null, guild("1"), guild("2"), PRESENCE];
  const step = fc.record({
    gate: fc.constantFrom(...gates),
    isHigh: fc.boolean(),
    pauseMs: fc.integer({ min: 0, max: 12_000 }),
    serves: fc.boolean(),
  });
  await assertProperty(fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
    const queue = new GatedQueue<{ readonly id: number; readonly key: string | null }>();
    const sent: { readonly id: number; readonly key: string | null; readonly at: number }[] = [];
    const answers: Promise<boolean>[] = [];
    let now = 0;
    const take = () => {
      while (queue.readyAt(now) <= now) {
        const position = queue.next(now);
        assert(position, "readyAt named this instant");
        position.spend(now);
        sent.push({ ...position.item, at: now });
        position.resolve();
      }
      assertEquals(queue.next(now), undefined);
    };
    for (const [id, { gate, isHigh, pauseMs, serves }] of steps.entries()) {
      now += pauseMs;
      const key = gate?.key ?? null;
      answers.push(queue.wait({ id, key }, { gate, priority: isHigh ? "high" : "low" }));
      if (serves) take();
    }
    for (let at = queue.readyAt(now); at < Infinity; at = queue.readyAt(now)) {
      now = at;
      take();
    }
    const used = await Promise.all(answers);
    assertEquals(sent.length, used.filter(Boolean).length);
    assertEquals(new Set(sent.map(({ id }) => id)).size, sent.length);
    for (const [id, isUsed] of used.entries()) {
      if (!isUsed) assertEquals(steps[id]?.gate, PRESENCE, "only presences are replaced");
    }
    for (const gate of gates) {
      const times = sent.filter(({ key }) => gate && key === gate.key).map(({ at }) => at);
      for (const [n, at] of times.entries()) {
        const before = times[n - (gate?.limit ?? 1)];
        if (before !== undefined) {
          assert(at - before >= (gate?.periodMs ?? 0), `${gate?.key}: ${before}, ${at}`);
        }
      }
    }
    const last = steps.findLastIndex(({ gate }) => gate === PRESENCE);
    if (last >= 0) assertEquals(used[last], true, "the newest presence goes out");
  }));
});

/** The queue between connection and consumer: order, bounds, and what counts as handled. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { EventQueue } from "../../../shard/events/event_queue.ts";

interface Event {
  readonly s: number | null;
}

function queueOf({ maxEvents = 100, maxSize = 1_000 } = {}): EventQueue<Event> {
  return new EventQueue<Event>({ maxEvents, maxSize });
}

/** Pushes events with these sequence numbers. */
function push(queue: EventQueue<Event>, ...sequences: readonly (number | null)[]): void {
  for (const s of sequences) queue.push({ s }, 1);
}

/** The sequence number of the next event. */
async function take(queue: EventQueue<Event>): Promise<number | null | undefined> {
  return (await queue.next()).value?.s;
}

Deno.test("event queue: delivers in order, waiting or not", async () => {
  const queue = queueOf();
  push(queue, 1, 2);
  assertEquals([await take(queue), await take(queue)], [1, 2]);
  const third = take(queue);
  push(queue, 3);
  assertEquals(await third, 3);
});

Deno.test("event queue: keeps its order over many thousands", async () => {
  const queue = queueOf({ maxEvents: Infinity, maxSize: Infinity });
  let taken = 0;
  for (let s = 1; s <= 10_000; s++) {
    push(queue, s);
    // Two come for each one that goes; at the end they go alone.
    if (s % 2 === 0) assertEquals(await take(queue), ++taken);
  }
  assertEquals(queue.length, 5_000);
  while (taken < 10_000) assertEquals(await take(queue), ++taken);
  assertEquals([queue.length, queue.peak], [0, 5_001]);
});

Deno.test("event queue: says when the number of events reaches the limit, and takes the event all the same", async () => {
  const queue = queueOf({ maxEvents: 3 });
  assertEquals([1, 2, 3].map((s) => queue.push({ s }, 1)), [true, true, false]);
  assertEquals([queue.length, queue.peak], [3, 3]);
  assertEquals([await take(queue), await take(queue), await take(queue)], [1, 2, 3]);
});

Deno.test("event queue: says when the frames' sizes reach the limit, and gives the room back", async () => {
  const queue = queueOf({ maxSize: 100 });
  assertEquals(queue.push({ s: 1 }, 60), true);
  assertEquals(queue.push({ s: 2 }, 40), false);
  await take(queue);
  assertEquals(queue.push({ s: 3 }, 59), true);
  assertEquals(queue.push({ s: 4 }, 1), false);
});

Deno.test("event queue: an event for a consumer that waits takes no room", async () => {
  const queue = queueOf({ maxEvents: 1, maxSize: 1 });
  const waiting = take(queue);
  assertEquals(queue.push({ s: 1 }, 1_000_000), true);
  assertEquals(await waiting, 1);
  assertEquals(queue.peak, 0);
});

Deno.test("event queue: an event is handled when the next one is asked for", async () => {
  const queue = queueOf();
  push(queue, 5, 6, 7);
  assertEquals(queue.handled(7), 4);
  await take(queue);
  assertEquals(queue.handled(7), 4, "5 is in hand");
  await take(queue);
  assertEquals(queue.handled(7), 5);
  await take(queue);
  assertEquals(queue.handled(7), 6);
  const waiting = take(queue);
  assertEquals(queue.handled(7), 7);
  push(queue, 8);
  await waiting;
  assertEquals(queue.handled(8), 7, "an event for a waiting consumer is in hand as well");
});

Deno.test("event queue: numbers that were dropped on the way count once what came before them is handled", async () => {
  const queue = queueOf();
  push(queue, 3);
  assertEquals(queue.handled(9), 2);
  await take(queue);
  const waiting = take(queue);
  assertEquals(queue.handled(9), 9);
  queue.finish();
  await waiting;
});

Deno.test("event queue: acknowledge counts the event in hand before the next is asked for", async () => {
  const queue = queueOf();
  push(queue, 1, 2);
  await take(queue);
  assertEquals(queue.handled(2), 0);
  queue.acknowledge();
  assertEquals(queue.handled(2), 1);
  queue.acknowledge();
  assertEquals(queue.handled(2), 1, "what still waits is not in hand");
});

Deno.test("event queue: an earlier session counts until all of it is handled, and its numbers do not mix with later ones", async () => {
  const queue = queueOf();
  push(queue, 100, 101);
  await take(queue);
  push(queue, null);
  queue.startSession();
  push(queue, 1, 2);
  assertEquals([queue.oldestSession, queue.handled(101)], [0, 99]);
  assertEquals(await take(queue), 101);
  assertEquals([queue.oldestSession, queue.handled(101)], [0, 100]);
  assertEquals(await take(queue), null, "the event without a number comes in its place");
  assertEquals([queue.oldestSession, queue.handled(101)], [0, 101]);
  assertEquals(await take(queue), 1);
  assertEquals([queue.oldestSession, queue.handled(2)], [1, 0]);
  assertEquals(await take(queue), 2);
  assertEquals([queue.oldestSession, queue.handled(2)], [1, 1]);
});

Deno.test("event queue: several callers wait and are served in order", async () => {
  const queue = queueOf();
  const waiting = [take(queue), take(queue), take(queue)];
  push(queue, 1, 2, 3);
  assertEquals(await Promise.all(waiting), [1, 2, 3]);
  assertEquals(queue.handled(3), 0, "the oldest of them is not handled");
});

Deno.test("event queue: finish ends every waiting caller and drops what waits", async () => {
  const queue = queueOf();
  push(queue, 1, 2);
  queue.finish();
  assertEquals(await queue.next(), { value: undefined, done: true });
  assertEquals(queue.length, 0);
  assertEquals(queue.push({ s: 3 }, 1), true, "what comes late is dropped");
  assertEquals(queue.length, 0);

  const other = queueOf();
  const waiting = [other.next(), other.next()];
  other.finish();
  assertEquals((await Promise.all(waiting)).map(({ done }) => done), [true, true]);
});

Deno.test("event queue: a failure reaches one caller, the others see the end", async () => {
  const failure = new Error("stopped");
  const waiting = queueOf();
  const [first, second] = [waiting.next(), waiting.next()];
  waiting.finish(failure);
  assertStrictEquals(await assertRejects(() => first), failure);
  assertEquals((await second).done, true);
  assertEquals((await waiting.next()).done, true);

  const later = queueOf();
  later.finish(failure);
  later.finish(new Error("too late"));
  assertStrictEquals(await assertRejects(() => later.next()), failure);
  assertEquals((await later.next()).done, true);
});

Deno.test("event queue: drained resolves once nothing waits", async () => {
  const queue = queueOf();
  await queue.drained();
  push(queue, 1, 2);
  let drained = false;
  const waiting = queue.drained().then(() => drained = true);
  await take(queue);
  await Promise.resolve();
  assertEquals(drained, false);
  await take(queue);
  await waiting;
  assert(drained);
});

Deno.test("event queue: finish releases the caller that waits for the drain", async () => {
  const queue = queueOf();
  push(queue, 1);
  const waiting = queue.drained();
  queue.finish();
  await waiting;
});

Deno.test("event queue: a handler gets waiting and new events, one after the other", async () => {
  const queue = queueOf();
  push(queue, 1, 2);
  const handled: unknown[] = [];
  const consumed = queue.consume(({ s }) => void handled.push(s));
  push(queue, 3);
  assertEquals(handled, [1, 2, 3]);
  assertEquals([queue.handled(3), queue.peak], [3, 2]);
  queue.finish();
  await consumed;
});

Deno.test("event queue: while an async handler is busy events wait, and are handled one at a time", async () => {
  const queue = queueOf();
  const handled: string[] = [];
  const turns: (() => void)[] = [];
  const consumed = queue.consume(({ s }) => {
    handled.push(`start ${s}`);
    return new Promise<void>((resolve) => turns.push(resolve)).then(() => void handled.push(`end ${s}`));
  });
  push(queue, 1, 2, 3);
  assertEquals([queue.length, queue.handled(3)], [2, 0]);
  for (let turn = 1; turn <= 3; turn++) {
    turns.shift()?.();
    while (turns.length === 0 && queue.handled(3) < turn) await Promise.resolve();
    assertEquals(queue.handled(3), turn);
  }
  queue.finish();
  await consumed;
  assertEquals(handled, ["start 1", "end 1", "start 2", "end 2", "start 3", "end 3"]);
});

Deno.test("event queue: what a handler throws, now or later, ends the consumption and is not handled", async () => {
  for (const isAsync of [false, true]) {
    const queue = queueOf();
    const failure = new Error("handler");
    const seen: unknown[] = [];
    const consumed = queue.consume(({ s }) => {
      seen.push(s);
      if (s !== 2) return;
      if (isAsync) return Promise.reject(failure);
      throw failure;
    });
    push(queue, 1, 2, 3);
    assertStrictEquals(await assertRejects(() => consumed), failure);
    assertEquals(seen, [1, 2], "nothing more is handed over");
    assertEquals(queue.handled(3), 1);
    queue.finish();
  }
});

Deno.test("event queue: finish lets a busy handler end before the consumption does", async () => {
  const queue = queueOf();
  let finish = () => {};
  let consumed = false;
  const done = queue.consume(() => new Promise<void>((resolve) => finish = resolve))
    .then(() => consumed = true);
  push(queue, 1, 2);
  queue.finish();
  await Promise.resolve();
  assertEquals(consumed, false);
  finish();
  await done;
});

Deno.test("event queue: the failure it was finished with rejects the consumption, at once or later", async () => {
  const failure = new Error("stopped");
  const running = queueOf();
  const consumed = running.consume(() => {});
  running.finish(failure);
  assertStrictEquals(await assertRejects(() => consumed), failure);

  const finished = queueOf();
  finished.finish(failure);
  assertStrictEquals(await assertRejects(() => finished.consume(() => {})), failure);
});

Deno.test("event queue: a handler may push, acknowledge and finish from within", async () => {
  const queue = queueOf();
  const handled: unknown[] = [];
  const consumed = queue.consume(({ s }) => {
    handled.push(s);
    if (s === 1) push(queue, 2);
    if (s === 2) queue.finish();
  });
  push(queue, 1);
  push(queue, 3);
  await consumed;
  assertEquals(handled, [1, 2]);
});

Deno.test("event queue: after a failure what waits is handed over first, to either consumer", async () => {
  const failure = new Error("stopped for good");
  const pulled = queueOf();
  push(pulled, 1, 2);
  pulled.finish(failure);
  assertEquals(await take(pulled), 1);
  assertEquals(pulled.handled(2), 0, "the first is in hand");
  assertEquals(await take(pulled), 2);
  assertStrictEquals(await assertRejects(() => pulled.next()), failure);
  assertEquals((await pulled.next()).done, true);

  const pushed = queueOf();
  push(pushed, 1, 2);
  pushed.finish(failure);
  const seen: (number | null)[] = [];
  const consumed = pushed.consume(async ({ s }) => void seen.push(await Promise.resolve(s)));
  assertStrictEquals(await assertRejects(() => consumed), failure);
  assertEquals(seen, [1, 2]);
});

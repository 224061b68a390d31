import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { TurnQueue } from "../../../ratelimit/mod.ts";
import { assertProperty } from "../../property.ts";
import { watched } from "../watched_signal.ts";

function drain<T>(queue: TurnQueue<T>): T[] {
  const items: T[] = [];
  for (let position = queue.next(); position; position = queue.next()) {
    items.push(position.item);
    position.resolve();
  }
  return items;
}

Deno.test("turn queue: first in, first out within a priority, high before low", async () => {
  const queue = new TurnQueue<string>();
  const waiting = [
    queue.wait("low 1"),
    queue.wait("high 1", { priority: "high" }),
    queue.wait("low 2", { priority: "low" }),
    queue.wait("high 2", { priority: "high" }),
  ];
  assertEquals([queue.size, queue.peek()], [4, "high 1"]);
  assertEquals(drain(queue), ["high 1", "high 2", "low 1", "low 2"]);
  assertEquals([queue.size, queue.peek(), queue.next()], [0, undefined, undefined]);
  await Promise.all(waiting);
});

Deno.test("turn queue: the taker's error goes to that caller and to no other", async () => {
  const queue = new TurnQueue<string>();
  const [first, second] = [queue.wait("first"), queue.wait("second")];
  const error = new Error("the write failed");
  queue.next()?.reject(error);
  queue.next()?.resolve();
  assertStrictEquals(await assertRejects(() => first), error);
  await second;
});

Deno.test("turn queue: an abort rejects with the signal's reason and leaves the queue at once [case 57]", async () => {
  const queue = new TurnQueue<string>();
  const controller = new AbortController();
  const signal = watched(controller.signal);
  const [before, aborted, after] = [
    queue.wait("before"),
    queue.wait("aborted", { signal }),
    queue.wait("after"),
  ];
  const reason = new Error("changed my mind");
  controller.abort(reason);
  assertEquals([queue.size, signal.listeners], [2, 0]);
  assertStrictEquals(await assertRejects(() => aborted), reason);
  assertEquals(drain(queue), ["before", "after"]);
  await Promise.all([before, after]);
});

Deno.test("turn queue: the first and the last caller can give up too", async () => {
  const queue = new TurnQueue<number>();
  const controllers = [0, 1, 2].map(() => new AbortController());
  const answers = controllers.map(({ signal }, n) =>
    queue.wait(n, { signal }).catch((error: Error) => error.message)
  );
  controllers[2]?.abort(new Error("last"));
  controllers[0]?.abort(new Error("first"));
  const late = queue.wait(3);
  assertEquals(drain(queue), [1, 3]);
  assertEquals(await Promise.all([...answers, late]), ["first", undefined, "last", undefined]);
});

Deno.test("turn queue: a signal that is aborted already never enters the queue", async () => {
  const queue = new TurnQueue<string>();
  const reason = new Error("too late");
  const signal = watched(AbortSignal.abort(reason));
  const answer = queue.wait("item", { signal });
  assertEquals([queue.size, signal.listeners], [0, 0]);
  assertStrictEquals(await assertRejects(() => answer), reason);
});

Deno.test("turn queue: nobody listens to a signal longer than the wait", async () => {
  const queue = new TurnQueue<number>();
  const controller = new AbortController();
  const signal = watched(controller.signal);
  const answers = Array.from({ length: 50 }, (_, n) => queue.wait(n, { signal }).catch(() => {}));
  assertEquals(signal.listeners, 50);
  for (let n = 0; n < 20; n++) queue.next()?.resolve();
  assertEquals(signal.listeners, 30);
  queue.rejectAll(() => new Error("closed"));
  assertEquals(signal.listeners, 0);
  controller.abort();
  await Promise.all(answers);
});

Deno.test("turn queue: an abort after the turn has come changes nothing", async () => {
  const queue = new TurnQueue<string>();
  const controller = new AbortController();
  const answer = queue.wait("item", { signal: controller.signal });
  const position = queue.next();
  controller.abort();
  position?.resolve();
  await answer;
});

Deno.test("turn queue: rejectAll sends everybody away in order, each with its own error", async () => {
  const queue = new TurnQueue<number>();
  const answers = [1, 2, 3].map((item) =>
    queue.wait(item, item === 3 ? { priority: "high" } : {}).catch((error: Error) => error.message)
  );
  const order: number[] = [];
  queue.rejectAll((item) => {
    order.push(item);
    return new Error(`no turn for ${item}`);
  });
  assertEquals(order, [3, 1, 2]);
  assertEquals(queue.size, 0);
  assertEquals(await Promise.all(answers), ["no turn for 1", "no turn for 2", "no turn for 3"]);
});

Deno.test("turn queue: a caller who comes back during rejectAll waits anew", async () => {
  const queue = new TurnQueue<string>();
  const first = queue.wait("first").catch(() => {});
  let again: Promise<void> | undefined;
  queue.rejectAll((item) => {
    again = queue.wait(`${item} again`);
    return new Error("closed");
  });
  assertEquals(drain(queue), ["first again"]);
  await Promise.all([first, again]);
});

Deno.test("turn queue: ten thousand callers give up from the middle outwards", async () => {
  const queue = new TurnQueue<number>();
  const controllers = Array.from({ length: 10_000 }, () => new AbortController());
  const answers = controllers.map(({ signal }, n) => queue.wait(n, { signal }).catch(() => {}));
  for (let n = 0; n < 5_000; n++) {
    controllers[5_000 + n]?.abort();
    controllers[4_999 - n]?.abort();
    assertEquals(queue.size, 10_000 - 2 * (n + 1));
  }
  await Promise.all(answers);
});

type Step =
  | { readonly do: "wait"; readonly priority: "high" | "low" }
  | { readonly do: "abort"; readonly which: number }
  | { readonly do: "next"; readonly works: boolean }
  | { readonly do: "reject all" };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant("wait" as const), priority: fc.constantFrom("high", "low") }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("abort" as const), which: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("next" as const), works: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reject all" as const) }) },
);

Deno.test("turn queue: every caller is answered exactly once and in order, whatever happens in between", async () => {
  await assertProperty(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: "max" }), async (steps) => {
      const queue = new TurnQueue<number>();
      const callers: { controller: AbortController; answers: string[] }[] = [];
      const expected: string[] = [];
      let high: number[] = [];
      let low: number[] = [];

      const leave = (id: number, answer: string) => {
        high = high.filter((other) => other !== id);
        low = low.filter((other) => other !== id);
        expected[id] = answer;
      };
      for (const step of steps) {
        if (step.do === "wait") {
          const id = callers.length;
          const caller = { controller: new AbortController(), answers: [] as string[] };
          callers.push(caller);
          (step.priority === "high" ? high : low).push(id);
          queue.wait(id, { signal: caller.controller.signal, priority: step.priority }).then(
            () => caller.answers.push("done"),
            (error: unknown) => caller.answers.push(String(error)),
          );
        } else if (step.do === "abort" && callers.length > 0) {
          const id = step.which % callers.length;
          if (high.includes(id) || low.includes(id)) leave(id, "aborted");
          callers[id]?.controller.abort("aborted");
        } else if (step.do === "next") {
          const head = [...high, ...low][0];
          assertEquals(queue.peek(), head);
          const position = queue.next();
          assertEquals(position?.item, head);
          if (head !== undefined) leave(head, step.works ? "done" : "failed");
          if (step.works) position?.resolve();
          else position?.reject("failed");
        } else if (step.do === "reject all") {
          const order = [...high, ...low];
          queue.rejectAll((item) => {
            assertEquals(item, order.shift());
            return new Error("closed");
          });
          for (const id of [...high, ...low]) leave(id, "Error: closed");
        }
        assertEquals(queue.size, high.length + low.length);
      }
      for (const id of drain(queue)) leave(id, "done");
      await Promise.resolve();
      await Promise.resolve();
      assertEquals(callers.map(({ answers }) => answers), expected.map((answer) => [answer]));
    }),
    { numRuns: 1_000 },
  );
});

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Delivery, type DeliveryOptions, DeliveryStoppedError } from "../../../shard/delivery/delivery.ts";
import { VirtualClock } from "../../fake/mod.ts";

interface TestEvent {
  readonly t: string;
  readonly s: number;
}

const EVENT = { t: "A", s: 1 };

function make(
  options: Partial<DeliveryOptions<TestEvent>>,
): { clock: VirtualClock; delivery: Delivery<TestEvent> } {
  const clock = new VirtualClock();
  const delivery = new Delivery<TestEvent>({
    handler: () => {},
    deadlineMs: 10_000,
    platform: clock,
    onHandled: () => {},
    onFailure: () => {},
    ...options,
  });
  return { clock, delivery };
}

Deno.test("delivery: a handler that returns at once costs no promise and no timer", () => {
  const { clock, delivery } = make({});
  assertEquals(delivery.deliver(EVENT), undefined);
  assertEquals([delivery.handled, clock.pending], [1, 0]);
});

Deno.test("delivery: a promise is awaited, and its timer cleared", async () => {
  const { clock, delivery } = make({ handler: () => Promise.resolve() });
  const done = delivery.deliver(EVENT);
  assertEquals(clock.pending, 1);
  await done;
  assertEquals([delivery.handled, clock.pending], [1, 0]);
});

Deno.test("delivery: waits between attempts grow from half a second to 30 s, with jitter", async () => {
  const at: number[] = [];
  const { clock, delivery } = make({
    handler: () => {
      at.push(clock.now());
      if (at.length < 12) throw new Error("no");
    },
  });
  const done = delivery.deliver(EVENT);
  await clock.advance(300_000);
  await done;
  const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  assertEquals(waits.length, 11);
  for (const [index, wait] of waits.entries()) {
    const ceiling = Math.min(30_000, 500 * 2 ** index);
    assert(wait >= ceiling / 2 && wait <= ceiling, `${waits}`);
  }
  assertEquals([delivery.handled, delivery.failures, delivery.failing], [1, 11, null]);
});

Deno.test("delivery: the result of a handler after its deadline is ignored, even a rejection", async () => {
  const late = Promise.withResolvers<void>();
  let attempts = 0;
  const { clock, delivery } = make({ handler: () => ++attempts === 1 ? late.promise : undefined });
  const done = delivery.deliver(EVENT);
  await clock.advance(20_000);
  await done;
  late.reject(new Error("too late"));
  await clock.advance(0);
  assertEquals([delivery.handled, attempts], [1, 2]);
});

Deno.test("delivery: without a deadline it waits without limit", async () => {
  const answer = Promise.withResolvers<void>();
  const { clock, delivery } = make({ deadlineMs: Infinity, handler: () => answer.promise });
  const done = delivery.deliver(EVENT);
  await clock.advance(3_600_000);
  assertEquals([delivery.handled, clock.pending], [0, 0]);
  answer.resolve();
  await done;
  assertEquals(delivery.handled, 1);
});

Deno.test("delivery: a stop ends a pending attempt, a wait, and every later delivery", async () => {
  const signals: AbortSignal[] = [];
  const hanging = make({
    handler: (_event, { signal }) => {
      signals.push(signal);
      return new Promise(() => {});
    },
  });
  const hung = assertRejects(async () => await hanging.delivery.deliver(EVENT), DeliveryStoppedError);
  hanging.delivery.stop();
  await hung;
  assertEquals([signals[0]?.aborted, hanging.clock.pending], [true, 0]);
  assertThrows(() => hanging.delivery.deliver(EVENT), DeliveryStoppedError);

  const failing = make({
    handler: () => {
      throw new Error("no");
    },
  });
  const failed = assertRejects(async () => await failing.delivery.deliver(EVENT), DeliveryStoppedError);
  await failing.clock.advance(100);
  failing.delivery.stop();
  await failed;
  assertEquals(failing.clock.pending, 0);
});

Deno.test("delivery: a stop between attempts lets the running one finish", async () => {
  const answer = Promise.withResolvers<void>();
  const { delivery } = make({ handler: () => answer.promise });
  const done = delivery.deliver(EVENT);
  delivery.stopBetweenAttempts();
  answer.resolve();
  await done;
  assertEquals(delivery.handled, 1);
  assertThrows(() => delivery.deliver(EVENT), DeliveryStoppedError);
});

Deno.test("delivery: a signal that is first read after the deadline is aborted", async () => {
  let look = (): boolean => false;
  const { clock, delivery } = make({
    handler: (_event, attempt) => {
      if (attempt.attempt > 1) return;
      look = () => attempt.signal.aborted;
      return new Promise(() => {});
    },
  });
  const done = delivery.deliver(EVENT);
  await clock.advance(20_000);
  await done;
  assertEquals(look(), true);
});

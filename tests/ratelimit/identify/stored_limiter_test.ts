/** The shards of a process in front of a store: what is asked when, and what becomes of a store that fails or is slow. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  exchangeIdentifies,
  IdentifyLimiterError,
  type IdentifyReply,
  type IdentifyRequest,
  newIdentifyRecord,
  StoredIdentifyLimiter,
} from "../../../ratelimit/mod.ts";
import { VirtualClock } from "../../fake/base/virtual_clock.ts";

const PERIOD_MS = 5_000;

/** A store in memory that can be slow, fail, or lose its replies. */
class Store {
  readonly clock = new VirtualClock();
  readonly record = newIdentifyRecord("record", 0);
  readonly requests: IdentifyRequest[] = [];
  /** How long a reply takes, in ms; what was asked is done at once. */
  slowMs = 0;
  /** What it fails of; `null` where it does not. */
  failure: Error | null = null;
  /** Whether it does what it is asked, and then fails. */
  losesReplies = false;

  async exchange(request: IdentifyRequest): Promise<IdentifyReply> {
    this.requests.push(request);
    if (this.failure && !this.losesReplies) throw this.failure;
    const reply = exchangeIdentifies(this.record, request, this.clock.now());
    if (this.slowMs > 0) await new Promise<void>((resolve) => this.clock.setTimeout(resolve, this.slowMs));
    if (this.failure) throw this.failure;
    return reply;
  }

  limiter(
    client: string,
    options: { hold?: boolean; clock?: VirtualClock; deadlineMs?: number } = {},
  ): StoredIdentifyLimiter {
    return new StoredIdentifyLimiter(this, { clock: this.clock, client, periodMs: PERIOD_MS, ...options });
  }
}

Deno.test("identify store: all that wait ask together, and one timer brings them back", async () => {
  const store = new Store();
  const limiter = store.limiter("one");
  const order: number[] = [];
  for (const shardId of [2, 1, 0]) limiter.take(shardId).then(() => order.push(shardId));
  await store.clock.advance(0);
  assertEquals(store.requests.map(({ ask }) => ask.length), [3]);
  assertEquals([order, store.clock.pending], [[0], 1]);
  await store.clock.advance(2 * PERIOD_MS);
  assertEquals(store.requests.map(({ ask }) => ask.length), [3, 2, 1]);
  assertEquals([order, store.clock.pending], [[0, 1, 2], 0]);
});

Deno.test("identify store: a holder that dies holds the others up for a period at most, wherever it was", async () => {
  for (let diesAt = 0; diesAt < 20_000; diesAt += 700) {
    const store = new Store();
    // Its own timers stop when it dies.
    const clock = new VirtualClock();
    const holder = new StoredIdentifyLimiter(store, { clock, client: "holder", hold: true });
    const next = store.limiter("next");
    await holder.take(0);
    let grantedAt = NaN;
    next.take(1).then(() => grantedAt = store.clock.now());
    for (let at = 0; at < diesAt; at += 100) {
      await Promise.all([clock.advance(100), store.clock.advance(100)]);
    }
    assertEquals(grantedAt, NaN);
    await store.clock.advance(60_000);
    assert(grantedAt - diesAt <= 5_250, `died at ${diesAt}, next at ${grantedAt}`);
  }
});

Deno.test("identify store: a store that fails sends everybody away who asked, with its own error as the cause", async () => {
  const store = new Store();
  const limiter = store.limiter("one");
  store.failure = new Error("connect ECONNREFUSED");
  for (const shardId of [0, 1]) {
    const error = await assertRejects(() => limiter.take(shardId), IdentifyLimiterError);
    assertEquals([error.code, error.shardId], ["ERR_IDENTIFY_LIMITER", shardId]);
    assertStrictEquals(error.cause, store.failure);
  }
  assertEquals(store.clock.pending, 0);
  store.failure = null;
  await limiter.take(0);
});

Deno.test("identify store: a store that does not answer is given up after its deadline", async () => {
  const store = new Store();
  store.slowMs = 60_000;
  const rejected = assertRejects(() => store.limiter("one").take(3), IdentifyLimiterError);
  await store.clock.advance(4_999);
  assertEquals(store.clock.pending, 2);
  await store.clock.advance(1);
  const { cause } = await rejected;
  assertEquals(`${cause}`, "Error: No response within 5000 ms");
  await store.clock.advance(60_000);
});

Deno.test("identify store: a deadline that can be none is refused, and without one a reply may take any time", async () => {
  const store = new Store();
  for (const deadlineMs of [0, -1, NaN]) {
    assertThrows(
      () => store.limiter("one", { deadlineMs }),
      RangeError,
      `Cannot limit identifies: deadlineMs must be a positive number: ${deadlineMs}`,
    );
  }
  store.slowMs = 60_000;
  const taking = store.limiter("one", { deadlineMs: Infinity }).take(3);
  await store.clock.advance(59_000);
  assertEquals(store.clock.pending, 1, "the store's own");
  store.slowMs = 0;
  await store.clock.advance(1_000);
  (await taking).release("ready");
});

Deno.test("identify store: what was granted while the reply was lost is given back with the next request", async () => {
  const store = new Store();
  const limiter = store.limiter("one");
  store.failure = new Error("the connection was lost");
  store.losesReplies = true;
  await assertRejects(() => limiter.take(0), IdentifyLimiterError);
  assertEquals([store.record.remaining, store.record.turns.length], [999, 1]);
  store.failure = null;
  await limiter.take(1);
  assertEquals(store.clock.now(), 0, "nobody waited for the turn that was never used");
  assertEquals([store.record.remaining, store.record.turns.length], [999, 1]);
});

Deno.test("identify store: who gives up while the reply is under way gives its permit back", async () => {
  const store = new Store();
  store.slowMs = 50;
  const limiter = store.limiter("one");
  const controller = new AbortController();
  const rejected = assertRejects(() => limiter.take(0, { signal: controller.signal }));
  await store.clock.advance(10);
  controller.abort(new Error("the connection has ended"));
  await rejected;
  await store.clock.advance(100);
  assertEquals([store.record.remaining, store.record.turns.length], [1_000, 0]);
});

Deno.test("identify store: after a slow reply the key rests from the reply on", async () => {
  const store = new Store();
  const [here, there] = [store.limiter("here"), store.limiter("there")];
  store.slowMs = 300;
  const taken: number[] = [];
  for (const limiter of [here, there]) limiter.take(0).then(() => taken.push(store.clock.now()));
  await store.clock.advance(20_000);
  assertEquals(taken[0], 300);
  assert((taken[1] ?? NaN) >= 300 + PERIOD_MS, `${taken}`);
});

Deno.test("identify store: a very slow answer is asked for once more, so that its turn begins anew", async () => {
  const store = new Store();
  const [here, there] = [store.limiter("here"), store.limiter("there")];
  store.slowMs = 2_000;
  const taken: number[] = [];
  here.take(0).then(() => taken.push(store.clock.now()));
  await store.clock.advance(1_000);
  store.slowMs = 10;
  there.take(1).then(() => taken.push(store.clock.now()));
  await store.clock.advance(20_000);
  assertEquals(taken[0], 2_010);
  assert((taken[1] ?? NaN) >= 2_010 + PERIOD_MS - 10, `${taken}`);
  assertEquals(store.record.remaining, 998, "it cost once");
});

Deno.test("identify store: answers that always come too late are an error, not a permit", async () => {
  const store = new Store();
  store.slowMs = 3_000;
  const rejected = assertRejects(() => store.limiter("one").take(0), IdentifyLimiterError);
  await store.clock.advance(60_000);
  const { cause } = await rejected;
  assertEquals(`${cause}`, "Error: The permit came too late: after 3000 ms");
  assertEquals([store.record.remaining, store.record.turns.length], [1_000, 0], "given back");
});

Deno.test("identify store: with hold a key is kept closed from time to time, until it is released", async () => {
  const store = new Store();
  const limiter = store.limiter("one", { hold: true });
  const permit = await limiter.take(0);
  await store.clock.advance(12_000);
  const kept = store.requests.filter(({ keep }) => keep.length === 1).length;
  assert(kept >= 6 && kept <= 8, `three times in a period: ${kept}`);
  permit.release("ready");
  permit.release("ready");
  await store.clock.advance(60_000);
  assertEquals(store.requests.length, 1 + kept + 1, "once more at the end");
  assertEquals(store.clock.pending, 0);
});

Deno.test("identify store: keys are kept closed through an outage of half a period", async () => {
  const store = new Store();
  const [here, there] = [store.limiter("here", { hold: true }), store.limiter("there")];
  const permit = await here.take(0);
  await store.clock.advance(4_000);
  store.failure = new Error("down");
  await store.clock.advance(2_500);
  store.failure = null;
  let takenAt = NaN;
  there.take(1).then(() => takenAt = store.clock.now());
  await store.clock.advance(10_000);
  assertEquals(takenAt, NaN);
  permit.release("failed");
  await store.clock.advance(10_000);
  assertEquals(takenAt, 16_500 + PERIOD_MS);
});

Deno.test("identify store: limits that could not be told are told with the next question", async () => {
  const store = new Store();
  const limiter = store.limiter("one");
  store.failure = new Error("down");
  const error = await assertRejects(() => limiter.update({ maxConcurrency: 16 }), IdentifyLimiterError);
  assertEquals([error.shardId, error.message], [null, "Cannot tell the identify limiter its limits"]);
  store.failure = null;
  await Promise.all([limiter.take(0), limiter.take(1)]);
  assertEquals([store.record.maxConcurrency, store.record.periodMs], [16, PERIOD_MS]);
  assertEquals(store.requests.at(-1)?.limits, { maxConcurrency: 16, periodMs: PERIOD_MS });
});

Deno.test("identify store: what this process knew of a record that is lost goes into the new one", async () => {
  const store = new Store();
  const limiter = store.limiter("one");
  await limiter.update({ maxConcurrency: 4, total: 100, remaining: 7, resetAfterMs: 600_000 });
  await limiter.take(0);
  await store.clock.advance(1_000);
  const blank = newIdentifyRecord("another", store.clock.now());
  Object.assign(store.record, { ...blank, turns: [], waiting: [], served: [] });
  let takenAt = NaN;
  limiter.take(1).then(() => takenAt = store.clock.now());
  await store.clock.advance(10_000);
  assertEquals(takenAt, 1_000 + PERIOD_MS, "another key than 0, but who knows");
  const { maxConcurrency, total, remaining, resetAt } = store.record;
  assertEquals([maxConcurrency, total, remaining, resetAt], [4, 100, 5, 600_000]);
});

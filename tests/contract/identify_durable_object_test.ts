/** The contract of identify limiters, on Durable Objects in a real workerd: with RPC, and with nothing but fetch. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { IdentifyRefusedError } from "../../ratelimit/mod.ts";
import { DurableObjectIdentifyLimiter } from "../../ratelimit/identify/durable_object.ts";
import { identifyContract } from "../ratelimit/identify/contract.ts";
import { IdentifyWorker, NamespaceBehind } from "./identify_worker.ts";
import { until } from "./until.ts";

/** One workerd for all tests: each has an object of its own. */
const stack = new AsyncDisposableStack();
let worker: IdentifyWorker;
let names = 0;

Deno.test.beforeAll(async () => {
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  worker = stack.use(await IdentifyWorker.start(folder));
});

Deno.test.afterAll(() => stack.disposeAsync());

identifyContract("a Durable Object", () => {
  const name = `bot ${names++}`;
  const namespace = new NamespaceBehind(worker.url, "rpc");
  return Promise.resolve({
    limiter: (options) => new DurableObjectIdentifyLimiter(namespace, { ...options, name, over: "fetch" }),
    [Symbol.asyncDispose]: () => until("no request is under way", () => namespace.pending === 0),
  });
});

Deno.test("identify limiter in a Durable Object: a class without RPC is asked by fetch, and takes only questions", async () => {
  const name = `bot ${names++}`;
  const namespace = new NamespaceBehind(worker.url, "plain");
  const options = { name, over: "fetch", maxConcurrency: 2, periodMs: 300 } as const;
  const here = new DurableObjectIdentifyLimiter(namespace, options);
  const there = new DurableObjectIdentifyLimiter(namespace, options);
  const order: number[] = [];
  await Promise.all([3, 1, 2, 0].map(async (shardId, index) => {
    const limiter = index < 2 ? here : there;
    await limiter.take(shardId);
    order.push(shardId);
  }));
  assertEquals(order.toSorted(), [0, 1, 2, 3]);
  const { status } = await namespace.get(name).fetch("", { method: "POST", body: `{"ask":1}` });
  assertEquals(status, 400);
  await until("no request is under way", () => namespace.pending === 0);
});

Deno.test("identify limiter in a Durable Object: shards inside workerd ask by RPC", async () => {
  const order = await worker.post("take", `bot ${names++}`, {
    shardIds: [5, 4, 3, 2, 1, 0],
    maxConcurrency: 2,
    periodMs: 1_000,
  });
  assertEquals(order, [0, 1, 2, 3, 4, 5]);
});

Deno.test("identify limiter in a Durable Object: an object that is aborted goes on where it was", async () => {
  const name = `bot ${names++}`;
  const namespace = new NamespaceBehind(worker.url, "rpc");
  const limiter = new DurableObjectIdentifyLimiter(namespace, {
    name,
    over: "fetch",
    periodMs: 1_000,
    total: 10,
    remaining: 2,
    resetAfterMs: 60_000,
  });
  await limiter.take(0);
  const takenAt = performance.now();
  assertMatch(`${await worker.post("die", name)}`, /sabotage/);
  await limiter.take(1);
  assert(performance.now() - takenAt >= 900, "the key rested through the death of the object");
  await assertRejects(() => limiter.take(2), IdentifyRefusedError);
  await until("no request is under way", () => namespace.pending === 0);
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { serialize } from "node:v8";
import { FleetHost } from "../../../../shard/durable_object/mod.ts";
import { callAll } from "../../../../shard/durable_object/fleet/reshard_plan.ts";
import {
  MAX_HOSTED_SHARDS,
  type PendingCall,
  StoredFleetRecord,
} from "../../../../shard/durable_object/fleet/record.ts";
import { FakeDiscord, VirtualClock } from "../../../fake/mod.ts";

/** What one key of a Durable Object may hold, in bytes. */
const MAX_VALUE = 2_000_000;

/** Storage that counts bytes as a Durable Object does, and rejects values that are too large. */
class CountingStorage {
  readonly kv = {
    get: (key: string): unknown => structuredClone(this.#values.get(key)),
    put: (key: string, value: unknown): void => {
      const size = serialize(value).byteLength;
      if (size > this.most) throw new Error("string or blob too big: SQLITE_TOOBIG");
      this.largest = Math.max(this.largest, size);
      this.#values.set(key, structuredClone(value));
    },
    delete: (key: string): boolean => this.#values.delete(key),
  };
  /** The largest value that was put, in bytes. */
  largest = 0;
  /** The largest that may be put, in bytes. */
  most = MAX_VALUE;
  readonly #values = new Map<string, unknown>();

  getAlarm(): Promise<null> {
    return Promise.resolve(null);
  }

  async setAlarm(): Promise<void> {}

  async deleteAlarm(): Promise<void> {}
}

/** A coordinator of shards that confirm `start` and reject every other call. */
function coordinator(storage: CountingStorage): { host: FleetHost; called: number[]; clock: VirtualClock } {
  const clock = new VirtualClock();
  const { token, fetch } = new FakeDiscord({ clock, maxConcurrency: 16 });
  const called: number[] = [];
  const nothing = () => Promise.reject(new Error("not called"));
  const host = new FleetHost({ storage }, {
    token,
    fetch,
    api: "https://discord.com/api/v10",
    platform: clock,
    wallClock: () => clock.now(),
    shard: (id) => ({
      start: () => Promise.resolve(called.push(id)),
      stop: nothing,
      retire: nothing,
      status: nothing,
      trySend: nothing,
    }),
  });
  return { host, called, clock };
}

Deno.test("fleet host's record: an order to the largest number of shards is small, and each of them is called once, in ascending order", async () => {
  const storage = new CountingStorage();
  const { host, called, clock } = coordinator(storage);
  const started = host.start({ shards: MAX_HOSTED_SHARDS });
  await clock.runUntil(() => called.length === MAX_HOSTED_SHARDS);
  await started;
  assertEquals(called, Array.from({ length: MAX_HOSTED_SHARDS }, (_, id) => id));
  assert(storage.largest < 1_000, `${storage.largest} bytes`);
});

Deno.test("fleet host's record: calls are read as they were written, in order, and the most scattered ones fit into one key", () => {
  const storage = new CountingStorage();
  const every = (count: number, what: PendingCall["do"]) =>
    callAll(count, what).filter((_, id) => id % 2 === 0);
  const scattered = [...every(MAX_HOSTED_SHARDS, "restart"), ...every(MAX_HOSTED_SHARDS - 1, "restart")];
  const single: PendingCall = { shard: [3, 5], do: "restart" };
  for (
    const pending of [
      [],
      callAll(5, "start"),
      // Consecutive numbers, but another call, another count, or another order.
      [...callAll(2, "park"), { shard: [2, 2], do: "stop" }, single, { shard: [4, 6], do: "restart" }],
      [single, { shard: [2, 5], do: "restart" }, { shard: [3, 5], do: "start" }],
      scattered,
    ] satisfies PendingCall[][]
  ) {
    new StoredFleetRecord(storage.kv).update({ running: true, count: 5, pending });
    assertEquals(new StoredFleetRecord(storage.kv).value.pending, pending);
  }
});

Deno.test("fleet host's record: an order that the storage rejects changes nothing", async () => {
  const storage = new CountingStorage();
  const { host } = coordinator(storage);
  storage.most = 100;
  await assertRejects(() => host.start({ shards: 2 }), Error, "SQLITE_TOOBIG");
  storage.most = MAX_VALUE;
  const { running, shardCount, pendingCalls } = await host.status();
  assertEquals([running, shardCount, pendingCalls], [false, null, 0]);
});

Deno.test("fleet host: more shards than any bot has are rejected before any call", async () => {
  const storage = new CountingStorage();
  const { host, called } = coordinator(storage);
  for (const shards of [0, 1.5, NaN, MAX_HOSTED_SHARDS + 1, 1e9]) {
    const text = `their number is an integer from 1 to 16384: ${shards}`;
    await assertRejects(() => host.start({ shards }), RangeError, text);
    await assertRejects(() => host.reshard(shards), RangeError, text);
  }
  assertEquals([called.length, storage.largest], [0, 0]);
});

import { assertEquals, assertRejects } from "@std/assert";
import { HandledEvents, MergedEvents } from "../../../shard/fleet/consumer.ts";

/** Delivers an item, and tells when it is handled. */
function deliver(merged: MergedEvents<string>, item: string, handled: string[]): void {
  void merged.deliver(item).then(() => handled.push(item));
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await null;
}

Deno.test("fleet consumer: an event is handled when the next one is asked for, and not before", async () => {
  const merged = new MergedEvents<string>();
  const handled: string[] = [];
  deliver(merged, "a", handled);
  deliver(merged, "b", handled);
  assertEquals(await merged.next(), { value: "a", done: false });
  await turns();
  assertEquals(handled, []);
  assertEquals(await merged.next(), { value: "b", done: false });
  await turns();
  assertEquals(handled, ["a"]);
  const third = merged.next();
  await turns();
  assertEquals(handled, ["a", "b"]);
  deliver(merged, "c", handled);
  assertEquals(await third, { value: "c", done: false });
});

Deno.test("fleet consumer: several who wait are served in turn", async () => {
  const merged = new MergedEvents<string>();
  const waiting = [merged.next(), merged.next()];
  deliver(merged, "a", []);
  deliver(merged, "b", []);
  assertEquals((await Promise.all(waiting)).map(({ value }) => value), ["a", "b"]);
});

Deno.test("fleet consumer: after a failure comes what waits, then the failure, once", async () => {
  const merged = new MergedEvents<string>();
  deliver(merged, "a", []);
  merged.finish(new Error("all have stopped"));
  assertEquals(await merged.next(), { value: "a", done: false });
  await assertRejects(() => merged.next(), Error, "all have stopped");
  assertEquals(await merged.next(), { value: undefined, done: true });
});

Deno.test("fleet consumer: a failure reaches one of those who wait", async () => {
  const merged = new MergedEvents<string>();
  const [first, second] = [merged.next(), merged.next()];
  merged.finish(new Error("all have stopped"));
  await assertRejects(() => first, Error, "all have stopped");
  assertEquals(await second, { value: undefined, done: true });
});

Deno.test("fleet consumer: a close drops what waits, and none of it counts as handled", async () => {
  const merged = new MergedEvents<string>();
  const handled: string[] = [];
  deliver(merged, "a", handled);
  merged.finish(null);
  merged.finish(new Error("too late"));
  deliver(merged, "b", handled);
  assertEquals(await merged.next(), { value: undefined, done: true });
  await turns();
  assertEquals(handled, []);
});

Deno.test("fleet consumer: a handler is called at once, and what it returns tells when it is done", async () => {
  const seen: string[] = [];
  const handled = new HandledEvents<string>((item) => {
    seen.push(item);
    if (item === "slow") return Promise.resolve();
  });
  assertEquals(handled.deliver("quick"), undefined);
  assertEquals(await handled.deliver("slow"), undefined);
  assertEquals(seen, ["quick", "slow"]);
  handled.finish(null);
  handled.finish(new Error("too late"));
  assertEquals(await handled.finished, undefined);
});

/** A dial or a fetch that ignores its signal delays nothing. */

import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { abortable } from "../../../shard/pipe/abortable.ts";
import { type Connection, connectionPair, Shard } from "../../../shard/mod.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";

const never = <T>() => new Promise<T>(() => {});

Deno.test("abortable: settles as the work does, and leaves no listener", async () => {
  const { signal } = new AbortController();
  assertEquals(await abortable(Promise.resolve(7), signal), 7);
  const failure = new Error("work");
  assertStrictEquals(await assertRejects(() => abortable(Promise.reject(failure), signal)), failure);
});

Deno.test("abortable: rejects with the reason at once, and hands a late result over", async () => {
  const controller = new AbortController();
  const late: number[] = [];
  let finish = (_: number) => {};
  const work = new Promise<number>((resolve) => finish = resolve);
  const waiting = abortable(work, controller.signal, (result) => late.push(result));
  const reason = new Error("enough");
  controller.abort(reason);
  assertStrictEquals(await assertRejects(() => waiting), reason);
  finish(7);
  await work;
  assertEquals(late, [7]);
  assertStrictEquals(await assertRejects(() => abortable(never(), controller.signal)), reason);
});

Deno.test("shard: close() does not wait for a dial that heeds no signal, and closes what it opens late", async () => {
  const clock = new VirtualClock();
  const [client, server] = connectionPair();
  let open = (_: Connection) => {};
  const dial = () => new Promise<Connection>((resolve) => open = resolve);
  const shard = new Shard({ token: "x", intents: 0, url: "wss://gateway.example", dial, platform: clock });
  const running = shard.run(() => {});
  await clock.advance(0);
  await shard.close();
  await running;
  open(client);
  assertEquals((await server.closed).code, 4200);
  assertEquals(clock.pending, 0);
});

Deno.test("shard: a fetch that ignores its signal costs its deadline, and delays no close()", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  let asked = 0;
  const fetch = () => {
    asked++;
    return never<Response>();
  };
  const { token, dial } = discord;
  const statuses: string[] = [];
  const shard = new Shard({
    token,
    intents: 0,
    dial,
    fetch,
    platform: clock,
    onStatus: (status) => {
      statuses.push(status.state === "disconnected" ? status.cause : status.state);
      if (status.state === "disconnected") assertInstanceOf(status.error, Error);
    },
  });
  const running = shard.run(() => {});
  await clock.advance(15_000);
  assertEquals(statuses, ["locating", "gateway_bot_failed"]);
  await clock.advance(60_000);
  await shard.close();
  await running;
  assertEquals(asked > 1, true, "it is asked again after the backoff");
  assertEquals(clock.pending, 0);
});

import { assert, assertEquals, assertRejects } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import { StatusStream } from "../../examples/durable_object/status_stream.ts";
import { WorkerdServer } from "../runtimes/workerd_server.ts";

/** A status that counts its requests. */
class Status {
  asked = 0;
  shards = 1;
  error: Error | null = null;
  readonly stream = new StatusStream(() => {
    this.asked++;
    return this.error ? Promise.reject(this.error) : Promise.resolve({ shards: Array(this.shards).fill({}) });
  });

  /** A watcher that reads everything until it leaves. */
  follow(): { leave(): Promise<void> } {
    const reader = this.watch();
    const reading = (async () => {
      while (!(await reader.read()).done);
    })();
    return {
      leave: async () => {
        await reader.cancel();
        await reading;
      },
    };
  }

  watch(): ReadableStreamDefaultReader<Uint8Array> {
    const { body } = this.stream.response();
    assert(body);
    return body.getReader();
  }
}

Deno.test("status stream: one request a second for all watchers together, and none without watchers", async () => {
  using time = new FakeTime();
  const status = new Status();
  await time.tickAsync(10_000);
  assertEquals(status.asked, 0);
  const [one, two] = [status.watch(), status.watch()];
  for (let second = 1; second <= 5; second++) {
    const [a, b] = await Promise.all([one.read(), two.read()]);
    assertEquals(new TextDecoder().decode(a.value), 'data: {"shards":[{}]}\n\n');
    assertEquals(a.value, b.value);
    assertEquals(status.asked, second);
    await seconds(time, 1);
  }
  await one.cancel();
  await two.cancel();
  await seconds(time, 1);
  const { asked } = status;
  await seconds(time, 60);
  assertEquals(status.asked, asked);
});

Deno.test("status stream: it continues for the remaining watchers", async () => {
  using time = new FakeTime();
  const status = new Status();
  const [one, two] = [status.follow(), status.follow()];
  await seconds(time, 10);
  await one.leave();
  await seconds(time, 10);
  assertEquals(status.asked, 21);
  await two.leave();
  await seconds(time, 60);
  assertEquals(status.asked, 21);
});

Deno.test("status stream: a later watcher gets the last status at once", async () => {
  using time = new FakeTime();
  const status = new Status();
  const first = status.watch();
  await first.read();
  const late = status.watch();
  assertEquals(new TextDecoder().decode((await late.read()).value), 'data: {"shards":[{}]}\n\n');
  assertEquals(status.asked, 1);
  await Promise.all([first.cancel(), late.cancel()]);
  await time.tickAsync(1_000);
});

Deno.test("status stream: a large fleet is asked less often, but before a watcher's timeout", async () => {
  for (const [shards, everyMs] of [[16, 1_000], [200, 5_000], [16_384, 10_000]] as const) {
    using time = new FakeTime();
    const status = new Status();
    status.shards = shards;
    const watcher = status.watch();
    await watcher.read();
    await time.tickAsync(everyMs - 1);
    assertEquals(status.asked, 1);
    await time.tickAsync(1);
    assertEquals(status.asked, 2);
    await watcher.cancel();
    await time.tickAsync(everyMs);
  }
});

Deno.test("status stream: a watcher that does not read is dropped, and costs no more requests", async () => {
  using time = new FakeTime();
  const status = new Status();
  const watcher = status.watch();
  await seconds(time, 60);
  assert(status.asked < 10, `${status.asked}`);
  await assertRejects(() => watcher.read(), Error, "is not read");
});

Deno.test("status stream: a failed status ends the streams; the next watcher causes a new request", async () => {
  using time = new FakeTime();
  const status = new Status();
  status.error = new Error("the storage is gone");
  const watcher = status.watch();
  await assertRejects(() => watcher.read(), Error, "the storage is gone");
  await time.tickAsync(10_000);
  assertEquals(status.asked, 1);
  status.error = null;
  const next = status.watch();
  assertEquals((await next.read()).done, false);
  await next.cancel();
  await time.tickAsync(1_000);
});

Deno.test("status stream: in workerd a watcher's disconnect passes through the Worker, and the requests end", async () => {
  await using server = await WorkerdServer.start("tests/durable_object/status_stream_worker.ts", {
    durableObjects: { WATCHED: "Watched" },
  });
  const asked = async () => Number(await (await fetch(server.url)).text());
  const hangUp = new AbortController();
  const response = await fetch(new URL("stream", server.url), { signal: hangUp.signal });
  const reader = response.body?.getReader();
  for (let seen = 0; seen < 2; seen++) assertEquals((await reader?.read())?.done, false);
  hangUp.abort();
  await reader?.read().catch(() => {});
  // The count has to stop growing.
  const giveUpAt = performance.now() + 120_000;
  for (let before = 0, now = 1; now > before;) {
    assert(performance.now() < giveUpAt, `it still sends requests: ${now}`);
    before = now;
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    now = await asked();
  }
});

/** Advances the clock second by second, so that waiting code continues after each. */
async function seconds(time: FakeTime, count: number): Promise<void> {
  for (let second = 0; second < count; second++) await time.tickAsync(1_000);
}

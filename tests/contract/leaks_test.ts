/**
 * Leaving: after `close()` and after `break`, in every phase, nothing stays behind: no timer, no socket, no request, no
 * listener, no unhandled rejection. Seen twice: by Deno's sanitizers in this process, and by a process that has nothing
 * else to do and therefore has to exit.
 */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { dial, Shard } from "../../shard/mod.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { BotProcess } from "./bot_process.ts";
import { RawServer } from "./raw_server.ts";
import { RecordedSockets } from "./recorded_sockets.ts";
import { until } from "./until.ts";

const TOKEN = "leaving.bot.token";
const LEFT = "left with 0 timers";

/** Asserts that it has gone, by itself and without a word of complaint. */
async function assertGone(bot: BotProcess): Promise<void> {
  await bot.printed(LEFT);
  await until("the process exits by itself", () => bot.end !== null);
  assertEquals({ code: (await bot.ended).code, stderr: bot.stderr }, { code: 0, stderr: "" });
}

Deno.test("leaks: close() while REST is asked and never answers", async () => {
  using server = new RawServer(async (connection) => {
    await connection.request();
    await connection.listen();
  });
  const api = server.url.replace(/^ws/, "http").replace(/\?.*/, "");
  await using bot = new BotProcess("leaving_bot.ts", {}, ["close", "told", api]);
  await until("the request", () => server.connections.length === 1);
  bot.kill("SIGUSR2");
  await assertGone(bot);
});

Deno.test("leaks: close() while dialing into a black hole", async () => {
  using server = new RawServer(async (connection) => {
    await connection.request();
    await connection.listen();
  });
  await using bot = new BotProcess("leaving_bot.ts", {}, ["close", "told", server.url]);
  await until("the dial", () => server.connections.length === 1);
  bot.kill("SIGUSR2");
  await assertGone(bot);
  assert(bot.lines.includes("command: ERR_COMMAND_NOT_SENT"));
});

Deno.test("leaks: close() while backing off", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await using bot = new BotProcess("leaving_bot.ts", {}, ["close", "disconnected", `ws://127.0.0.1:${port}`]);
  await assertGone(bot);
});

for (
  const [phase, fault] of [
    ["awaiting_hello", "silentHello"],
    ["awaiting_permit", null],
    ["identifying", "silentReady"],
    ["live", null],
  ] as const
) {
  Deno.test(`leaks: close() while ${phase}`, async () => {
    await using discord = new FakeDiscord({ token: TOKEN });
    const { gatewayUrl } = await discord.listen();
    if (fault) discord.faults[fault] = 1;
    await using bot = new BotProcess("leaving_bot.ts", {}, ["close", phase, gatewayUrl]);
    await assertGone(bot);
    assertEquals(discord.journal.of("close").map(({ by, code }) => [by, code]), [["client", 4200]]);
  });
}

Deno.test("leaks: close() while draining, with a handler that is still busy", async () => {
  await using discord = new FakeDiscord({ token: TOKEN });
  const { gatewayUrl } = await discord.listen();
  await using bot = new BotProcess("leaving_bot.ts", {}, ["close", "draining", gatewayUrl]);
  await bot.printed("READY");
  discord.flood(100);
  await assertGone(bot);
});

for (const phase of ["live", "disconnected", "dialing", "awaiting_hello", "resuming"] as const) {
  Deno.test(`leaks: break while ${phase}`, async () => {
    await using discord = new FakeDiscord({ token: TOKEN });
    const { gatewayUrl } = await discord.listen();
    const told = phase === "dialing" ? "told" : phase;
    await using bot = new BotProcess("leaving_bot.ts", {}, ["break", told, gatewayUrl]);
    await bot.printed("READY");
    if (phase === "disconnected") discord.faults.rejectDials = Array(100).fill(503);
    if (phase === "dialing") discord.faults.blackHoleDials = 1;
    if (phase === "awaiting_hello") discord.faults.silentHello = 1;
    if (phase === "resuming") discord.faults.silentResumed = 1;
    if (phase !== "live") discord.connections[0]?.drop();
    if (phase === "dialing") {
      await until("the dial", () => discord.journal.dials().length === 2);
      bot.kill("SIGUSR2");
    }
    await assertGone(bot);
  });
}

for (const way of ["close", "break"]) {
  Deno.test(`leaks: ${way} with a peer that is dead: only the runtime's own socket remains`, async () => {
    await using discord = new FakeDiscord({ token: TOKEN });
    const { gatewayUrl } = await discord.listen();
    await using bot = new BotProcess("leaving_bot.ts", {}, [way, "told", gatewayUrl]);
    await bot.printed("READY");
    discord.connections[0]?.stall();
    bot.kill("SIGUSR2");
    // Nothing of the shard waits for the peer.
    await bot.printed(LEFT);
    // Deno's WebSocket does, as long as TCP does: after close() it knows no deadline, and nothing to give it up by.
    await discord.close();
    await assertGone(bot);
  });
}

// In this process, under the sanitizers.

Deno.test("leaks: break, a stream's cancel, a failing handler and `await using` leave nothing", async () => {
  await using discord = new FakeDiscord({ maxConcurrency: 4 });
  const { gatewayUrl } = await discord.listen();
  await using sockets = new RecordedSockets();
  let shards = 0;
  const newShard = () =>
    new Shard({
      token: discord.token,
      url: gatewayUrl,
      // As many as may identify at once.
      shard: [shards++, 4],
      identifyLimiter: { take: () => true },
      events: ["READY"],
      dial: (url, options) => dial(url, { ...options, WebSocket: sockets.WebSocket }),
    });

  for await (const event of newShard()) {
    assertEquals(event.t, "READY");
    break;
  }

  const reader = newShard().events.getReader();
  assertEquals((await reader.read()).value?.t, "READY");
  await reader.cancel();

  const failing = newShard().run(() => {
    throw new RangeError("the handler's own");
  });
  await assertRejects(() => failing, RangeError, "the handler's own");

  {
    await using shard = newShard();
    void shard.run(() => {});
    await until("live", () => shard.status.state === "live");
  }
  await until("the fake has seen all of them go", () => discord.connections.length === 0);
  assertEquals(discord.journal.of("close").map(({ code }) => code), [4200, 4200, 4200, 4200]);
});

Deno.test("leaks: a shard closed before it was ever used, and while its first promise is due", async () => {
  const discord = new FakeDiscord();
  const { token, dial, fetch } = discord;
  const unused = new Shard({ token, dial, fetch, events: ["READY"] });
  await unused.close();
  for await (const event of unused) throw new Error(`It is closed: ${event.t}`);

  const early = new Shard({ token, dial, fetch, events: ["READY"] });
  const running = early.run(() => {});
  await early.close();
  await running;
  assertEquals(discord.connections.length, 0);
});

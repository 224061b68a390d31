import { assert, assertEquals } from "@std/assert";
import { VirtualBot } from "../../../durable_object/virtual_bot.ts";

interface JsonResponse {
  readonly status: number;
  readonly body: Record<string, unknown> & {
    readonly error?: { readonly code: string; readonly message: string };
  };
}

async function ask(object: VirtualBot, method: string, path: string, body?: unknown): Promise<JsonResponse> {
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  const request = new Request(`https://bot.invalid${path}`, {
    method,
    ...(text !== undefined && { body: text }),
  });
  const responding = object.host.fetch(request);
  await object.clock.advance(100);
  const response = await responding;
  return { status: response.status, body: await response.json() };
}

Deno.test("shard host over HTTP: start, status, send, stop", async () => {
  const object = new VirtualBot();
  const started = await ask(object, "POST", "/bots/7/start", { shard: [1, 2] });
  assertEquals([started.status, started.body.running, started.body.shard], [200, true, [1, 2]]);
  assertEquals((await ask(object, "GET", "/bots/7/status")).body.state, "live");
  assertEquals(await ask(object, "POST", "/send", { op: 31, d: { guild_ids: ["1"] } }), {
    status: 200,
    body: {},
  });
  assertEquals(object.discord.journal.of("frame").at(-1)?.d, { guild_ids: ["1"] });

  const { commands } = (await ask(object, "GET", "/status")).body;
  assert(typeof commands === "object" && commands !== null && "limit" in commands && "waiting" in commands);
  assertEquals([commands.limit, commands.waiting], [120, 0]);

  const stopped = await ask(object, "POST", "/stop", { keepSession: true });
  assertEquals([stopped.status, stopped.body.state], [200, "stopped"]);
  assertEquals(object.discord.sessions.length, 1);
  assertEquals((await ask(object, "POST", "/start")).body.shard, [1, 2]);
  assertEquals((await ask(object, "POST", "/stop")).status, 200);
  assertEquals(object.discord.sessions.length, 0);
});

Deno.test("shard host over HTTP: every failure is JSON with a code and the matching status", async () => {
  const object = new VirtualBot({ sendDeadlineMs: 50 });
  const command = { op: 31, d: { guild_ids: ["1"] } };
  const expected = [
    ["POST", "/send", command, 503, "ERR_SHARD_HOST_STOPPED"],
    ["GET", "/", undefined, 404, "ERR_REQUEST"],
    ["GET", "/constructor", undefined, 404, "ERR_REQUEST"],
    ["GET", "/send", undefined, 405, "ERR_REQUEST"],
    ["POST", "/status", undefined, 405, "ERR_REQUEST"],
    ["POST", "/send", "{ half", 400, "ERR_REQUEST"],
    ["POST", "/send", "[]", 400, "ERR_REQUEST"],
    ["POST", "/send", undefined, 400, "ERR_COMMAND_INVALID"],
    ["POST", "/send", { op: 2, d: {} }, 400, "ERR_COMMAND_INVALID"],
    ["POST", "/send", { op: 8, d: { query: "x".repeat(5_000) } }, 400, "ERR_PAYLOAD_TOO_LARGE"],
    ["POST", "/start", { shard: 7 }, 400, "ERR_REQUEST"],
  ] as const;
  for (const [method, path, body, status, code] of expected) {
    const response = await ask(object, method, path, body);
    assertEquals([response.status, response.body.error?.code], [status, code], `${method} ${path} ${body}`);
    assert(response.body.error?.message);
  }
  assertEquals((await ask(object, "POST", "/start", { shard: [2, 2] })).status, 400);

  object.discord.faults.silentReady = 1;
  await ask(object, "POST", "/start");
  const late = await ask(object, "POST", "/send", command);
  assertEquals([late.status, late.body.error?.code], [504, "ERR_SHARD_HOST_DEADLINE"]);
  await object.end();
});

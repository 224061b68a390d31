import { assertEquals, assertRejects } from "@std/assert";
import { DialError } from "../../../shard/pipe/dial.ts";
import { GATEWAY_URL, RawClient, RESUME_URL, Stage } from "../../raw_client.ts";

Deno.test("memory: nothing arrives in the turn in which it was sent", async () => {
  const stage = new Stage();
  const client = new RawClient(await stage.discord.dial(GATEWAY_URL), stage.discord.token);
  await stage.settle();
  client.send(1, null);
  assertEquals(client.heard, ["op 10"]);
  await stage.settle();
  assertEquals(client.heard, ["op 10", "op 11"]);
});

Deno.test("memory: HELLO waits for whoever attaches late", async () => {
  const stage = new Stage();
  const connection = await stage.discord.dial(GATEWAY_URL);
  await stage.settle();
  const client = new RawClient(connection, stage.discord.token);
  assertEquals(client.heard, ["op 10"]);
});

Deno.test("memory: between two frames the client has turns to handle the first", async () => {
  const stage = new Stage();
  const connection = await stage.discord.dial(GATEWAY_URL);
  const log: string[] = [];
  connection.attach({
    frame: (frame) => {
      const { op, s } = JSON.parse(String(frame));
      void (async () => {
        for (let turn = 0; turn < 5; turn++) await null;
        log.push(`${op} ${s}`);
      })();
      log.push("frame");
    },
    end: () => {},
  });
  connection.send(JSON.stringify({ op: 2, d: { token: stage.discord.token, intents: 1, properties: {} } }));
  await stage.settle();
  assertEquals(log, ["frame", "10 null", "frame", "0 1", "frame", "0 2"]);
});

Deno.test("memory: a dial is rejected with the given statuses, one each", async () => {
  const stage = new Stage();
  stage.discord.faults.rejectDials = [520, 503];
  const error = await assertRejects(() => stage.dial(), DialError, "HTTP 520");
  assertEquals(error.code, "ERR_DIAL_FAILED");
  await assertRejects(() => stage.dial(), DialError, "HTTP 503");
  await stage.dial();
  assertEquals(stage.discord.journal.dials().map(({ outcome, status }) => [outcome, status]), [
    ["rejected", 520],
    ["rejected", 503],
    ["open", undefined],
  ]);
});

Deno.test("memory: a black hole ends by the deadline, or by the signal, and leaves no timer", async () => {
  const stage = new Stage();
  stage.discord.faults.blackHoleDials = 2;
  let error: unknown;
  void stage.discord.dial(GATEWAY_URL, { deadlineMs: 10_000 }).catch((reason) => error = reason);
  await stage.clock.advance(9999);
  assertEquals(error, undefined);
  await stage.clock.advance(1);
  assertEquals(error instanceof DialError && error.code, "ERR_DIAL_TIMEOUT");

  const controller = new AbortController();
  void stage.discord.dial(GATEWAY_URL, { signal: controller.signal }).catch((reason) => error = reason);
  await stage.settle();
  controller.abort();
  await stage.settle();
  assertEquals(error instanceof DialError && error.code, "ERR_DIAL_ABORTED");
  assertEquals(stage.clock.pending, 0);
  await stage.dial();
});

Deno.test("memory: an aborted signal or no URL opens nothing", async () => {
  const stage = new Stage();
  const signal = AbortSignal.abort();
  await assertRejects(() => stage.discord.dial(GATEWAY_URL, { signal }), DialError, "aborted");
  await assertRejects(() => stage.discord.dial("no url"), DialError, "no URL");
  assertEquals(stage.discord.journal.entries, []);
});

Deno.test("memory: what was sent before a cut or a close arrives, then the end", async () => {
  const stage = new Stage();
  for (const end of ["cut", "close"] as const) {
    const client = await stage.dial();
    const connection = stage.discord.connections.at(-1);
    connection?.requestHeartbeat();
    if (end === "cut") connection?.drop();
    else connection?.close(4000, "bye");
    await stage.settle();
    assertEquals(client.heard, ["op 10", "op 1"]);
    assertEquals(client.end, {
      code: end === "cut" ? null : 4000,
      reason: end === "cut" ? "" : "bye",
      by: "remote",
    });
  }
});

Deno.test("memory: what is under way is lost when the client closes", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 512 });
  stage.discord.flood(100);
  client.connection.close(4200);
  await stage.settle();
  assertEquals(client.bodies("MESSAGE_CREATE").length, 0);
  const next = await stage.dial(RESUME_URL);
  next.resume(client.frames[1]?.d.session_id, 1);
  await stage.settle();
  assertEquals(next.bodies("MESSAGE_CREATE").length, 100);
});

Deno.test("memory: a stalled connection neither reads nor sends nor hears a close, and its session goes on", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 512 });
  const [connection] = stage.discord.connections;
  connection?.stall();
  client.send(1, 1);
  stage.discord.flood(3);
  connection?.close(4000);
  await stage.settle();
  assertEquals([client.heard.length, client.end], [2, null]);
  const stalled = await stage.dial(RESUME_URL);
  stalled.resume(client.frames[1]?.d.session_id, 1);
  await stage.settle();
  assertEquals(stalled.heard.slice(1), Array(3).fill("MESSAGE_CREATE").concat("RESUMED"));
});

Deno.test("memory: a close with 1000 on a stalled connection does not arrive, so the session stays", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  stage.discord.connections[0]?.stall();
  await stage.clock.advance(3_600_000);
  assertEquals([client.end, stage.clock.pending], [null, 0]);
  client.connection.close(1000);
  assertEquals([stage.discord.connections.length, stage.discord.sessions.length], [0, 1]);
});

Deno.test("memory: 100,000 messages arrive once and in order, and the journal stays small", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 512 | 32_768 });
  stage.discord.flood(100_000, { size: 600 });
  await stage.settle();
  assertEquals(client.texts.length, 100_002);
  const numbers = client.texts.slice(2).map((text) => Number(/"s":(\d+)/.exec(text)?.[1]));
  assertEquals(numbers.every((s, index) => s === index + 2), true);
  assertEquals(new Set(client.texts.slice(2).map((text) => JSON.parse(text).d.id)).size, 100_000);
  assertEquals((client.texts.at(-1)?.length ?? 0) > 600, true);
  assertEquals(stage.discord.journal.sent("MESSAGE_CREATE"), 100_000);
  assertEquals(stage.discord.journal.entries.length < 10, true);
});

import { assert, assertEquals } from "@std/assert";
import type { Platform } from "../../../shard/pipe/platform.ts";
import { EVERY_INTENT, GATEWAY_URL, RawClient, Stage } from "../../raw_client.ts";
import { FakeDiscord } from "../../fake/fake_discord.ts";
import { VirtualClock } from "../../fake/base/virtual_clock.ts";

Deno.test("gateway: HELLO comes first, with the heartbeat interval and a trace", async () => {
  const stage = new Stage({ heartbeatInterval: 45_000 });
  const client = await stage.dial();
  const [hello] = client.frames;
  assertEquals(client.frames.length, 1);
  assertEquals([hello?.op, hello?.d.heartbeat_interval, hello?.s, hello?.t], [10, 45_000, null, null]);
  assert(Array.isArray(hello?.d._trace));
});

Deno.test("gateway: frames have their keys in Discord's order", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 1 });
  for (const text of client.texts) assertEquals(Object.keys(JSON.parse(text)), ["t", "s", "op", "d"]);
  assert(client.texts[1]?.startsWith('{"t":"READY","s":1,"op":0,"d":{"v":10,'));
});

Deno.test("gateway: a URL without v=10 is closed with 4012", async () => {
  const stage = new Stage();
  for (const query of ["encoding=json", "v=9&encoding=json", "v=&encoding=json"]) {
    const client = await stage.dial(`wss://gateway.discord.gg/?${query}`);
    assertEquals([client.end?.code, client.frames.length], [4012, 0], query);
  }
});

Deno.test("gateway: a URL without encoding=json, or with a compression, is closed with 4002", async () => {
  const stage = new Stage();
  for (const query of ["v=10", "v=10&encoding=etf", "v=10&encoding=json&compress=zlib-stream"]) {
    const client = await stage.dial(`wss://gateway.discord.gg/?${query}`);
    assertEquals([client.end?.code, client.frames.length], [4002, 0], query);
  }
});

Deno.test("gateway: a heartbeat is acknowledged, also before IDENTIFY", async () => {
  const stage = new Stage();
  const client = await stage.dial();
  client.send(1, null);
  await stage.settle();
  assertEquals(client.heard, ["op 10", "op 11"]);
  assertEquals(client.texts[1], '{"t":null,"s":null,"op":11,"d":null}');
});

Deno.test("gateway: a heartbeat with a bad body is closed with 4001", async () => {
  for (const d of ["1", -1, 1.5, true, {}, undefined]) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.send(1, d)), 4001, `${d}`);
  }
});

Deno.test("gateway: a heartbeat with a sequence number beyond the session's is noted", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  client.send(1, 1);
  client.send(1, 156_356);
  await stage.settle();
  assertEquals(client.end, null);
  assertEquals(stage.discord.journal.violations().map(({ code }) => code), [null]);
});

Deno.test("gateway: a client that is silent for one and a half intervals is cut without a close code", async () => {
  const stage = new Stage();
  const client = await stage.dial();
  await stage.clock.advance(1.5 * 41_250 - 1);
  assertEquals(client.end, null);
  await stage.clock.advance(1);
  assertEquals([client.end?.code, client.end?.by], [null, "remote"]);
  assertEquals(stage.discord.journal.violations().length, 1);
  assertEquals(stage.clock.pending, 0);
});

Deno.test("gateway: a client that heartbeats in time stays for three hours, and leaves no timer behind", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  for (let heartbeats = 0; heartbeats < 3 * 3_600_000 / 41_250; heartbeats++) {
    await stage.clock.advance(41_250);
    client.send(1, client.lastSequence);
  }
  await stage.settle();
  assertEquals(client.end, null);
  assertEquals(stage.discord.journal.violations(), []);
  client.connection.close(4200);
  assertEquals(stage.clock.pending, 0);
});

Deno.test("gateway: anything but IDENTIFY, RESUME and heartbeats before a session is closed with 4003", async () => {
  for (const op of [0, 3, 4, 7, 8, 10, 31, 43, 99]) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.send(op, {})), 4003, `op ${op}`);
  }
});

Deno.test("gateway: an unknown opcode, or one that only the server sends, is closed with 4001", async () => {
  for (const op of [0, 5, 7, 9, 10, 11, 12, 36, 40, 44, 99]) {
    const stage = new Stage();
    const client = await stage.identified();
    assertEquals(await stage.closeCodeAfter(client, () => client.send(op, {})), 4001, `op ${op}`);
  }
});

Deno.test("gateway: what is no JSON object with an op is closed with 4002", async () => {
  for (const text of ["", "{", "null", "[]", "1", '"op"', "{}", '{"op":"1"}', '{"op":1.5}', '{"op":-1}']) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.connection.send(text)), 4002, text);
    assertEquals(client.end?.reason, "Error while decoding payload.");
  }
});

Deno.test("gateway: a frame of 4096 bytes is taken, one of 4097 is closed with 4002, counted in UTF-8", async () => {
  const frame = (bytes: number, letter: string) => {
    const empty = '{"op":1,"d":null,"x":""}';
    const room = bytes - empty.length;
    const filling = letter.repeat(Math.floor(room / new TextEncoder().encode(letter).length));
    return empty.replace('""', JSON.stringify(filling)).padEnd(
      bytes - filling.length * (letter === "é" ? 1 : 0),
    );
  };
  for (const letter of ["x", "é"]) {
    const stage = new Stage();
    const client = await stage.dial();
    const fits = frame(4096, letter);
    assertEquals(new TextEncoder().encode(fits).length, 4096);
    assertEquals(await stage.closeCodeAfter(client, () => client.connection.send(fits)), undefined, letter);
    assertEquals(await stage.closeCodeAfter(client, () => client.connection.send(frame(4097, letter))), 4002);
  }
});

Deno.test("gateway: 120 frames in 60 s are taken and the next is closed with 4008", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  for (let sent = 1; sent < 120; sent++) client.send(3, PRESENCE);
  await stage.settle();
  assertEquals(client.end, null);
  await stage.clock.advance(59_999);
  assertEquals(await stage.closeCodeAfter(client, () => client.send(1, null)), 4008);
});

Deno.test("gateway: frames leave the window of 60 s one by one, and heartbeats count too", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  await stage.clock.advance(30_000);
  for (let sent = 1; sent < 120; sent++) client.send(1, null);
  await stage.clock.advance(30_000);
  client.send(1, null);
  await stage.settle();
  assertEquals(client.end, null);
  assertEquals(await stage.closeCodeAfter(client, () => client.send(1, null)), 4008);
});

Deno.test("gateway: a new connection has a budget of its own", async () => {
  const stage = new Stage();
  const first = await stage.identified();
  for (let sent = 1; sent < 120; sent++) first.send(1, null);
  const second = await stage.dial();
  assertEquals(await stage.closeCodeAfter(second, () => second.send(1, null)), undefined);
});

Deno.test("gateway: op 1 from the server has a null body, and a heartbeat in answer is acknowledged", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  stage.discord.connections[0]?.requestHeartbeat();
  await stage.settle();
  assertEquals(client.texts.at(-1), '{"t":null,"s":null,"op":1,"d":null}');
});

Deno.test("gateway: a client that ignores op 7 is closed with 4000 after 5 s, and its session stays", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  stage.discord.connections[0]?.reconnect();
  await stage.clock.advance(4999);
  assertEquals([client.heard.at(-1), client.end], ["op 7", null]);
  await stage.clock.advance(1);
  assertEquals(client.end?.code, 4000);
  assertEquals(stage.discord.sessions.length, 1);
});

Deno.test("gateway: op 9 is true, false or without a body, and only true keeps the session", async () => {
  const cases: [boolean | undefined, string, number][] = [
    [true, '{"t":null,"s":null,"op":9,"d":true}', 1],
    [false, '{"t":null,"s":null,"op":9,"d":false}', 0],
    [undefined, '{"t":null,"s":null,"op":9}', 0],
  ];
  for (const [resumable, text, sessions] of cases) {
    const stage = new Stage();
    const client = await stage.identified();
    stage.discord.connections[0]?.invalidateSession(resumable);
    await stage.settle();
    assertEquals([client.texts.at(-1), stage.discord.sessions.length, client.end], [text, sessions, null]);
    // The socket stays open for whoever starts again on it, and for nothing else.
    assertEquals(await stage.closeCodeAfter(client, () => client.send(3, PRESENCE)), 4003);
  }
});

Deno.test("gateway: after op 9 the same socket may identify or resume again", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  const [session] = stage.discord.sessions;
  stage.discord.connections[0]?.invalidateSession(true);
  client.resume(session?.id ?? "", 1);
  await stage.settle();
  assertEquals(client.heard.at(-1), "RESUMED");
  stage.discord.connections[0]?.invalidateSession(false);
  await stage.clock.advance(5000);
  client.identify();
  await stage.settle();
  assertEquals(client.heard.at(-1), "READY");
  assertEquals(client.end, null);
});

Deno.test("gateway: a close by the test carries Discord's reason, or another", async () => {
  const stage = new Stage();
  const first = await stage.dial();
  stage.discord.connections[0]?.close(4008);
  const second = await stage.dial();
  stage.discord.connections[0]?.close(1011, "internal error");
  await stage.settle();
  assertEquals(first.end, { code: 4008, reason: "Rate limited.", by: "remote" });
  assertEquals(second.end, { code: 1011, reason: "internal error", by: "remote" });
});

Deno.test("gateway: which closes by the server end the session", async () => {
  const ends = [4001, 4003, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014];
  const keeps = [1000, 1001, 1011, 4000, 4002, 4005, 4008];
  for (const code of [...ends, ...keeps]) {
    const stage = new Stage();
    await stage.identified();
    stage.discord.connections[0]?.close(code);
    assertEquals(stage.discord.sessions.length, ends.includes(code) ? 0 : 1, `${code}`);
  }
});

Deno.test("gateway: nothing that comes after the end has an effect", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  const [connection] = stage.discord.connections;
  connection?.drop();
  connection?.drop();
  connection?.close(4000);
  connection?.hello();
  connection?.sendRaw("{}");
  connection?.invalidateSession(false);
  await stage.settle();
  assertEquals([connection?.open, client.end?.code, stage.discord.sessions.length], [false, null, 1]);
  assertEquals(stage.discord.journal.of("close").length, 1);
});

Deno.test("gateway: HELLO can come twice, and any text can be sent", async () => {
  const stage = new Stage();
  const client = await stage.dial();
  const [connection] = stage.discord.connections;
  connection?.hello();
  connection?.sendRaw('{"op":45,"d":1}');
  await stage.settle();
  assertEquals(client.heard, ["op 10", "op 10", "op 45"]);
});

Deno.test("gateway: a connection tells its id, URL, shard and session", async () => {
  const stage = new Stage({ maxConcurrency: 2 });
  await stage.dial();
  await stage.identified({ shard: [1, 4], intents: EVERY_INTENT });
  const [first, second] = stage.discord.connections;
  assertEquals([first?.id, first?.url, first?.shard, first?.session], [1, GATEWAY_URL, undefined, undefined]);
  assertEquals([second?.id, second?.shard, second?.session?.intents], [2, [1, 4], EVERY_INTENT]);
});

const PRESENCE = { since: null, activities: [], status: "online", afk: false };

Deno.test("gateway: the window of the frame limit may be shorter than Discord's", async () => {
  const stage = new Stage({ commandPeriodMs: 1_000 });
  const client = await stage.identified();
  const command = () => client.send(31, { guild_ids: ["1"] });
  for (let n = 0; n < 119; n++) command();
  await stage.clock.advance(1_000);
  for (let n = 0; n < 120; n++) command();
  assertEquals(stage.discord.journal.violations(), []);
  command();
  assertEquals(stage.discord.journal.violations().map(({ code, rule }) => [code, rule]), [
    [4008, "at most 120 frames in any 1 s"],
  ]);
});

for (const heartbeats of [true, false]) {
  const what = heartbeats ? "counts a heartbeat that waited to be read" : "still cuts who sent none";
  Deno.test(`gateway: a fake whose own process was stalled ${what}`, async () => {
    const clock = new VirtualClock();
    let holdUpMs = 0;
    const platform: Platform = {
      now: () => clock.now(),
      random: () => clock.random(),
      clearTimeout: (timer) => clock.clearTimeout(timer),
      setTimeout: (callback, delayMs) => clock.setTimeout(callback, delayMs + holdUpMs),
    };
    const discord = new FakeDiscord({ clock: platform, heartbeatInterval: 10_000 });
    holdUpMs = 20_000;
    const client = new RawClient(await discord.dial(GATEWAY_URL), discord.token);
    client.identify();
    // Everybody is late at 15 s; the timer fires at 35 s.
    await clock.advance(34_999);
    holdUpMs = 0;
    await clock.advance(1);
    assertEquals(discord.connections.length, 1);
    if (heartbeats) client.send(1, null);
    await clock.advance(1_000);
    assertEquals(discord.connections.length, heartbeats ? 1 : 0);
    await discord.close();
    assertEquals(clock.pending, 0);
  });
}

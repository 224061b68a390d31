/** `dial()` over real sockets: against the fake on a port, and against servers that misbehave. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import NodeWebSocket from "ws";
import { type ConnectionEnd, dial, DialError, type Frame } from "../../shard/mod.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { encodeText } from "../fake/net/web_socket_frames.ts";
import { RawServer } from "./raw_server.ts";
import { RecordedSockets } from "./recorded_sockets.ts";
import { promisesSettle, until } from "./until.ts";

const HELLO = '{"t":null,"s":null,"op":10,"d":{"heartbeat_interval":41250}}';

/** Takes everything that comes out of a connection. */
class Taken {
  readonly frames: Frame[] = [];
  readonly ends: ConnectionEnd[] = [];

  frame(frame: Frame): void {
    this.frames.push(frame);
  }

  end(end: ConnectionEnd): void {
    this.ends.push(end);
  }
}

Deno.test("dial: frames in the same segment as the 101 are not lost, however late somebody listens", async () => {
  await using sockets = new RecordedSockets();
  let written = false;
  using server = new RawServer(async (connection) => {
    const [hello = new Uint8Array()] = encodeText(HELLO);
    const acceptance = await connection.acceptance();
    const both = new Uint8Array(acceptance.length + hello.length);
    both.set(acceptance);
    both.set(hello, acceptance.length);
    await connection.write(both);
    await connection.write(encodeText("second").at(0) ?? new Uint8Array());
    written = true;
    await connection.listen();
  });
  const connection = await dial(server.url, sockets);
  await until("both are under way", () => written);
  const taken = new Taken();
  connection.attach(taken);
  await until("both frames", () => taken.frames.length === 2);
  assertEquals(taken.frames, [HELLO, "second"]);
  connection.close(4200);
  server.connections[0]?.end();
});

Deno.test("dial: the fake's HELLO is not lost, coalesced with the 101 or cut into pieces", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  for (const fault of ["coalesceHello", "splitFrames"] as const) {
    await using sockets = new RecordedSockets();
    discord.faults[fault] = true;
    const connection = await dial(`${gatewayUrl}/?v=10&encoding=json`, sockets);
    const taken = new Taken();
    connection.attach(taken);
    await until("HELLO", () => taken.frames.length === 1);
    assertEquals(JSON.parse(String(taken.frames[0])).op, 10);
    connection.close(1000);
    discord.faults[fault] = false;
  }
});

Deno.test("dial: bytes arrive as a Uint8Array at once: binaryType is set before anything comes", async () => {
  await using sockets = new RecordedSockets();
  using server = new RawServer(async (connection) => {
    await connection.accept();
    await connection.write(new Uint8Array([0x82, 3, 1, 2, 3]));
    await connection.write(encodeText("then text").at(0) ?? new Uint8Array());
  });
  const connection = await dial(server.url, sockets);
  const taken = new Taken();
  connection.attach(taken);
  await until("both frames", () => taken.frames.length === 2);
  assertInstanceOf(taken.frames[0], Uint8Array);
  assertEquals(taken.frames, [new Uint8Array([1, 2, 3]), "then text"]);
  assertEquals(sockets.sockets.map(({ binaryType }) => binaryType), ["arraybuffer"]);
  connection.close(4200);
  server.connections[0]?.end();
});

Deno.test("dial: the server's close code and reason arrive", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  for (const code of [4004, 1000, 1001, 4999]) {
    await using sockets = new RecordedSockets();
    const connection = await dial(`${gatewayUrl}/?v=10&encoding=json`, sockets);
    await until("the fake knows it", () => discord.connections.length === 1);
    discord.connections[0]?.close(code, `reason ${code}`);
    assertEquals(await connection.closed, { code, reason: `reason ${code}`, by: "remote" });
  }
});

Deno.test("dial: a cut is an end without a code, in the middle of a frame as well", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  for (const midFrame of [false, true]) {
    await using sockets = new RecordedSockets();
    const connection = await dial(`${gatewayUrl}/?v=10&encoding=json`, sockets);
    await until("the fake knows it", () => discord.connections.length === 1);
    discord.connections[0]?.drop({ midFrame });
    const { code, by } = await connection.closed;
    assertEquals({ code, by }, { code: null, by: "remote" });
    await assertRejects(async () => await connection.send("too late"), Error, "the connection has ended");
  }
});

Deno.test("dial: split frames come out whole, with characters cut in the middle [case 24]", async () => {
  await using discord = new FakeDiscord();
  discord.faults.splitFrames = true;
  const { gatewayUrl } = await discord.listen();
  await using sockets = new RecordedSockets();
  const connection = await dial(`${gatewayUrl}/?v=10&encoding=json`, sockets);
  const taken = new Taken();
  connection.attach(taken);
  const texts = ["", "a", "é", "👩‍👩‍👧‍👧".repeat(7), "x".repeat(125), "€".repeat(42), "y".repeat(70_000)];
  await until("the fake knows it", () => discord.connections.length === 1);
  for (const text of texts) discord.connections[0]?.sendRaw(text);
  await until("every frame", () => taken.frames.length === texts.length + 1);
  assertEquals(taken.frames.slice(1), texts);
  connection.close(1000);
});

Deno.test("dial: frames of 1 MB and 20 MB arrive whole", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  await using sockets = new RecordedSockets();
  const connection = await dial(`${gatewayUrl}/?v=10&encoding=json`, sockets);
  const taken = new Taken();
  connection.attach(taken);
  await until("the fake knows it", () => discord.connections.length === 1);
  const texts = [1, 20].map((megabytes) => `${megabytes}`.padEnd(megabytes * 1_000_000, "é"));
  for (const text of texts) discord.connections[0]?.sendRaw(text);
  await until("both frames", () => taken.frames.length === 3);
  // Not assertEquals: it would print them.
  assert(taken.frames[1] === texts[0] && taken.frames[2] === texts[1]);
  connection.close(1000);
});

Deno.test("dial: a peer that never answers a close delays nothing", async () => {
  await using sockets = new RecordedSockets();
  using server = new RawServer((connection) => connection.accept());
  const connection = await dial(server.url, sockets);
  let end: ConnectionEnd | undefined;
  void connection.closed.then((value) => end = value);
  connection.close(4200, "we leave");
  await promisesSettle();
  assertEquals(end, { code: 4200, reason: "we leave", by: "local" });
  await until("the close frame is out", () => server.connections[0]?.received.length === 1);
  assertEquals(server.connections[0]?.received, [{ type: "close", code: 4200, reason: "we leave" }]);
  // The socket waits for a response that never comes; nobody waits with it.
  assertEquals(sockets.sockets[0]?.readyState, WebSocket.CLOSING);
  server.connections[0]?.end();
});

Deno.test("dial: frames that come after our close go nowhere [case 18]", async () => {
  await using sockets = new RecordedSockets();
  using server = new RawServer((connection) => connection.accept());
  const connection = await dial(server.url, sockets);
  const taken = new Taken();
  connection.attach(taken);
  connection.close(4200);
  for (const frame of encodeText("late")) await server.connections[0]?.write(frame);
  await server.connections[0]?.writeClose(4004);
  await until("the socket has closed", () => sockets.sockets[0]?.readyState === WebSocket.CLOSED);
  assertEquals(taken.frames, []);
  assertEquals(taken.ends, [{ code: 4200, reason: "", by: "local" }]);
});

Deno.test("dial: npm's ws works as an injected constructor", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  const url = `${gatewayUrl}/?v=10&encoding=json`;
  const connection = await dial(url, { WebSocket: NodeWebSocket });
  const taken = new Taken();
  connection.attach(taken);
  await until("HELLO", () => taken.frames.length === 1);
  connection.send('{"op":1,"d":null}');
  await until("the acknowledgement", () => taken.frames.length === 2);
  discord.connections[0]?.close(4009);
  assertEquals((await connection.closed).code, 4009);

  discord.faults.rejectDials.push(503);
  const error = await assertRejects(() => dial(url, { WebSocket: NodeWebSocket }), DialError, "503");
  assertStrictEquals(error.code, "ERR_DIAL_FAILED");
});

/** `dial()` when it fails: every way ends in a typed error, by its deadline, and leaves nothing open. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type ConnectionEnd,
  dial,
  DialError,
  type WebSocketDialOptions,
  type WebSocketLike,
} from "../../shard/mod.ts";
import { FakeDiscord, VirtualClock } from "../fake/mod.ts";
import { RawServer } from "./raw_server.ts";
import { RecordedSockets } from "./recorded_sockets.ts";
import { promisesSettle, until } from "./until.ts";

async function failedDial(url: string, options: WebSocketDialOptions): Promise<DialError> {
  return await assertRejects(() => dial(url, options), DialError, "Cannot dial: ");
}

Deno.test("dial failure: a refused connection", async () => {
  await using sockets = new RecordedSockets();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const error = await failedDial(`ws://127.0.0.1:${port}/`, sockets);
  assertStrictEquals(error.code, "ERR_DIAL_FAILED");
  assert(error.cause instanceof Error);
});

Deno.test("dial failure: a host that nobody knows, and a URL that is none", async () => {
  await using sockets = new RecordedSockets();
  assertStrictEquals((await failedDial("ws://gateway.invalid/", sockets)).code, "ERR_DIAL_FAILED");
  assertStrictEquals((await failedDial("no url", sockets)).code, "ERR_DIAL_FAILED");
  assertStrictEquals((await failedDial("ws://127.0.0.1/#fragment", sockets)).code, "ERR_DIAL_FAILED");
});

Deno.test("dial failure: HTTP 503, 520 and 401 instead of the 101", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  for (const status of [503, 520, 401]) {
    await using sockets = new RecordedSockets();
    discord.faults.rejectDials.push(status);
    const error = await failedDial(`${gatewayUrl}/?v=10&encoding=json`, sockets);
    assertStrictEquals(error.code, "ERR_DIAL_FAILED");
    assert(error.message.includes(`${status}`), error.message);
  }
  assertEquals(discord.journal.dials().map(({ outcome, status }) => [outcome, status]), [
    ["rejected", 503],
    ["rejected", 520],
    ["rejected", 401],
  ]);
});

Deno.test("dial failure: TCP is cut in the middle of the handshake, or answers rubbish", async () => {
  for (const answer of ["", "HTTP/1.1 101 Swit", "SSH-2.0-OpenSSH_9.2\r\n\r\n"]) {
    await using sockets = new RecordedSockets();
    using server = new RawServer(async (connection) => {
      await connection.request();
      await connection.write(new TextEncoder().encode(answer));
      connection.end();
    });
    assertStrictEquals((await failedDial(server.url, sockets)).code, "ERR_DIAL_FAILED");
  }
});

Deno.test("dial failure: a black hole ends by its deadline and leaves no connection behind [case 1]", async () => {
  await using sockets = new RecordedSockets();
  using server = new RawServer(async (connection) => {
    await connection.request();
    await connection.listen();
  });
  const clock = new VirtualClock();
  const dialing = dial(server.url, { WebSocket: sockets.WebSocket, clock, deadlineMs: 7_000 });
  const failure = assertRejects(() => dialing, DialError, "no response within 7000 ms");
  await until("the server has it", () => server.connections.length === 1);
  await clock.advance(6_999);
  assertEquals(sockets.closeCalls, []);
  await clock.advance(1);
  assertStrictEquals((await failure).code, "ERR_DIAL_TIMEOUT");
  assertEquals(sockets.closeCalls.map(({ code }) => code), [4200]);
  await until("the connection is given up", () => server.connections[0]?.gone === true);
});

Deno.test("dial failure: the fake's black hole, by the runtime's own clock", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  await using sockets = new RecordedSockets();
  discord.faults.blackHoleDials = 1;
  const error = await failedDial(`${gatewayUrl}/`, { ...sockets, deadlineMs: 50 });
  assertStrictEquals(error.code, "ERR_DIAL_TIMEOUT");
});

Deno.test("dial failure: an abort gives the dial up at once, before and during the handshake [case 2]", async () => {
  await using sockets = new RecordedSockets();
  using server = new RawServer(async (connection) => {
    await connection.request();
    await connection.listen();
  });
  const early = await failedDial(server.url, { ...sockets, signal: AbortSignal.abort("too late") });
  assertEquals([early.code, early.cause], ["ERR_DIAL_ABORTED", "too late"]);
  assertEquals(sockets.sockets.length, 0);

  const controller = new AbortController();
  const dialing = dial(server.url, { ...sockets, signal: controller.signal });
  const failure = assertRejects(() => dialing, DialError);
  await until("the server has it", () => server.connections.length === 1);
  const reason = new Error("we changed our minds");
  controller.abort(reason);
  const error = await failure;
  assertEquals([error.code, error.cause], ["ERR_DIAL_ABORTED", reason]);
  await until("the connection is given up", () => server.connections[0]?.gone === true);
});

Deno.test("dial failure: an abort after the handshake has no effect", async () => {
  await using discord = new FakeDiscord();
  const { gatewayUrl } = await discord.listen();
  await using sockets = new RecordedSockets();
  const controller = new AbortController();
  const connection = await dial(`${gatewayUrl}/?v=10&encoding=json`, {
    ...sockets,
    signal: controller.signal,
  });
  controller.abort();
  await until("the fake knows it", () => discord.connections.length === 1);
  connection.send('{"op":1,"d":null}');
  await until("the heartbeat", () => discord.journal.heartbeats().length === 1);
  connection.close(1000);
});

Deno.test("dial failure: without a global WebSocket it says what to do", async () => {
  const { WebSocket } = globalThis;
  Reflect.deleteProperty(globalThis, "WebSocket");
  try {
    await assertRejects(
      () => dial("ws://127.0.0.1/"),
      TypeError,
      "Cannot dial: this runtime has no global WebSocket, pass one in the options",
    );
  } finally {
    Object.defineProperty(globalThis, "WebSocket", { value: WebSocket, configurable: true, writable: true });
  }
});

/** A socket whose events come when the test says, in whatever order a runtime may think of. */
class ScriptedSocket implements WebSocketLike {
  static last: ScriptedSocket;
  binaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onerror: ((event: { message?: unknown; error?: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  readonly closed: number[] = [];

  constructor(url: string) {
    if (url === "") throw new SyntaxError("no URL");
    ScriptedSocket.last = this;
  }

  send(): void {}

  close(code = 1005): void {
    this.closed.push(code);
  }
}

Deno.test("dial failure: of error and close the first wins, in both orders, in both phases [case 8]", async () => {
  const cut = new Error("cut");
  for (const order of ["error first", "close first"]) {
    const events = (socket: ScriptedSocket) => {
      const { onerror, onclose } = socket;
      const error = () => onerror?.({ message: "cut", error: cut });
      const close = () => onclose?.({ code: 4009, reason: "bye" });
      return order === "error first" ? [error, close] : [close, error];
    };
    const failing = dial("ws://a/", { WebSocket: ScriptedSocket });
    for (const event of events(ScriptedSocket.last)) event();
    const failure = await assertRejects(() => failing, DialError);
    assertEquals(failure.message, order === "error first" ? "Cannot dial: cut" : "Cannot dial: bye");

    const dialing = dial("ws://a/", { WebSocket: ScriptedSocket });
    ScriptedSocket.last.onopen?.();
    const connection = await dialing;
    const ends: ConnectionEnd[] = [];
    connection.attach({ frame: () => {}, end: (end) => ends.push(end) });
    for (const event of events(ScriptedSocket.last)) event();
    assertEquals(ends, [
      order === "error first"
        ? { code: null, reason: "cut", by: "remote", error: cut }
        : { code: 4009, reason: "bye", by: "remote" },
    ]);
  }
});

Deno.test("dial failure: codes 0, 1005 and 1006 are no codes", async () => {
  for (const code of [0, 1005, 1006]) {
    const dialing = dial("ws://a/", { WebSocket: ScriptedSocket });
    ScriptedSocket.last.onopen?.();
    const connection = await dialing;
    ScriptedSocket.last.onclose?.({ code, reason: "" });
    assertEquals((await connection.closed).code, null);
  }
});

Deno.test("dial failure: late events of a socket that was given up have no effect [case 11]", async () => {
  const dialing = dial("ws://a/", { WebSocket: ScriptedSocket });
  const socket = ScriptedSocket.last;
  socket.onopen?.();
  const connection = await dialing;
  const taken: unknown[] = [];
  connection.attach({ frame: (frame) => taken.push(frame), end: (end) => taken.push(end) });
  // What a runtime has already queued calls the handlers that it knew.
  const { onopen, onmessage, onerror, onclose } = socket;
  connection.close(4200);
  onopen?.();
  onmessage?.({ data: '{"t":"READY","s":999,"op":0,"d":{}}' });
  onerror?.({ message: "late" });
  onclose?.({ code: 1006, reason: "" });
  socket.onmessage?.({ data: "later" });
  socket.onerror?.({ message: "later" });
  socket.onclose?.({ code: 1006, reason: "" });
  await promisesSettle();
  assertEquals(taken, [{ code: 4200, reason: "", by: "local" }]);
  assertEquals(socket.closed, [4200]);
});

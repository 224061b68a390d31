/** Real datagram sockets, and what is said where there are none. */

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { assertUdp, openUdp, VoiceMediaError } from "../../voice/mod.ts";
import { openUdpServer } from "../fake/voice/media/udp_server.ts";
import { until } from "./until.ts";

Deno.test("udp: datagrams go there and back, a stranger's do not come in", async () => {
  const received: number[][] = [];
  const server = await openUdpServer("127.0.0.1", (datagram, from) => {
    received.push([...datagram]);
    stranger.send(Uint8Array.of(9), from);
    server.send(Uint8Array.of(2, ...datagram), from);
  });
  const stranger = await openUdpServer("127.0.0.1", () => {});
  const heard: number[][] = [];
  const socket = await openUdp(server.address, {
    receive: (datagram) => heard.push([...datagram]),
    failed: (error) => {
      throw error;
    },
  });
  socket.send(Uint8Array.of(1));
  await until("a response", () => heard.length > 0);
  socket.send(Uint8Array.of(5));
  await until("another", () => heard.length > 1);
  assertEquals([received, heard], [[[1], [5]], [[2, 1], [2, 5]]]);
  socket.close();
  socket.close();
  socket.send(Uint8Array.of(1));
  await Promise.all([server.close(), stranger.close(), closed()]);
});

Deno.test("udp: nobody listens: datagrams are lost, and the socket runs", async () => {
  const server = await openUdpServer("127.0.0.1", () => {});
  const { address } = server;
  await server.close();
  const failures: Error[] = [];
  const socket = await openUdp(address, { receive: () => {}, failed: (error) => failures.push(error) });
  for (let count = 0; count < 3; count++) {
    socket.send(Uint8Array.of(count));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assertEquals(failures, []);
  socket.close();
  await closed();
});

Deno.test("udp: a datagram that is too long is lost, and the socket runs", async () => {
  const heard: number[] = [];
  const server = await openUdpServer("127.0.0.1", ({ length }) => heard.push(length));
  const failures: Error[] = [];
  const sink = { receive: () => {}, failed: (error: Error) => failures.push(error) };
  const socket = await openUdp(server.address, sink);
  socket.send(new Uint8Array(70_000));
  socket.send(new Uint8Array(1));
  await until("the next one", () => heard.length > 0);
  socket.send(new Uint8Array(2));
  socket.close();
  await Promise.all([server.close(), closed()]);
  assertEquals([heard[0], failures], [1, []]);
});

/** A socket that is given up takes a moment to be gone. */
async function closed(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 20));
}

Deno.test({
  name: "udp: without the permission to bind, or to reach the server, the error is typed",
  permissions: { net: ["127.0.0.1:1"] },
  fn: async () => {
    const error = await assertRejects(() => assertUdp(), VoiceMediaError);
    assertEquals(
      [error.code, error.message],
      [
        "ERR_VOICE_MEDIA_PERMISSION",
        "Cannot open a UDP socket: the program may not use the network address: 0.0.0.0:0",
      ],
    );
  },
});

Deno.test({
  name: "udp: the media server's address needs the permission, too",
  permissions: { net: ["0.0.0.0:0"] },
  fn: async () => {
    await assertUdp();
    const error = await openUdp({ address: "127.0.0.1", port: 9 }, { receive: () => {}, failed: () => {} })
      .catch((error) => error);
    assertInstanceOf(error, VoiceMediaError);
    assertEquals(error.code, "ERR_VOICE_MEDIA_PERMISSION");
  },
});

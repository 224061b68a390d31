/** Two pipes back to back. */

import { assertEquals, assertThrows } from "@std/assert";
import { ConnectionClosedError, connectionPair, type Frame } from "../../../shard/mod.ts";

Deno.test("pair: what one side sends the other receives, both ways, synchronously", () => {
  const [client, server] = connectionPair();
  const heard: string[] = [];
  const listen = (who: string) => ({
    frame: (frame: Frame) => void heard.push(`${who} ${frame}`),
    end: () => {},
  });
  client.attach(listen("client"));
  server.attach(listen("server"));
  client.send("identify");
  server.send("ready");
  assertEquals(heard, ["server identify", "client ready"]);
});

Deno.test("pair: a close ends the other side with the same code, from remote", async () => {
  const [client, server] = connectionPair();
  client.close(4200, "back soon");
  assertEquals(await server.closed, { code: 4200, reason: "back soon", by: "remote" });
  assertEquals(await client.closed, { code: 4200, reason: "back soon", by: "local" });
  assertThrows(() => server.send("late"), ConnectionClosedError);
  assertThrows(() => client.send("late"), ConnectionClosedError);
});

Deno.test("pair: both sides close, each by itself; the first close counts", async () => {
  const [client, server] = connectionPair();
  server.close(4004);
  client.close(1000);
  assertEquals((await client.closed).code, 4004);
  assertEquals((await server.closed).by, "local");
});

Deno.test("pair: what was sent before the other side listened is kept, with the close behind it", async () => {
  const [client, server] = connectionPair();
  server.send("hello");
  server.send("ready");
  server.close(1000);
  assertEquals(await Array.fromAsync(client.readable), ["hello", "ready"]);
});

Deno.test("pair: a synchronous response does not overtake what waits", () => {
  const [client, server] = connectionPair();
  const heard: Frame[] = [];
  server.attach({ frame: (frame) => server.send(`answer to ${frame}`), end: () => {} });
  server.send("1");
  server.send("2");
  client.attach({
    frame: (frame) => {
      heard.push(frame);
      if (frame === "1") client.send(frame);
    },
    end: () => {},
  });
  assertEquals(heard, ["1", "2", "answer to 1"]);
});

Deno.test("pair: the streams of both sides meet", async () => {
  const [client, server] = connectionPair();
  const heard = Array.fromAsync(server.readable);
  const writer = client.writable.getWriter();
  await writer.write("a");
  await writer.write("b");
  await writer.close();
  assertEquals(await heard, ["a", "b"]);
  assertEquals((await server.closed).code, 1000);
});

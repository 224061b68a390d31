import { assert, assertEquals } from "@std/assert";
import { dial } from "../../../shard/pipe/dial.ts";
import { RawClient } from "../../raw_client.ts";
import { FakeDiscord } from "../../fake/fake_discord.ts";
import type { FakeDiscordOptions } from "../../fake/options.ts";
import type { FakeServer } from "../../fake/net/server.ts";

const QUERY = "/?v=10&encoding=json";

/** A fake on a port; whatever it holds is given back at the end. */
async function served(
  run: (discord: FakeDiscord, server: FakeServer) => Promise<void>,
  options: FakeDiscordOptions = {},
): Promise<void> {
  await using discord = new FakeDiscord(options);
  await run(discord, await discord.listen());
}

async function connected(discord: FakeDiscord, url: string): Promise<RawClient> {
  const client = new RawClient(await dial(url), discord.token);
  await until(client, () => client.texts.length > 0);
  return client;
}

/** Waits for what the network brings. */
async function until(client: RawClient, condition: () => boolean): Promise<void> {
  while (!condition()) {
    assert(client.end === null, `ended before: ${JSON.stringify(client.end)}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

for (const fault of ["nothing", "splitFrames", "coalesceHello", "both"] as const) {
  Deno.test(`server: identify, a message, a cut and a resume over a real socket, with ${fault} at fault`, async () => {
    await served(async (discord, server) => {
      discord.faults.splitFrames = fault === "splitFrames" || fault === "both";
      discord.faults.coalesceHello = fault === "coalesceHello" || fault === "both";
      const client = await connected(discord, server.gatewayUrl + QUERY);
      client.identify({ intents: 512 | 32_768 });
      await until(client, () => client.heard.includes("READY"));
      discord.sendMessage({ content: "héllo 😀" });
      await until(client, () => client.heard.includes("MESSAGE_CREATE"));
      assertEquals(client.bodies("MESSAGE_CREATE")[0].content, "héllo 😀");

      discord.connections[0]?.drop();
      const end = await client.connection.closed;
      assertEquals([end.code, end.by], [null, "remote"]);
      discord.sendMessage({ content: "missed" });
      const { resume_gateway_url: resumeUrl, session_id: sessionId } = client.frames[1]?.d ?? {};
      assertEquals(resumeUrl, `${server.gatewayUrl}/resume`);
      const next = await connected(discord, `${resumeUrl}?v=10&encoding=json`);
      next.resume(sessionId, 2);
      await until(next, () => next.heard.includes("RESUMED"));
      assertEquals(next.heard, ["op 10", "MESSAGE_CREATE", "RESUMED"]);
      next.connection.close(1000);
    });
  });
}

Deno.test("server: a cut in the middle of a frame delivers nothing of it", async () => {
  await served(async (discord, server) => {
    const client = await connected(discord, server.gatewayUrl + QUERY);
    discord.connections[0]?.drop({ midFrame: true });
    assertEquals((await client.connection.closed).code, null);
    assertEquals(client.heard, ["op 10"]);
  });
});

Deno.test("server: close codes and reasons go both ways", async () => {
  await served(async (discord, server) => {
    const first = await connected(discord, server.gatewayUrl + QUERY);
    first.connection.send("no json");
    const end = await first.connection.closed;
    assertEquals([end.code, end.reason], [4002, "Error while decoding payload."]);

    const second = await connected(discord, server.gatewayUrl + QUERY);
    second.connection.close(4200, "back soon");
    while (discord.connections.length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    const { by, code, reason } = discord.journal.of("close").at(-1) ?? {};
    assertEquals([by, code, reason], ["client", 4200, "back soon"]);
  });
});

Deno.test("server: a binary frame is closed with 4002", async () => {
  await served(async (discord, server) => {
    const socket = new WebSocket(server.gatewayUrl + QUERY);
    const closed = new Promise<CloseEvent>((resolve) => socket.onclose = resolve);
    socket.onopen = () => socket.send(new Uint8Array([1, 2, 3]));
    assertEquals((await closed).code, 4002);
    assertEquals(discord.journal.violations().map(({ rule }) => rule), ["frames are text"]);
  });
});

Deno.test("server: the largest message that a client may send arrives, one byte more does not", async () => {
  await served(async (discord, server) => {
    const client = await connected(discord, server.gatewayUrl + QUERY);
    client.connection.send('{"op":1,"d":null}'.padEnd(4096));
    await until(client, () => client.heard.includes("op 11"));
    client.connection.send('{"op":1,"d":null}'.padEnd(4097));
    assertEquals((await client.connection.closed).code, 4002);
  });
});

Deno.test("server: dials are rejected with a status, or never answered", async () => {
  await served(async (discord, server) => {
    discord.faults.rejectDials = [520];
    const rejected = await dial(server.gatewayUrl + QUERY).catch((error) => error.code);
    assertEquals(rejected, "ERR_DIAL_FAILED");
    discord.faults.blackHoleDials = 1;
    const timedOut = await dial(server.gatewayUrl + QUERY, { deadlineMs: 20 }).catch((error) => error.code);
    assertEquals(timedOut, "ERR_DIAL_TIMEOUT");
    assertEquals(discord.journal.dials().map(({ outcome }) => outcome), ["rejected", "black hole"]);
  });
});

Deno.test("server: a stalled connection sends nothing, and the server still closes at once", async () => {
  await served(async (discord, server) => {
    const client = await connected(discord, server.gatewayUrl + QUERY);
    discord.connections[0]?.stall();
    client.send(1, null);
    const other = await connected(discord, server.gatewayUrl + QUERY);
    other.send(1, null);
    await until(other, () => other.heard.includes("op 11"));
    assertEquals(client.heard, ["op 10"]);
    await server.close();
    await client.connection.closed;
  });
});

Deno.test("server: the REST API answers over HTTP", async () => {
  await served(async (discord, server) => {
    const headers = { authorization: `Bot ${discord.token}`, "content-type": "application/json" };
    const bot = await (await fetch(`${server.api}/gateway/bot`, { headers })).json();
    assertEquals([bot.url, bot.shards], [server.gatewayUrl, 1]);
    const channel = discord.guilds[0]?.channels[0]?.id;
    const body = JSON.stringify({ content: "pöng" });
    const answer = await fetch(`${server.api}/channels/${channel}/messages`, {
      method: "POST",
      headers,
      body,
    });
    assertEquals([answer.status, (await answer.json()).content], [200, "pöng"]);
    const unknown = await fetch(`${server.api}/nothing?query=1`, { headers });
    assertEquals([unknown.status, await unknown.json()], [404, { message: "404: Not Found", code: 0 }]);
  });
});

Deno.test("server: an upgrade that is no WebSocket is answered with 400", async () => {
  await served(async (_discord, server) => {
    const { hostname, port } = new URL(server.gatewayUrl);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const request = "GET / HTTP/1.1\r\nHost: fake\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    await connection.write(new TextEncoder().encode(request));
    const answer = await new Response(connection.readable).text();
    assert(answer.startsWith("HTTP/1.1 400 "), answer);
  });
});

Deno.test("server: pings are answered, and what the RFC forbids is closed with 1002", async () => {
  await served(async (_discord, server) => {
    const { hostname, port } = new URL(server.gatewayUrl);
    const connection = await Deno.connect({ hostname, port: Number(port) });
    const key = "dGhlIHNhbXBsZSBub25jZQ==";
    const request = `GET ${QUERY} HTTP/1.1\r\nHost: fake\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    // A ping with an empty mask and the payload "hi", then a frame without a mask.
    await connection.write(new Uint8Array([0x89, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
    await connection.write(new Uint8Array([0x81, 0x01, 0x61]));
    const bytes = new Uint8Array(await new Response(connection.readable).arrayBuffer());
    const text = String.fromCharCode(...bytes);
    assert(text.includes("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), text);
    assert(text.includes("\x8a\x02hi"), "the pong");
    assert(text.includes("\x03\xeaCannot read the frame"), "the close with 1002");
  });
});

Deno.test("server: 20,000 messages arrive in order over a real socket", async () => {
  await served(async (discord, server) => {
    const client = await connected(discord, server.gatewayUrl + QUERY);
    client.identify({ intents: 512 });
    await until(client, () => client.heard.includes("READY"));
    discord.flood(20_000, { size: 1000 });
    await until(client, () => client.texts.length >= 20_002);
    const numbers = client.texts.slice(2).map((text) => Number(/"s":(\d+)/.exec(text)?.[1]));
    assertEquals(numbers.every((s, index) => s === index + 2), true);
    client.connection.close(1000);
  });
});

Deno.test("server: several ports are doors to the same Discord, and closing twice is harmless", async () => {
  await served(async (discord, server) => {
    const second = await discord.listen({ hostname: "127.0.0.1", port: 0 });
    const clients = [
      await connected(discord, server.gatewayUrl + QUERY),
      await connected(discord, second.gatewayUrl + QUERY),
    ];
    assertEquals(discord.connections.length, 2);
    await second.close();
    await second.close();
    assertEquals((await clients[1]?.connection.closed)?.code, null);
    clients[0]?.connection.close(4200);
  });
});

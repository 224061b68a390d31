import { assertEquals } from "@std/assert";
import { Stage } from "../../raw_client.ts";

interface Answer {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Headers;
}

async function call(
  { discord }: Stage,
  method: string,
  path: string,
  { token = `Bot ${discord.token}`, body }: { token?: string | null; body?: unknown } = {},
): Promise<Answer> {
  const response = await discord.fetch(`https://discord.com/api/v10${path}`, {
    method,
    ...(token !== null && { headers: { authorization: token } }),
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

Deno.test("rest: GET /gateway needs no token", async () => {
  const { status, body } = await call(new Stage(), "GET", "/gateway", { token: null });
  assertEquals([status, body], [200, { url: "wss://gateway.fake.invalid" }]);
});

Deno.test("rest: GET /gateway/bot tells the URL, the shards and the session start limit", async () => {
  const stage = new Stage({ shards: 4, maxConcurrency: 2, identifyLimit: { total: 2000, remaining: 5 } });
  const { status, body, headers } = await call(stage, "GET", "/gateway/bot");
  assertEquals([status, headers.get("content-type")], [200, "application/json"]);
  assertEquals(body, {
    url: "wss://gateway.fake.invalid",
    shards: 4,
    session_start_limit: { total: 2000, remaining: 5, reset_after: 86_400_000, max_concurrency: 2 },
  });
});

Deno.test("rest: a missing, bare or wrong token is answered with 401", async () => {
  const stage = new Stage();
  for (const token of [null, stage.discord.token, "Bot wrong", `Bearer ${stage.discord.token}`]) {
    const { status, body } = await call(stage, "GET", "/gateway/bot", { token });
    assertEquals([status, body], [401, { message: "401: Unauthorized", code: 0 }]);
  }
});

Deno.test("rest: GET /users/@me is the bot", async () => {
  const stage = new Stage();
  const { body } = await call(stage, "GET", "/users/@me");
  assertEquals([body.id, body.bot], [stage.discord.user.id, true]);
});

Deno.test("rest: unknown paths are answered with 404, other methods with 405, and other versions not at all", async () => {
  const stage = new Stage();
  assertEquals((await call(stage, "GET", "/nothing")).body, { message: "404: Not Found", code: 0 });
  assertEquals((await call(stage, "POST", "/gateway/bot")).status, 405);
  assertEquals((await stage.discord.fetch("https://discord.com/api/v9/gateway")).status, 404);
  assertEquals((await stage.discord.fetch("https://discord.com/")).status, 404);
});

Deno.test("rest: a created message is answered, and comes back as MESSAGE_CREATE by the bot", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 512 });
  const [guild] = stage.discord.guilds;
  const channel = guild?.channels[0]?.id ?? "";
  const { status, body } = await call(stage, "POST", `/channels/${channel}/messages`, {
    body: { content: "pong", nonce: "n" },
  });
  assertEquals([status, body.content, body.author.id, body.channel_id, body.nonce], [
    200,
    "pong",
    stage.discord.user.id,
    channel,
    "n",
  ]);
  assertEquals("guild_id" in body, false);
  await stage.settle();
  const [event] = client.bodies("MESSAGE_CREATE");
  assertEquals([event.id, event.guild_id, event.content, event.author.bot], [
    body.id,
    guild?.id,
    "pong",
    true,
  ]);
});

Deno.test("rest: a message to an unknown channel, without a token or with an impossible body is refused", async () => {
  const stage = new Stage();
  const path = `/channels/${stage.discord.guilds[0]?.channels[0]?.id}/messages`;
  const refused = async (body: unknown, options: { path?: string; token?: string } = {}) => {
    const { token = `Bot ${stage.discord.token}` } = options;
    const answer = await call(stage, "POST", options.path ?? path, { body, token });
    return [answer.status, answer.body.code];
  };
  assertEquals(await refused({ content: "a" }, { path: "/channels/1/messages" }), [404, 10003]);
  assertEquals(await refused({ content: "a" }, { token: "Bot wrong" }), [401, 0]);
  assertEquals(await refused("{"), [400, 50109]);
  assertEquals(await refused({}), [400, 50006]);
  assertEquals(await refused({ content: "" }), [400, 50006]);
  assertEquals(await refused({ content: 5 }), [400, 50035]);
  assertEquals(await refused({ content: "x".repeat(2001) }), [400, 50035]);
  assertEquals(await refused({ content: "a", nonce: "n".repeat(26) }), [400, 50035]);
  assertEquals((await refused({ content: "😀".repeat(2000) }))[0], 200);
  assertEquals((await refused({ embeds: [{ title: "t" }] }))[0], 200);
});

Deno.test("rest: a direct message goes through its channel", async () => {
  const stage = new Stage();
  const client = await stage.identified({ intents: 4096 });
  const alice = stage.discord.guilds[0]?.members[1]?.user.id;
  const { body: channel } = await call(stage, "POST", "/users/@me/channels", {
    body: { recipient_id: alice },
  });
  assertEquals(channel.type, 1);
  assertEquals(
    (await call(stage, "POST", "/users/@me/channels", { body: { recipient_id: "1" } })).status,
    400,
  );
  await call(stage, "POST", `/channels/${channel.id}/messages`, { body: { content: "psst" } });
  stage.discord.sendMessage({ channelId: channel.id, content: "yes?" });
  await stage.settle();
  const said = client.bodies("MESSAGE_CREATE").map(({ author, content }) => [author.username, content]);
  assertEquals(said, [["fake-bot", "psst"], ["alice", "yes?"]]);
});

Deno.test("rest: calls can be made to fail, and stand in the journal", async () => {
  const stage = new Stage();
  stage.discord.faults.rejectRequests = [500, 429];
  assertEquals((await call(stage, "GET", "/gateway/bot")).status, 500);
  const limited = await call(stage, "GET", "/gateway/bot");
  assertEquals([limited.status, limited.body.retry_after, limited.headers.get("retry-after")], [429, 1, "1"]);
  assertEquals((await call(stage, "GET", "/gateway/bot")).status, 200);
  const calls = stage.discord.journal.of("rest").map(({ method, path, status }) =>
    `${method} ${path} ${status}`
  );
  assertEquals(calls, [500, 429, 200].map((status) => `GET /api/v10/gateway/bot ${status}`));
});

Deno.test("rest: an aborted call is rejected with its reason", async () => {
  const { discord } = new Stage();
  const signal = AbortSignal.abort(new TypeError("given up"));
  const outcome = await discord.fetch("https://discord.com/api/v10/gateway", { signal }).catch((error) =>
    error
  );
  assertEquals([outcome instanceof TypeError, discord.journal.entries.length], [true, 0]);
});

/** `GET /gateway/bot`: the request, what is accepted, and what every other response becomes. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertStringIncludes } from "@std/assert";
import { apiBaseUrl, type Fetch, fetchGatewayBot, GatewayBotError } from "../../../shard/mod.ts";
import { FakeDiscord } from "../../fake/mod.ts";
import { withEnvironment } from "../pipe/environment.ts";

const TOKEN = "MTIzNDU2.secret-token.of-the-bot";

const RESPONSE = {
  url: "wss://gateway.discord.gg",
  shards: 2,
  session_start_limit: { total: 1000, remaining: 998, reset_after: 14_400_000, max_concurrency: 1 },
};

/** A fetch that always gives the same response. */
function responding(body: unknown, status = 200): Fetch {
  return () => Promise.resolve({ status, json: () => Promise.resolve(body) });
}

Deno.test("gateway bot: asks the API with the bot's token and a user agent", async () => {
  const asked: { url: string; headers: Record<string, string> }[] = [];
  const fetch: Fetch = (url, { headers }) => {
    asked.push({ url, headers });
    return responding(RESPONSE)(url, { headers });
  };
  assertEquals(await fetchGatewayBot(TOKEN, { fetch, api: "http://localhost:8080/api/v10/" }), RESPONSE);
  assertEquals(asked.length, 1);
  assertEquals(asked[0]?.url, "http://localhost:8080/api/v10/gateway/bot");
  assertEquals(asked[0]?.headers.Authorization, `Bot ${TOKEN}`);
  assertStringIncludes(asked[0]?.headers["User-Agent"] ?? "", "DiscordBot (");
});

Deno.test("gateway bot: the fake's response is one", async () => {
  const discord = new FakeDiscord({ maxConcurrency: 16, shards: 3 });
  const { shards, session_start_limit } = await fetchGatewayBot(discord.token, { fetch: discord.fetch });
  assertEquals([shards, session_start_limit.max_concurrency], [3, 16]);
});

Deno.test("gateway bot: any other status is an error that carries it", async () => {
  for (const status of [401, 403, 404, 429, 500, 503]) {
    const error = await assertRejects(
      () => fetchGatewayBot(TOKEN, { fetch: responding({ message: "no" }, status), api: "https://x.test" }),
      GatewayBotError,
    );
    assertEquals(error.status, status);
    assertEquals(error.code, "ERR_GATEWAY_BOT");
    assertEquals(error.message, `Cannot get https://x.test/gateway/bot: status ${status}`);
  }
});

Deno.test("gateway bot: no response is an error with the cause and no status", async () => {
  const cause = new TypeError("connection refused");
  const error = await assertRejects(
    () => fetchGatewayBot(TOKEN, { fetch: () => Promise.reject(cause) }),
    GatewayBotError,
    "connection refused",
  );
  assertEquals(error.status, null);
  assertStrictEquals(error.cause, cause);
});

Deno.test("gateway bot: where the runtime says why only in a cause, the error says it too", async () => {
  const cause = new TypeError("fetch failed", { cause: new Error("self-signed certificate") });
  const error = await assertRejects(
    () => fetchGatewayBot(TOKEN, { fetch: () => Promise.reject(cause), api: "https://x.test" }),
    GatewayBotError,
  );
  assertEquals(error.message, "Cannot get https://x.test/gateway/bot: fetch failed: self-signed certificate");
  assertStrictEquals(error.cause, cause);
});

Deno.test("gateway bot: a response that is no JSON is an error with the status", async () => {
  const fetch: Fetch = () => Promise.resolve(new Response("<html>Bad Gateway</html>", { status: 502 }));
  const error = await assertRejects(() => fetchGatewayBot(TOKEN, { fetch }), GatewayBotError);
  assertEquals(error.status, 502);
  assert(error.cause instanceof SyntaxError);
});

Deno.test("gateway bot: a response of another shape is an error", async () => {
  const { session_start_limit } = RESPONSE;
  const wrong: readonly unknown[] = [
    null,
    [],
    "wss://gateway.discord.gg",
    {},
    { ...RESPONSE, url: undefined },
    { ...RESPONSE, shards: "2" },
    { ...RESPONSE, shards: 0 },
    { ...RESPONSE, session_start_limit: null },
    { ...RESPONSE, session_start_limit: { ...session_start_limit, remaining: -1 } },
    { ...RESPONSE, session_start_limit: { ...session_start_limit, total: 0 } },
    { ...RESPONSE, session_start_limit: { ...session_start_limit, max_concurrency: 0 } },
    { ...RESPONSE, session_start_limit: { ...session_start_limit, max_concurrency: 1.5 } },
    { ...RESPONSE, session_start_limit: { ...session_start_limit, reset_after: null } },
  ];
  for (const body of wrong) {
    const error = await assertRejects(
      () => fetchGatewayBot(TOKEN, { fetch: responding(body) }),
      GatewayBotError,
      "the response is incomplete",
    );
    assertEquals(error.status, 200);
  }
});

Deno.test("gateway bot: the signal reaches the fetch, and its reason is the cause", async () => {
  const reason = new Error("closed meanwhile");
  const abort = new AbortController();
  const fetch: Fetch = (_, { signal }) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  const asked = fetchGatewayBot(TOKEN, { fetch, signal: abort.signal });
  abort.abort(reason);
  assertStrictEquals((await assertRejects(() => asked, GatewayBotError)).cause, reason);
});

Deno.test("gateway bot: a token that fits in no header is refused before a runtime can quote it", async () => {
  const { fetch } = new FakeDiscord();
  for (const token of ["hunter2\n!", "Bot hunter2", "hunter2\u2028", "\0hunter2", "hunter2é"]) {
    const error = await assertRejects(() => fetchGatewayBot(token, { fetch }), TypeError);
    assertStringIncludes(error.message, "the token is printable ASCII without spaces");
    assertEquals(Deno.inspect(error).includes("hunter2"), false);
    assertEquals(error.cause, undefined);
  }
});

Deno.test("gateway bot: the API's base URL is the one given, without a slash at its end", () => {
  assertEquals(apiBaseUrl("https://proxy.test/api/v10//"), "https://proxy.test/api/v10");
});

Deno.test({
  name: "gateway bot: without one it is DISCORD_API, where the program may read it, or Discord's",
  permissions: { env: ["DISCORD_API"] },
  fn: () => {
    withEnvironment({ DISCORD_API: "http://127.0.0.1:1/api/v10/" }, () => {
      assertEquals(apiBaseUrl(), "http://127.0.0.1:1/api/v10");
      assertEquals(apiBaseUrl("https://given.test"), "https://given.test");
    });
    withEnvironment({}, () => assertEquals(apiBaseUrl(), "https://discord.com/api/v10"));
  },
});

Deno.test({
  name: "gateway bot: without the permission nothing is asked",
  permissions: { env: false },
  fn: () => assertEquals(apiBaseUrl(), "https://discord.com/api/v10"),
});

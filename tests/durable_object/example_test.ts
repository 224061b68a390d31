/** The Worker of `examples/durable_object/` in workerd: authorization of its routes, and rejected orders. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../contract/until.ts";
import { isAuthorized } from "../../examples/durable_object/secret.ts";
import { ExampleServer, SECRET, type TextResponse, TOKEN } from "./example_server.ts";

const ROUTES = [
  ["GET", "/status"],
  ["GET", "/status/events"],
  ["POST", "/start"],
  ["POST", "/stop"],
  ["POST", "/reshard"],
  ["POST", "/restart"],
  ["POST", "/send"],
] as const;

/** Headers without the secret, or with a similar one. */
const WRONG: readonly (readonly [what: string, headers: Record<string, string>])[] = [
  ["no header", {}],
  ["an empty one", { authorization: "" }],
  ["no secret", { authorization: "Bearer " }],
  ["another secret", { authorization: "Bearer another secret" }],
  ["the first half of it", { authorization: `Bearer ${SECRET.slice(0, SECRET.length / 2)}` }],
  ["more than it", { authorization: `Bearer ${SECRET}s` }],
  ["it without a scheme", { authorization: SECRET }],
  ["it in another scheme", { authorization: `Basic ${btoa(`bot:${SECRET}`)}` }],
  ["the token", { authorization: `Bearer ${TOKEN}` }],
];

const PRESENCE = { op: 3, d: { since: null, activities: [], status: "online", afk: false } };

Deno.test("example: control routes", async (t) => {
  await using server = await ExampleServer.start();
  const { discord } = server;
  const post = (path: string, body: unknown) =>
    server.ask(path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });

  await t.step(
    "without the secret every route, known or not, is an empty 401, and nothing happens",
    async () => {
      const idle = await server.ask("/status");
      for (const [what, headers] of WRONG) {
        for (
          const [method, path] of [...ROUTES, ["POST", "/"], ["GET", "/nothing"], ["PUT", "/start"]] as const
        ) {
          const body = method === "POST"
            ? { body: JSON.stringify({ shards: 2, shard: 0, command: PRESENCE }) }
            : {};
          assertUnauthorized(await server.ask(path, { method, headers, ...body }), `${what}: ${path}`);
        }
      }
      assertEquals((await server.ask("/status")).text, idle.text);
      assertEquals(JSON.parse(idle.text).running, false);
      assertEquals([discord.journal.of("rest").length, discord.journal.dials().length], [0, 0]);
    },
  );

  await t.step("the secret in the URL, a cookie or the body does not authorize", async () => {
    const elsewhere: readonly (readonly [string, RequestInit])[] = [
      [`/status?secret=${encodeURIComponent(SECRET)}`, { headers: {} }],
      ["/status", { headers: { cookie: `secret=${encodeURIComponent(SECRET)}` } }],
      ["/start", { method: "POST", headers: {}, body: JSON.stringify({ secret: SECRET }) }],
    ];
    for (const [path, init] of elsewhere) assertUnauthorized(await server.ask(path, init), path);
  });

  await t.step("with the secret an unknown route is 404, a wrong method 405", async () => {
    for (const path of ["/nothing", "/start/", "/Start", "/constructor", "/status/start", "/x/start"]) {
      assertEquals((await server.ask(path)).status, 404, path);
    }
    for (const [method, path] of ROUTES) {
      const other = method === "GET" ? "POST" : "GET";
      assertEquals((await server.ask(path, { method: other })).status, 405, path);
      assertEquals((await server.ask(path, { method: "DELETE" })).status, 405, path);
    }
    assertEquals(discord.journal.dials().length, 0);
  });

  await t.step("a malformed body is 400 and names the field, and nothing happens", async () => {
    const bodies: readonly (readonly [path: string, body: unknown, names: string])[] = [
      ["/start", "{", "the body has to be JSON"],
      ["/start", "null", "the body has to be an object"],
      ["/start", [2], "the body has to be an object"],
      ["/start", { shards: 0 }, "shards is an integer"],
      ["/start", { shards: -1 }, "shards is an integer"],
      ["/start", { shards: 1.5 }, "shards is an integer"],
      ["/start", { shards: 1e9 }, "shards is an integer"],
      ["/start", { shards: 2 ** 60 }, "shards is an integer"],
      ["/start", { shards: "2" }, "shards is an integer"],
      ["/start", { shards: null }, "shards is an integer"],
      ["/stop", { keepSession: "yes" }, "keepSession is true or false"],
      ["/reshard", "", "shards is an integer"],
      ["/reshard", {}, "shards is an integer"],
      ["/reshard", { shards: 0 }, "shards is an integer"],
      ["/reshard", { shards: 2.5 }, "shards is an integer"],
      ["/restart", {}, "shard is an integer"],
      ["/restart", { shard: -1 }, "shard is an integer"],
      ["/send", {}, "command is an object"],
      ["/send", { command: [] }, "command is an object"],
      ["/send", { command: { d: {} } }, "op is an integer"],
      ["/send", { command: { op: "3", d: {} } }, "op is an integer"],
      ["/send", { command: PRESENCE, shard: 0.5 }, "shard is an integer"],
      ["/start", { shard: 2 }, 'start takes shards: "shard"'],
      ["/start", '{"__proto__":{"shards":2}}', 'start takes shards: "__proto__"'],
      ["/stop", { keepsession: true }, 'stop takes keepSession: "keepsession"'],
      ["/restart", { shard: 0, id: 0 }, 'restart takes shard: "id"'],
      ["/send", { command: PRESENCE, shardId: 1 }, 'send takes command and shard: "shardId"'],
    ];
    for (const [path, body, names] of bodies) assertRefused(await post(path, body), names);
    assertEquals(discord.journal.dials().length, 0);
  });

  await t.step("a body that is too large is 413", async () => {
    assertEquals((await post("/start", JSON.stringify({ shards: 2 }).padEnd(65_537))).status, 413);
    assertEquals((await post("/start", "x".repeat(3_000_000))).status, 413);
    assertRefused(await post("/start", "x".repeat(65_536)), "the body has to be JSON");
    assertEquals(discord.journal.dials().length, 0);
  });

  await t.step("an order that conflicts with the state is 409, and any other is executed", async () => {
    assertEquals((await post("/send", { command: PRESENCE })).status, 409);
    assertEquals((await post("/reshard", { shards: 3 })).status, 409);
    await server.live(2);
    assertEquals((await server.status()).shards.length, 2);
    assertEquals((await post("/start", { shards: 3 })).status, 409);
  });

  await t.step(
    "a command that Discord would not accept is 400 with the reason, and is not sent",
    async () => {
      const frames = () => discord.journal.of("frame").filter(({ op }) => op !== 1).length;
      const before = frames();
      assertRefused(
        await post("/send", { command: { op: 99, d: {} } }),
        "opcode is one of 3, 4, 8, 31, 43: 99",
      );
      assertRefused(
        await post("/send", { command: { op: 2, d: {} } }),
        "opcode is one of 3, 4, 8, 31, 43: 2",
      );
      assertRefused(
        await post("/send", { command: { ...PRESENCE, d: { ...PRESENCE.d, status: "x".repeat(5_000) } } }),
        "4096",
      );
      assertRefused(
        await post("/send", { command: { op: 3, d: { ...PRESENCE.d, status: "banana" } } }),
        'status is one of online, dnd, idle, invisible, offline: "banana"',
      );
      assertRefused(
        await post("/send", { command: { op: 31, d: {} } }),
        "guild_ids is a list of ids: missing",
      );
      assertRefused(await post("/send", { command: { op: 4, d: { guild_id: 1 } } }), "guild_id is an id: 1");
      assertRefused(await post("/send", { command: PRESENCE, shard: 2 }), "there are 2, from 0 on: 2");
      assertRefused(await post("/restart", { shard: 2 }), "there are 2, from 0 on: 2");
      assertEquals(frames(), before);
      assertEquals((await post("/send", { command: PRESENCE })).status, 200);
      await until("both shards' presence", () => frames() === before + 2);
      assertEquals(discord.journal.violations(), []);
    },
  );

  await t.step("without the secret nobody can disturb a running bot", async () => {
    for (const path of ["/stop", "/restart", "/reshard"]) {
      const body = JSON.stringify({ shard: 0, shards: 4 });
      assertUnauthorized(await server.ask(path, { method: "POST", headers: {}, body }), path);
    }
    const { running, shardCount, resharding, pendingCalls } = await server.status();
    assertEquals([running, shardCount, resharding, pendingCalls], [true, 2, null, 0]);
    assertEquals(discord.connections.length, 2);
  });

  await t.step(
    "the page is public, holds no data, and allows no script but its own",
    async () => {
      const page = await server.ask("/", { headers: {} });
      assertEquals(page.status, 200);
      assertEquals(page.headers.get("content-type"), "text/html; charset=utf-8");
      assertEquals(page.headers.get("referrer-policy"), "no-referrer");
      assertEquals(page.headers.get("x-content-type-options"), "nosniff");
      assertEquals(page.headers.get("cache-control"), "no-store");
      const policy = page.headers.get("content-security-policy") ?? "";
      for (
        const part of [
          "default-src 'none'",
          "connect-src 'self'",
          "frame-ancestors 'none'",
          "base-uri 'none'",
        ]
      ) {
        assert(policy.includes(part), policy);
      }
      const [, nonce = ""] = /script-src 'nonce-([-\w]+)'/.exec(policy) ?? [];
      assertMatch(nonce, /^[-\w]{22,}$/);
      const tags = page.text.match(/<(script|style)\b[^>]*>/g) ?? [];
      assertEquals(tags, [`<style nonce="${nonce}">`, `<script nonce="${nonce}">`]);
      // Nothing from another origin, and nothing that the policy would have to allow.
      assertEquals(page.text.match(/\b(?:src|href|action)="(?!#|data:)[^"]*"|\son\w+=|\sstyle="/g), null);
      const again = await server.ask("/", { headers: {} });
      assertEquals(again.text.includes(nonce), false);
      assertEquals((await server.ask("/", { headers: { authorization: `Bearer ${SECRET}` } })).status, 200);
      const head = await server.ask("/", { method: "HEAD", headers: {} });
      assertEquals([head.status, head.text], [200, ""]);
    },
  );

  await t.step("neither token nor secret is in any response or in the log", async () => {
    const log = await server.stop();
    assert(server.responses.length > 100);
    const texts = server.responses.flatMap(({ text, headers }) => [text, JSON.stringify([...headers])]);
    for (const text of [...texts, log]) {
      assertEquals([text.includes(TOKEN), text.includes(SECRET)], [false, false]);
    }
  });
});

function assertUnauthorized({ status, headers, text }: TextResponse, what: string): void {
  assertEquals(status, 401, what);
  assertEquals(headers.get("www-authenticate"), "Bearer", what);
  const error = { name: "HttpError", code: "ERR_UNAUTHORIZED", message: "Unauthorized" };
  assertEquals(JSON.parse(text), { error }, what);
}

function assertRefused({ status, text }: TextResponse, names: string): void {
  assertEquals(status, 400, text);
  const { error } = JSON.parse(text);
  assert(error.message.includes(names), text);
  assertMatch(error.code, /^ERR_/);
}

// The comparison of secrets.

const bearing = (value: string) => new Request("https://worker/", { headers: { authorization: value } });

Deno.test("example: the secret is case-sensitive, the scheme is not", async () => {
  assertEquals(await isAuthorized(bearing("Bearer s3cret with spaces"), "s3cret with spaces"), true);
  assertEquals(await isAuthorized(bearing("bearer s3cret"), "s3cret"), true);
  for (
    const value of ["Bearer s3cre", "Bearer s3cret2", "Bearer S3cret", "Bearer", "s3cret", "Bearer  s3cret"]
  ) {
    assertEquals(await isAuthorized(bearing(value), "s3cret"), false, value);
  }
});

Deno.test("example: a Worker without a secret authorizes no request", async () => {
  for (const secret of ["", undefined]) {
    for (const value of ["Bearer ", "Bearer", "", "Bearer undefined", "Bearer null"]) {
      assertEquals(await isAuthorized(bearing(value), secret), false, value);
    }
  }
});

Deno.test("example: two digests of one length are compared, for a value of any length", async () => {
  const { subtle } = crypto;
  const digest = subtle.digest;
  const made: ArrayBuffer[] = [];
  Object.defineProperty(subtle, "digest", {
    configurable: true,
    value: async (...args: Parameters<SubtleCrypto["digest"]>) => {
      const result = await digest.apply(subtle, args);
      made.push(result);
      return result;
    },
  });
  try {
    for (const given of ["", "s", "s3cret", "x".repeat(5_000)]) {
      made.length = 0;
      await isAuthorized(bearing(`Bearer ${given}`), "s3cret");
      assertEquals(made.map(({ byteLength }) => byteLength), [32, 32], given.slice(0, 10));
    }
  } finally {
    Reflect.deleteProperty(subtle, "digest");
  }
});

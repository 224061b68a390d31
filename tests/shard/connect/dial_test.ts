/** No connection: the gateway cannot be dialled, or the REST API does not give its URL. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { DialError, type Fetch, GatewayBotError, ShardStoppedError } from "../../../mod.ts";
import { assertQuiet, Play } from "../harness.ts";

const MAIN = "wss://gateway.fake.invalid/?v=10&encoding=json";
const RESUME = "wss://resume.gateway.fake.invalid/?v=10&encoding=json";

const SESSION = {
  sessionId: "abc",
  sequence: 7,
  resumeGatewayUrl: "wss://resume.test",
  shardId: 0,
  shardCount: 1,
};

function dialled({ discord }: Play): unknown[] {
  return discord.journal.dials().map(({ url, status, outcome }) => [url, status ?? outcome]);
}

Deno.test("shard: a dial rejected with a 5xx is repeated with a backoff, and costs no identify", async () => {
  const play = new Play();
  play.discord.faults.rejectDials = [503, 520, 521];
  play.start();
  await play.untilState("live");
  assertEquals(dialled(play), [[MAIN, 503], [MAIN, 520], [MAIN, 521], [MAIN, "open"]]);
  assert(
    play.statusesOf("disconnected").every(({ cause, error, action }) =>
      cause === "dial_failed" && error instanceof DialError && action === "identify"
    ),
  );
  assertEquals(play.discord.journal.identifies().length, 1);
  await play.shard.close();
});

Deno.test("shard: where the resume URL is dead the session is resumed through the main one [case 7]", async () => {
  const play = await new Play().live();
  const sessionId = play.shard.session?.sessionId;
  play.discord.faults.rejectDials = [503];
  play.connection.drop();
  const missed = play.write(2);
  await play.untilState("live");
  assertEquals(dialled(play), [[MAIN, "open"], [RESUME, 503], [MAIN, "open"]]);
  assertEquals(play.shard.session?.sessionId, sessionId);
  assertEquals(play.names, ["READY", "MESSAGE_CREATE", "MESSAGE_CREATE", "RESUMED"]);
  assertEquals(play.messageIds, missed);
  assertEquals(play.discord.journal.identifies().length, 1);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: a resume URL that is a black hole costs its deadline, not the session [case 7]", async () => {
  const play = await new Play().live();
  play.discord.faults.blackHoleDials = 1;
  play.connection.drop();
  const missed = play.write(2);
  await play.untilState("live");
  assert(play.clock.now() >= 30_000);
  assertEquals(dialled(play), [[MAIN, "open"], [RESUME, "black hole"], [MAIN, "open"]]);
  assertEquals(play.messageIds, missed);
  await play.shard.close();
});

Deno.test("shard: an outage of minutes keeps the session, and the resume replays", async () => {
  const play = await new Play().live();
  play.discord.faults.rejectDials = [503, 520, 503, 521, 503, 500];
  play.connection.drop();
  const missed = play.write(10);
  await play.untilState("live");
  assertEquals(play.discord.journal.identifies().length, 1);
  assertEquals(play.messageIds, missed);
  await play.shard.close();
});

Deno.test("shard: a stored resume URL that is none is as good as no URL", async () => {
  for (const resumeGatewayUrl of [null, "https://resume.test"]) {
    const play = new Play({ session: { ...SESSION, resumeGatewayUrl } }).start();
    await play.clock.advance(0);
    assertEquals(dialled(play), [[MAIN, "open"]]);
    assertEquals(play.discord.journal.resumes().length, 1);
    await play.shard.close();
  }
});

Deno.test("shard: with a resume URL the REST API is not asked", async () => {
  const play = new Play({ session: SESSION, fetch: () => Promise.reject(new Error("down")) }).start();
  await play.clock.advance(0);
  assertEquals(dialled(play), [["wss://resume.test/?v=10&encoding=json", "open"]]);
  await play.shard.close();
});

Deno.test("shard: while the REST API is down it is asked again with a backoff, and the session is kept", async () => {
  const play = new Play({ session: { ...SESSION, resumeGatewayUrl: null } });
  play.discord.faults.rejectRequests = [500, 502, 503, 429, 404];
  play.start();
  await play.clock.runUntil(() => play.discord.journal.resumes().length === 1);
  const told = play.statusesOf("disconnected").slice(0, 5);
  assertEquals(
    told.map(({ cause, action }) => `${cause} ${action}`),
    Array(5).fill("gateway_bot_failed resume"),
  );
  assertEquals(told.map(({ error }) => error instanceof GatewayBotError && error.status), [
    500,
    502,
    503,
    429,
    404,
  ]);
  assertEquals(play.discord.journal.of("rest").length, 6);
  await play.shard.close();
});

for (const status of [401, 403]) {
  Deno.test(`shard: a REST API that answers ${status} stops the shard`, async () => {
    const play = new Play();
    play.discord.faults.rejectRequests = [status];
    play.start();
    await play.clock.advance(0);
    const error = await play.finished;
    assertInstanceOf(error, ShardStoppedError);
    assertEquals(error.endCause, "gateway_bot_unauthorized");
    assertInstanceOf(error.cause, GatewayBotError);
    assertEquals(play.discord.journal.of("rest").length, 1);
    assertQuiet(play);
  });
}

Deno.test("shard: a response that is garbage is an outage like any other", async () => {
  const { discord } = new Play();
  const limit = { total: 1, remaining: 1, reset_after: 0, max_concurrency: 0 };
  const garbage = [
    () => Promise.resolve(new Response("<html>Bad Gateway</html>")),
    () => Promise.resolve(Response.json(null)),
    () => Promise.resolve(Response.json({ url: 7 })),
    () => Promise.resolve(Response.json({ url: MAIN, shards: 1, session_start_limit: limit })),
  ];
  const fetch: Fetch = (url, init) => garbage.shift()?.() ?? discord.fetch(url, init);
  const play = await new Play({ fetch }).live();
  assertEquals(
    play.statusesOf("disconnected").map(({ cause }) => cause),
    Array(4).fill("gateway_bot_failed"),
  );
  await play.shard.close();
});

Deno.test("shard: a REST API that does not respond is given up after 15 s, and requested again", async () => {
  const { discord } = new Play();
  let asked = 0;
  const fetch: Fetch = (url, init) => {
    if (asked++ > 0) return discord.fetch(url, init);
    return new Promise((_, reject) =>
      init.signal?.addEventListener("abort", () => reject(init.signal?.reason))
    );
  };
  const play = new Play({ fetch }).start();
  await play.clock.advance(14_999);
  assertEquals(play.statusesOf("disconnected"), []);
  await play.clock.advance(1);
  assertEquals(play.statusesOf("disconnected").map(({ cause }) => cause), ["gateway_bot_failed"]);
  await play.untilState("live");
  await play.shard.close();
  assertEquals(play.clock.pending, 0);
});

Deno.test("shard: a gateway URL that cannot be one stops the shard with the reason", async () => {
  const play = new Play({ url: "https://gateway.test" }).start();
  await play.clock.advance(0);
  assertInstanceOf(await play.finished, Error);
  assertEquals(play.discord.journal.dials(), []);
  assertQuiet(play);
});

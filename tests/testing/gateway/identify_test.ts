import { assert, assertEquals } from "@std/assert";
import { EVERY_INTENT, GATEWAY_URL, RESUME_URL, Stage } from "../../raw_client.ts";

Deno.test("identify: READY is dispatch 1 and carries what a client needs", async () => {
  const stage = new Stage({ guilds: [{}, {}] });
  const client = await stage.identified({ shard: [0, 1] });
  const [, ready] = client.frames;
  assertEquals([ready?.t, ready?.s, ready?.op], ["READY", 1, 0]);
  const { d } = ready ?? {};
  assertEquals([d.v, d.session_type, d.shard], [10, "normal", [0, 1]]);
  assertEquals(d.user.id, stage.discord.user.id);
  assertEquals(d.guilds, stage.discord.guilds.map(({ id }) => ({ id, unavailable: true })));
  assertEquals(d.session_id, stage.discord.sessions[0]?.id);
  assertEquals(d.resume_gateway_url, "wss://resume.gateway.fake.invalid");
  assertEquals(d.application, { id: stage.discord.user.id, flags: 1 << 12 | 1 << 14 | 1 << 18 });
});

Deno.test("identify: READY names the shard only if IDENTIFY did", async () => {
  const stage = new Stage();
  const client = await stage.identified();
  assertEquals("shard" in client.frames[1]?.d, false);
});

Deno.test("identify: a GUILD_CREATE per guild follows with GUILDS, and none without", async () => {
  const stage = new Stage({ guilds: [{}, { name: "Second" }], maxConcurrency: 2 });
  const with_ = await stage.identified({ intents: 1 });
  assertEquals(with_.heard, ["op 10", "READY", "GUILD_CREATE", "GUILD_CREATE"]);
  assertEquals(with_.bodies("GUILD_CREATE").map(({ name }) => name), ["Guild 1", "Second"]);
  await stage.clock.advance(5000);
  const without = await stage.identified({ intents: 512 });
  assertEquals(without.heard, ["op 10", "READY"]);
});

Deno.test("identify: GUILD_CREATE has all members with GUILD_PRESENCES up to large_threshold, else only the bot", async () => {
  const members = async (identify: Record<string, unknown>, count: number) => {
    const stage = new Stage({ guilds: [{ members: count }] });
    const client = await stage.identified(identify);
    const [guild] = client.bodies("GUILD_CREATE");
    return [guild.members.length, guild.member_count, guild.large];
  };
  assertEquals(await members({ intents: 1 }, 2), [1, 3, false]);
  assertEquals(await members({ intents: 1 | 256 }, 49), [50, 50, false]);
  assertEquals(await members({ intents: 1 | 256 }, 50), [1, 51, true]);
  assertEquals(await members({ intents: 1 | 256, large_threshold: 250 }, 249), [250, 250, false]);
});

Deno.test("identify: a wrong token is closed with 4004, and the prefix of the REST API does no harm", async () => {
  const prefixed = new Stage();
  assertEquals((await prefixed.identified({ token: `Bot ${prefixed.discord.token}` })).heard.at(-1), "READY");
  for (const token of ["wrong", "", "Bot wrong", "Bot ", "Bearer fake.discord.token"]) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.identify({ token })), 4004, token);
  }
});

Deno.test("identify: missing or undocumented intents are closed with 4013, and 0 is valid", async () => {
  for (
    const intents of [undefined, null, "513", -1, 1.5, 1 << 17, 1 << 22, 1 << 26, 2 ** 40, EVERY_INTENT + 1]
  ) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.identify({ intents })), 4013, `${intents}`);
  }
  for (const intents of [0, EVERY_INTENT]) {
    const stage = new Stage();
    assertEquals((await stage.identified({ intents })).end, null);
  }
});

Deno.test("identify: privileged intents that the application may not use are closed with 4014", async () => {
  for (const intents of [2, 256, 32_768, EVERY_INTENT]) {
    const stage = new Stage({ privilegedIntents: 0 });
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.identify({ intents })), 4014, `${intents}`);
  }
  const stage = new Stage({ privilegedIntents: 2 });
  const client = await stage.identified({ intents: 2 });
  assertEquals([client.end, client.frames[1]?.d.application.flags], [null, 1 << 14]);
});

Deno.test("identify: an impossible shard is closed with 4010", async () => {
  for (const shard of [[1, 1], [-1, 2], [0, 0], [0], [0, 1, 2], ["0", "1"], [0.5, 2], "0,1", {}]) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.identify({ shard })), 4010, `${shard}`);
  }
});

Deno.test("identify: more than 2500 guilds on a shard are closed with 4011", async () => {
  const guilds = Array.from({ length: 2501 }, () => ({ members: 0 }));
  const stage = new Stage({ guilds });
  const client = await stage.dial();
  assertEquals(await stage.closeCodeAfter(client, () => client.identify()), 4011);
  const half = await stage.identified({ shard: [0, 2] });
  assertEquals([half.end, half.frames[1]?.d.guilds.length], [null, 1251]);
});

Deno.test("identify: a malformed body is closed with 4002", async () => {
  const malformed: Record<string, unknown>[] = [
    { token: undefined },
    { token: 1 },
    { properties: undefined },
    { properties: [] },
    { properties: { os: 1 } },
    { compress: "yes" },
    { large_threshold: 49 },
    { large_threshold: 251 },
    { large_threshold: "50" },
    { presence: { status: "away" } },
    { capabilities: "1" },
  ];
  for (const changes of malformed) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(
      await stage.closeCodeAfter(client, () => client.identify(changes)),
      4002,
      JSON.stringify(changes),
    );
  }
  for (const d of [null, 1, "identify", []]) {
    const stage = new Stage();
    const client = await stage.dial();
    assertEquals(await stage.closeCodeAfter(client, () => client.send(2, d)), 4002, JSON.stringify(d));
  }
});

Deno.test("identify: everything that may be in the body is accepted", async () => {
  const stage = new Stage();
  const client = await stage.identified({
    properties: { os: "linux", browser: "b", device: "d" },
    compress: false,
    large_threshold: 250,
    shard: [0, 1],
    presence: {
      since: null,
      activities: [{ name: "a", type: 4, state: "s" }],
      status: "invisible",
      afk: false,
    },
    capabilities: 32_768,
  });
  assertEquals(client.heard.at(-1), "READY");
});

Deno.test("identify: a second IDENTIFY, or RESUME after it, is closed with 4005", async () => {
  const stage = new Stage({ maxConcurrency: 2 });
  const first = await stage.identified();
  assertEquals(await stage.closeCodeAfter(first, () => first.identify({ shard: [1, 2] })), 4005);
  const second = await stage.identified({ shard: [1, 2] });
  assertEquals(await stage.closeCodeAfter(second, () => second.resume("x", 1)), 4005);
});

Deno.test("identify: a second one of the same key within 5 s gets op 9 false, and 5 s later READY", async () => {
  const stage = new Stage({ maxConcurrency: 2 });
  const heard = async (shard: number[]) => (await stage.identified({ shard })).heard.at(-1);
  assertEquals(await heard([0, 4]), "READY");
  assertEquals(await heard([1, 4]), "READY");
  await stage.clock.advance(4999);
  assertEquals(await heard([2, 4]), "op 9");
  assertEquals(stage.discord.journal.violations().length, 1);
  await stage.clock.advance(1);
  assertEquals(await heard([2, 4]), "READY");
  assertEquals(await heard([3, 4]), "READY");
  assertEquals(stage.discord.sessions.length, 4);
});

Deno.test("identify: every one costs budget, the refused one too, and the day gives it back", async () => {
  const stage = new Stage({ identifyLimit: { total: 10, remaining: 3, resetAfter: 3_600_000 } });
  const limit = async () => {
    const answer = await stage.discord.fetch("https://discord.com/api/v10/gateway/bot", {
      headers: { authorization: `Bot ${stage.discord.token}` },
    });
    return (await answer.json()).session_start_limit;
  };
  assertEquals(await limit(), { total: 10, remaining: 3, reset_after: 3_600_000, max_concurrency: 1 });
  await stage.identified();
  await stage.identified();
  assertEquals((await limit()).remaining, 1);
  await stage.clock.advance(3_599_999);
  assertEquals(await limit(), { total: 10, remaining: 1, reset_after: 1, max_concurrency: 1 });
  await stage.clock.advance(1);
  assertEquals(await limit(), { total: 10, remaining: 10, reset_after: 86_400_000, max_concurrency: 1 });
  await stage.clock.advance(3 * 86_400_000 + 1);
  assertEquals((await limit()).reset_after, 86_399_999);
});

Deno.test("identify: one beyond the day's budget ends all sessions and resets the token", async () => {
  const stage = new Stage({ identifyLimit: { remaining: 1 } });
  const first = await stage.identified();
  const second = await stage.dial();
  assertEquals(await stage.closeCodeAfter(second, () => second.identify()), 4004);
  assertEquals([first.end?.code, stage.discord.sessions.length, stage.discord.tokenReset], [4004, 0, true]);
  assert(stage.discord.journal.of("session").some(({ change }) => change === "token reset"));
  const third = await stage.dial();
  assertEquals(await stage.closeCodeAfter(third, () => third.identify()), 4004);
  const answer = await stage.discord.fetch("https://discord.com/api/v10/gateway/bot", {
    headers: { authorization: `Bot ${stage.discord.token}` },
  });
  assertEquals(answer.status, 401);
});

Deno.test("identify: on the resume URL it is noted, and works", async () => {
  const stage = new Stage();
  const client = await stage.dial(RESUME_URL);
  client.identify();
  await stage.settle();
  assertEquals(client.heard.at(-1), "READY");
  assertEquals(stage.discord.journal.violations().map(({ code }) => code), [null]);
  assertEquals(stage.discord.journal.dials().map(({ url }) => url), [RESUME_URL]);
});

Deno.test("identify: several sessions of the same shard live side by side", async () => {
  const stage = new Stage();
  const first = await stage.identified({ intents: 512 });
  await stage.clock.advance(5000);
  const second = await stage.identified({ intents: 512 });
  stage.discord.sendMessage({ content: "to both" });
  await stage.settle();
  assertEquals([first.heard.at(-1), second.heard.at(-1)], ["MESSAGE_CREATE", "MESSAGE_CREATE"]);
  assertEquals(stage.discord.connections.map(({ url }) => url), [GATEWAY_URL, GATEWAY_URL]);
});

Deno.test("identify: guilds spread over the shards by their ids", async () => {
  const stage = new Stage({ guilds: Array.from({ length: 8 }, () => ({})), maxConcurrency: 16, shards: 4 });
  const counts: number[] = [];
  for (let id = 0; id < 4; id++) {
    const client = await stage.identified({ intents: 1, shard: [id, 4] });
    counts.push(client.bodies("GUILD_CREATE").length);
  }
  assertEquals(counts, [2, 2, 2, 2]);
});

Deno.test("identify: the five seconds may be shorter, for tests in real time", async () => {
  const stage = new Stage({ identifyPeriod: 400 });
  const heard = async () => (await stage.identified()).heard.at(-1);
  assertEquals([await heard(), await heard()], ["READY", "op 9"]);
  await stage.clock.advance(400);
  assertEquals(await heard(), "READY");
});

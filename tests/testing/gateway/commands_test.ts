import { assertEquals } from "@std/assert";
import { type RawClient, Stage } from "../../raw_client.ts";

const GUILD_MEMBERS = 2;
const GUILD_PRESENCES = 256;
const GUILD_VOICE_STATES = 128;

async function opened(intents: number, members: number | string[] = ["alice", "bob", "alina"]): Promise<{
  stage: Stage;
  client: RawClient;
  guildId: string;
}> {
  const stage = new Stage({
    guilds: [{
      members,
      channels: ["general", { name: "voice", type: 2, id: "77" }, { name: "other", type: 2 }],
    }],
  });
  return { stage, client: await stage.identified({ intents }), guildId: stage.discord.guilds[0]?.id ?? "" };
}

Deno.test("commands: a bad body is closed with 4001", async () => {
  const presence = { since: null, activities: [], status: "online", afk: false };
  const voice = { guild_id: "1", channel_id: null, self_mute: false, self_deaf: false };
  const bad: [op: number, d: unknown][] = [
    [3, null],
    [3, { ...presence, since: "now" }],
    [3, { ...presence, activities: null }],
    [3, { ...presence, activities: [{ name: "a" }] }],
    [3, { ...presence, activities: [{ name: "a", type: 6 }] }],
    [3, { ...presence, status: "away" }],
    [3, { ...presence, afk: undefined }],
    [4, []],
    [4, { ...voice, guild_id: 1 }],
    [4, { ...voice, channel_id: undefined }],
    [4, { ...voice, self_mute: undefined }],
    [4, { ...voice, self_deaf: 0 }],
    [8, {}],
    [8, { guild_id: ["1"], query: "", limit: 0 }],
    [8, { guild_id: "1" }],
    [8, { guild_id: "1", query: "a" }],
    [8, { guild_id: "1", query: "a", limit: -1 }],
    [8, { guild_id: "1", query: 1, limit: 0 }],
    [8, { guild_id: "1", query: "", limit: 0, user_ids: ["1"] }],
    [8, { guild_id: "1", user_ids: [1] }],
    [8, { guild_id: "1", user_ids: Array(101).fill("1") }],
    [8, { guild_id: "1", query: "", limit: 0, presences: 1 }],
    [8, { guild_id: "1", query: "", limit: 0, nonce: 1 }],
    [31, {}],
    [31, { guild_ids: "1" }],
    [31, { guild_ids: [1] }],
    [43, { guild_id: "1" }],
    [43, { guild_id: "1", fields: "status" }],
    [43, { guild_id: "1", fields: ["name"] }],
    [43, { fields: ["status"] }],
  ];
  for (const [op, d] of bad) {
    const stage = new Stage();
    const client = await stage.identified();
    assertEquals(
      await stage.closeCodeAfter(client, () => client.send(op, d)),
      4001,
      `op ${op} ${JSON.stringify(d)}`,
    );
  }
});

Deno.test("commands: op 3 is taken with every status", async () => {
  const { stage, client } = await opened(0);
  for (const status of ["online", "dnd", "idle", "invisible", "offline"]) {
    const activities = [{ name: "a", type: 1, url: "https://twitch.tv/a" }];
    client.send(3, { since: 91_879_201, activities, status, afk: true });
  }
  await stage.settle();
  assertEquals([client.end, client.heard.length, stage.discord.journal.violations()], [null, 2, []]);
});

Deno.test("commands: the sixth presence of a session in 20 s is dropped without a word, and noted", async () => {
  const { stage, client } = await opened(0);
  const send = async (since: number) => {
    client.send(3, { since, activities: [], status: "idle", afk: false });
    await stage.settle();
    return stage.discord.presence?.since;
  };
  assertEquals(stage.discord.presence, null);
  for (let n = 0; n < 5; n++) assertEquals(await send(n), n);
  await stage.clock.advance(19_999);
  assertEquals(await send(5), 4);
  assertEquals(stage.discord.journal.violations().map(({ code, rule }) => [code, rule]), [
    [null, "at most 5 presence updates in any 20000 ms"],
  ]);
  assertEquals([client.end, client.heard.length], [null, 2]);
  await stage.clock.advance(1);
  assertEquals(await send(6), 6);
  // Another session counts for itself.
  await stage.clock.advance(5_000);
  const other = await stage.identified();
  other.send(3, { since: 7, activities: [], status: "idle", afk: false });
  await stage.settle();
  assertEquals([stage.discord.presence?.since, stage.discord.journal.violations().length], [7, 1]);
});

Deno.test("commands: the limit of presences is the test's to choose", async () => {
  const stage = new Stage({ presenceLimit: { limit: 1, periodMs: 1_000 } });
  const client = await stage.identified();
  for (const since of [1, 2]) client.send(3, { since, activities: [], status: "idle", afk: false });
  await stage.settle();
  assertEquals(stage.discord.presence?.since, 1);
});

Deno.test("commands: op 4 joins with VOICE_STATE_UPDATE and VOICE_SERVER_UPDATE, and leaves with the former", async () => {
  const { stage, client, guildId } = await opened(GUILD_VOICE_STATES);
  const voice = { guild_id: guildId, channel_id: "77", self_mute: false, self_deaf: true };
  client.send(4, voice);
  await stage.settle();
  assertEquals(client.heard.slice(2), ["VOICE_STATE_UPDATE", "VOICE_SERVER_UPDATE"]);
  const [state] = client.bodies("VOICE_STATE_UPDATE");
  assertEquals([state.channel_id, state.user_id, state.self_deaf, state.session_id], [
    "77",
    stage.discord.user.id,
    true,
    stage.discord.sessions[0]?.id,
  ]);
  assertEquals(Object.keys(client.bodies("VOICE_SERVER_UPDATE")[0]), ["token", "guild_id", "endpoint"]);

  // Muting is no move, and leaving needs no server.
  client.send(4, { ...voice, self_mute: true });
  client.send(4, { ...voice, channel_id: null });
  client.send(4, { ...voice, channel_id: null });
  await stage.settle();
  assertEquals(client.heard.slice(4), ["VOICE_STATE_UPDATE", "VOICE_STATE_UPDATE"]);
  assertEquals(client.bodies("VOICE_STATE_UPDATE").at(-1).channel_id, null);
});

Deno.test("commands: op 4 without GUILD_VOICE_STATES brings the server only", async () => {
  const { stage, client, guildId } = await opened(0);
  client.send(4, { guild_id: guildId, channel_id: "77", self_mute: false, self_deaf: false });
  await stage.settle();
  assertEquals(client.heard.slice(2), ["VOICE_SERVER_UPDATE"]);
});

Deno.test("commands: what cannot be is ignored, and noted", async () => {
  const { stage, client, guildId } = await opened(GUILD_VOICE_STATES);
  const general = stage.discord.guilds[0]?.channels[0]?.id;
  client.send(4, { guild_id: guildId, channel_id: general, self_mute: false, self_deaf: false });
  client.send(4, { guild_id: "1", channel_id: null, self_mute: false, self_deaf: false });
  client.send(8, { guild_id: "1", query: "a", limit: 1 });
  client.send(8, { guild_id: guildId, query: "", limit: 0 });
  client.send(43, { guild_id: "1", fields: ["status"] });
  await stage.settle();
  assertEquals(client.heard.slice(2), []);
  assertEquals(stage.discord.journal.violations().map(({ code }) => code), Array(5).fill(null));
});

Deno.test("commands: a guild of another shard is not asked about", async () => {
  const stage = new Stage({ guilds: [{}, {}] });
  const client = await stage.identified({ intents: GUILD_MEMBERS, shard: [0, 2] });
  client.send(8, { guild_id: stage.discord.guilds[1]?.id, query: "", limit: 0 });
  await stage.settle();
  assertEquals([client.heard.length, stage.discord.journal.violations().length], [2, 1]);
});

Deno.test("commands: op 8 answers everybody in chunks of 1000", async () => {
  const { stage, client, guildId } = await opened(GUILD_MEMBERS, 2500);
  client.send(8, { guild_id: guildId, query: "", limit: 0, nonce: "n".repeat(32) });
  await stage.settle();
  const chunks = client.bodies("GUILD_MEMBERS_CHUNK");
  assertEquals(chunks.map((chunk) => [chunk.chunk_index, chunk.chunk_count, chunk.members.length]), [
    [0, 3, 1000],
    [1, 3, 1000],
    [2, 3, 501],
  ]);
  assertEquals(chunks.every((chunk) => chunk.nonce === "n".repeat(32) && chunk.guild_id === guildId), true);
  assertEquals(
    new Set(chunks.flatMap((chunk) => chunk.members.map(({ user }: { user: { id: string } }) => user.id)))
      .size,
    2501,
  );
});

Deno.test("commands: op 8 answers a prefix with at most limit and never more than 100", async () => {
  const { stage, client, guildId } = await opened(0);
  client.send(8, { guild_id: guildId, query: "ALI", limit: 10 });
  client.send(8, { guild_id: guildId, query: "ali", limit: 1 });
  client.send(8, { guild_id: guildId, query: "nobody", limit: 1 });
  await stage.settle();
  const chunks = client.bodies("GUILD_MEMBERS_CHUNK");
  assertEquals(chunks.map(({ members, chunk_count }) => [members.length, chunk_count]), [[2, 1], [1, 1], [
    0,
    1,
  ]]);
  const crowd = await opened(0, 150);
  crowd.client.send(8, { guild_id: crowd.guildId, query: "member", limit: 1000 });
  await crowd.stage.settle();
  assertEquals(crowd.client.bodies("GUILD_MEMBERS_CHUNK")[0].members.length, 100);
});

Deno.test("commands: op 8 answers ids, and says which it did not find", async () => {
  const { stage, client, guildId } = await opened(0);
  const alice = stage.discord.guilds[0]?.members[1]?.user.id;
  client.send(8, { guild_id: guildId, user_ids: [alice, "5"] });
  client.send(8, { guild_id: guildId, user_ids: alice });
  await stage.settle();
  const [both, one] = client.bodies("GUILD_MEMBERS_CHUNK");
  assertEquals([both.members.length, both.not_found], [1, ["5"]]);
  assertEquals([one.members[0].user.id, "not_found" in one], [alice, false]);
});

Deno.test("commands: op 8 brings presences with GUILD_PRESENCES only", async () => {
  for (const [intents, there] of [[0, false], [GUILD_PRESENCES, true]] as const) {
    const { stage, client, guildId } = await opened(intents);
    client.send(8, { guild_id: guildId, query: "a", limit: 1, presences: true });
    await stage.settle();
    assertEquals("presences" in client.bodies("GUILD_MEMBERS_CHUNK")[0], there);
  }
});

Deno.test("commands: a nonce of more than 32 bytes is dropped from the response, and noted", async () => {
  const { stage, client, guildId } = await opened(0);
  client.send(8, { guild_id: guildId, query: "a", limit: 1, nonce: "é".repeat(17) });
  await stage.settle();
  assertEquals("nonce" in client.bodies("GUILD_MEMBERS_CHUNK")[0], false);
  assertEquals(stage.discord.journal.violations().length, 1);
});

Deno.test("commands: everybody asked for twice within 30 s gets RATE_LIMITED, in seconds and with the nonce", async () => {
  const { stage, client, guildId } = await opened(GUILD_MEMBERS);
  const ask = async (nonce: string) => {
    client.send(8, { guild_id: guildId, query: "", limit: 0, nonce });
    await stage.settle();
    return client.frames.at(-1);
  };
  assertEquals((await ask("a"))?.t, "GUILD_MEMBERS_CHUNK");
  await stage.clock.advance(17_500);
  const limited = await ask("b");
  assertEquals(limited?.t, "RATE_LIMITED");
  assertEquals(limited?.d, { opcode: 8, retry_after: 12.5, meta: { guild_id: guildId, nonce: "b" } });
  // A part of the members is no full request.
  client.send(8, { guild_id: guildId, query: "a", limit: 1 });
  await stage.clock.advance(12_500);
  assertEquals((await ask("c"))?.t, "GUILD_MEMBERS_CHUNK");
  assertEquals([client.end, client.heard.filter((name) => name === "RATE_LIMITED").length], [null, 1]);
});

Deno.test("commands: op 31 answers one SOUNDBOARD_SOUNDS per guild", async () => {
  const stage = new Stage({ guilds: [{}, {}] });
  const client = await stage.identified();
  const ids = stage.discord.guilds.map(({ id }) => id);
  client.send(31, { guild_ids: [...ids, "1"] });
  await stage.settle();
  assertEquals(
    client.bodies("SOUNDBOARD_SOUNDS"),
    ids.map((id) => ({ guild_id: id, soundboard_sounds: [] })),
  );
});

Deno.test("commands: op 43 answers CHANNEL_INFO with the fields that were asked for", async () => {
  const { stage, client, guildId } = await opened(0);
  client.send(43, { guild_id: guildId, fields: ["status"] });
  client.send(43, { guild_id: guildId, fields: ["status", "voice_start_time"] });
  await stage.settle();
  const [some, all] = client.bodies("CHANNEL_INFO");
  assertEquals(some.guild_id, guildId);
  assertEquals(some.channels[0], { id: "77", status: null });
  assertEquals(all.channels[0], { id: "77", status: null, voice_start_time: null });
  assertEquals(all.channels.length, 2);
});

/** From the first event asked for to the last one given: how a shard starts, what it says, and what comes out. */

import { assertEquals, assertThrows } from "@std/assert";
import { GatewayIntent, SessionRecordError, Shard } from "../../mod.ts";
import { FakeDiscord, VirtualClock } from "../fake/mod.ts";
import { assertQuiet, Play, settled } from "./harness.ts";

Deno.test("shard: nothing is opened before an event is asked for", async () => {
  const play = new Play();
  const iterator = play.shard[Symbol.asyncIterator]();
  await play.clock.advance(60_000);
  assertEquals(play.discord.journal.entries, []);
  assertEquals([play.clock.pending, play.states.length], [0, 0]);

  const next = iterator.next();
  await play.clock.advance(0);
  assertEquals((await next).value?.t, "READY");
  await play.shard.close();
});

Deno.test("shard: asking for the stream opens nothing either, reading from it does", async () => {
  const play = new Play();
  const reader = play.shard.events.getReader();
  await play.clock.advance(60_000);
  assertEquals(play.discord.journal.entries, []);
  const first = reader.read();
  await play.clock.advance(0);
  assertEquals((await first).value?.t, "READY");
  await reader.cancel();
  assertQuiet(play);
});

Deno.test("shard: a first connection asks for the gateway, identifies once, and tells of READY", async () => {
  const play = await new Play().live();
  const { journal } = play.discord;
  assertEquals(journal.of("rest").map(({ path }) => path), ["/api/v10/gateway/bot"]);
  assertEquals(journal.dials().map(({ url }) => url), ["wss://gateway.fake.invalid/?v=10&encoding=json"]);
  assertEquals(journal.identifies().length, 1);
  assertEquals(play.names, ["READY"]);
  await play.shard.close();
  assertEquals(journal.violations(), []);
});

Deno.test("shard: IDENTIFY says what the options say [case 25]", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock, guilds: [] });
  const shard = new Shard({
    token: discord.token,
    dial: discord.dial,
    fetch: discord.fetch,
    platform: clock,
    shard: [1, 4],
    guildEvents: ["MESSAGE_CREATE", "GUILD_CREATE"],
    directMessageEvents: ["MESSAGE_CREATE"],
    events: ["READY"],
    intents: GatewayIntent.MESSAGE_CONTENT,
    gateway: {
      largeThreshold: 250,
      capabilities: 32_768,
      properties: { os: "plan9" },
      presence: { since: null, activities: [], status: "idle", afk: false },
    },
  });
  const { value } = await settled(clock, shard[Symbol.asyncIterator]().next());
  assertEquals(value?.t, "READY");
  assertEquals(discord.journal.identifies()[0]?.d, {
    token: "[token]",
    intents: GatewayIntent.GUILDS | GatewayIntent.GUILD_MESSAGES | GatewayIntent.DIRECT_MESSAGES |
      GatewayIntent.MESSAGE_CONTENT,
    properties: { os: "plan9", browser: "discordgateway", device: "discordgateway" },
    shard: [1, 4],
    presence: { since: null, activities: [], status: "idle", afk: false },
    large_threshold: 250,
    capabilities: 32_768,
  });
  await shard.close();
});

Deno.test("shard: the query of a given URL is kept, version and encoding are added [case 25]", async () => {
  const play = await new Play({ url: "wss://proxy.test:8080/gateway?region=eu" }).live();
  assertEquals(
    play.discord.journal.dials()[0]?.url,
    "wss://proxy.test:8080/gateway?region=eu&v=10&encoding=json",
  );
  assertEquals(play.discord.journal.of("rest"), [], "nobody is asked for what is given");
  await play.shard.close();
});

Deno.test("shard: events that were not asked for do not come out, and their numbers count", async () => {
  const play = await new Play({ intents: GatewayIntent.GUILDS | GatewayIntent.GUILD_MESSAGE_TYPING }).live();
  play.discord.dispatch("TYPING_START", { guild_id: play.discord.guilds[0]?.id });
  const [id] = play.write();
  play.discord.dispatch("TYPING_START", { guild_id: play.discord.guilds[0]?.id });
  play.discord.dispatch("AN_EVENT_OF_TOMORROW", {});
  await play.clock.advance(0);
  assertEquals(play.names, ["READY", "MESSAGE_CREATE"]);
  assertEquals(play.messageIds, [id]);
  // READY, GUILD_CREATE, and the four.
  assertEquals(play.shard.session?.sequence, 6);
  await play.shard.close();
});

Deno.test("shard: intents alone give every event, of tomorrow as well [case 27]", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  const shard = new Shard({
    token: discord.token,
    dial: discord.dial,
    fetch: discord.fetch,
    platform: clock,
    intents: GatewayIntent.GUILDS,
  });
  const names: string[] = [];
  const run = shard.run(({ t }) => void names.push(t));
  await clock.advance(0);
  discord.dispatch("AN_EVENT_OF_TOMORROW", {});
  discord.dispatch("RATE_LIMITED", { opcode: 8, retry_after: 1.5, meta: { guild_id: "1" } }, { shardId: 0 });
  await clock.advance(0);
  assertEquals(names, ["READY", "GUILD_CREATE", "AN_EVENT_OF_TOMORROW", "RATE_LIMITED"]);
  assertEquals(shard.session?.sequence, 4);
  await shard.close();
  await run;
});

Deno.test("shard: RATE_LIMITED comes out as it is, and its number counts [case 33]", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  const shard = new Shard({
    token: discord.token,
    dial: discord.dial,
    fetch: discord.fetch,
    platform: clock,
    events: ["RATE_LIMITED"],
  });
  const iterator = shard[Symbol.asyncIterator]();
  const next = iterator.next();
  await clock.advance(0);
  const body = { opcode: 8, retry_after: 29.5, meta: { guild_id: "1", nonce: "n" } };
  discord.dispatch("RATE_LIMITED", body);
  const { value: event } = await settled(clock, next);
  assertEquals([event?.t, event?.s], ["RATE_LIMITED", 2]);
  assertEquals(event?.d as unknown, body);
  await shard.close();
});

Deno.test("shard: a shard cannot be made from nothing", () => {
  const options = { token: "x", intents: 0 };
  assertThrows(() => new Shard({ ...options, token: "" }), TypeError, "the token is missing");
  assertThrows(() => new Shard({ token: "x" }), TypeError, "name the events wanted, or give intents");
  assertThrows(() => new Shard({ ...options, session: JSON.parse("{}") }), SessionRecordError);
  assertEquals(new Shard(options).status, { state: "idle" });
});

/** All members of a guild, once per guild in 30 s: waited for by ourselves, and where Discord says otherwise, as it says. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { type GatewayCommand, RequestError, Shard } from "../../../mod.ts";
import { askedAt, crowd, everybody, guildOf, Reading, timesAsked } from "./asking.ts";
import { assertQuiet } from "../harness.ts";

Deno.test("shard: the same guild is asked for everybody once in 30 s; other guilds and other commands do not wait", async () => {
  const play = await crowd(10, { fake: { guilds: [{ members: 10 }, { members: 20 }] } }).live();
  const [one, two] = play.discord.guilds.map(({ id }) => id);
  assert(one && two);
  const readings = [one, one, two, one].map((guild) =>
    new Reading(play.shard.requestGuildMembers(everybody(guild)))
  );
  const start = play.clock.now();
  await play.clock.advance(0);
  assertEquals(readings.map(({ end }) => end), [null, undefined, null, undefined]);
  assertEquals(play.shard.commands.waiting, 2);
  const part = new Reading(play.shard.requestGuildMembers({ guild_id: one, query: "member", limit: 5 }));
  await play.shard.send({ op: 31, d: { guild_ids: [] } });
  await play.clock.advance(0);
  assertEquals([part.end, timesAsked(play, 31)], [null, 1]);
  // The deadline of 30 s does not run while it waits: at most one minute is fine.
  await play.clock.advance(60_500);
  assertEquals(readings.map(({ end }) => end), [null, null, null, null]);
  assertEquals(askedAt(play, 8).map((at) => at - start), [0, 0, 0, 30_250, 60_500]);
  assertEquals(play.discord.journal.sent("RATE_LIMITED"), 0);
  assertEquals(play.discord.journal.violations(), []);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a full request given to send() waits for its guild too, and in one line with the iterator's", async () => {
  const play = await crowd(10).live();
  const command: GatewayCommand = { op: 8, d: everybody(guildOf(play)) };
  const start = play.clock.now();
  const first = play.shard.send(command);
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  const last = play.shard.send(command);
  assertEquals(await first, "sent");
  await play.clock.advance(61_000);
  assertEquals([await last, reading.end], ["sent", null]);
  assertEquals(askedAt(play, 8).map((at) => at - start), [0, 30_250, 60_500]);
  assertEquals(play.discord.journal.sent("RATE_LIMITED"), 0);
  await play.shard.close();
});

Deno.test("shard: RATE_LIMITED sends the request again after its retry_after, and the caller only waits longer", async () => {
  const play = await crowd(1_500).live();
  const guild = guildOf(play);
  // Another process of the bot, which has asked for the same guild a moment before.
  const other = crowd(1_500, { discord: play.discord, clock: play.clock });
  await play.clock.advance(5_250);
  await other.live();
  const first = new Reading(other.shard.requestGuildMembers(everybody(guild)));
  await play.clock.advance(7_500);
  assertEquals(first.end, null);
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guild), { deadlineMs: 1_000 }));
  await play.clock.advance(0);
  assertEquals(play.discord.journal.sent("RATE_LIMITED"), 1);
  await play.clock.advance(22_499);
  assertEquals([reading.end, timesAsked(play, 8)], [undefined, 2]);
  await play.clock.advance(1);
  assertEquals([reading.end, reading.responses.length, timesAsked(play, 8)], [null, 2, 3]);
  // It did not come out as an event.
  assertEquals(play.names, ["READY"]);
  await play.shard.close();
  await other.shard.close();
});

/** RATE_LIMITED as it might come, and for how long the request then rests, in ms. */
const BODIES: readonly (readonly [what: string, body: (guild: string) => unknown, restMs: number])[] = [
  ["without a nonce", (guild) => ({ opcode: 8, retry_after: 12.5, meta: { guild_id: guild } }), 12_500],
  ["with a nonce of null", (guild) => ({
    opcode: 8,
    retry_after: 2,
    meta: { guild_id: guild, nonce: null },
  }), 2_000],
  ["without meta", () => ({ opcode: 8, retry_after: 3.0001 }), 3_001],
  ["with nothing but a nonce", () => ({ opcode: 8, retry_after: 4, meta: { nonce: "mine" } }), 4_000],
  ["at once", () => ({ opcode: 8, retry_after: 0, meta: { nonce: "mine" } }), 0],
  ["without a time", () => ({ opcode: 8, meta: { nonce: "mine" } }), 30_000],
  ["with a time that is none", () => ({ opcode: 8, retry_after: "soon", meta: { nonce: "mine" } }), 30_000],
  ["with a negative time", () => ({ opcode: 8, retry_after: -5, meta: { nonce: "mine" } }), 30_000],
];

for (const [what, body, restMs] of BODIES) {
  Deno.test(`shard: RATE_LIMITED ${what} is understood [case 33]`, async () => {
    const play = await crowd(10, { commandLimits: { guildMembersPeriodMs: 1 } }).live();
    const guild = guildOf(play);
    play.discord.faults.muteResponses = 1;
    const request = { guild_id: guild, query: "member", limit: 5, nonce: "mine" };
    const reading = new Reading(play.shard.requestGuildMembers(request, { deadlineMs: 1_000 }));
    await play.clock.advance(500);
    play.discord.dispatch("RATE_LIMITED", body(guild), { shardId: 0 });
    await play.clock.advance(0);
    if (restMs > 0) {
      await play.clock.advance(restMs - 1);
      assertEquals([timesAsked(play, 8), reading.end], [1, undefined]);
      await play.clock.advance(1);
    }
    assertEquals([timesAsked(play, 8), reading.end, reading.responses.length], [2, null, 1]);
    await play.shard.close();
    assertQuiet(play);
  });
}

const STRANGERS: readonly (readonly [what: string, body: unknown])[] = [
  ["about another opcode", { opcode: 31, retry_after: 5, meta: {} }],
  ["about another nonce", { opcode: 8, retry_after: 5, meta: { guild_id: "5", nonce: "other" } }],
  ["about another guild", { opcode: 8, retry_after: 5, meta: { guild_id: "5" } }],
  ["without anything", {}],
  ["without a body", null],
];

for (const [what, body] of STRANGERS) {
  Deno.test(`shard: RATE_LIMITED ${what} leaves a request alone`, async () => {
    const play = await crowd(10).live();
    play.discord.faults.muteResponses = 1;
    const request = { guild_id: guildOf(play), query: "member", limit: 5, nonce: "mine" };
    const reading = new Reading(play.shard.requestGuildMembers(request, { deadlineMs: 1_000 }));
    await play.clock.advance(500);
    play.discord.dispatch("RATE_LIMITED", body, { shardId: 0 });
    await play.clock.advance(499);
    assertEquals([reading.end, play.shard.status.state], [undefined, "live"]);
    await play.clock.advance(1);
    assertInstanceOf(reading.end, RequestError);
    assertEquals(timesAsked(play, 8), 1);
    await play.shard.close();
  });
}

Deno.test("shard: RATE_LIMITED without a nonce is taken by the first request that has no response yet", async () => {
  const play = await crowd(2_500).live();
  const guild_id = guildOf(play);
  play.discord.faults.loseResponses = [2];
  const begun = new Reading(play.shard.requestGuildMembers(everybody(guild_id)));
  await play.clock.advance(0);
  play.discord.faults.muteResponses = 1;
  const silent = new Reading(play.shard.requestGuildMembers({ guild_id, query: "member-1", limit: 1 }));
  await play.clock.advance(0);
  play.discord.dispatch("RATE_LIMITED", { opcode: 8, retry_after: 1, meta: { guild_id } });
  await play.clock.advance(1_000);
  assertEquals([begun.end, begun.responses.length, silent.end, silent.responses.length], [
    undefined,
    2,
    null,
    1,
  ]);
  assertEquals(timesAsked(play, 8), 3);
  await play.shard.close();
});

Deno.test("shard: RATE_LIMITED comes out as an event where it is asked for, and shuts the guild for send() too [case 33]", async () => {
  const { discord, clock } = crowd(10);
  const { token, dial, fetch } = discord;
  const guild = discord.guilds[0]!.id;
  const shard = new Shard({ token, events: ["RATE_LIMITED"], intents: 2, dial, fetch, platform: clock });
  const waits: number[] = [];
  const running = shard.run((event) => {
    if (event.t === "RATE_LIMITED") waits.push(event.d.retry_after);
  });
  await clock.runUntil(() => shard.status.state === "live");
  discord.dispatch("RATE_LIMITED", { opcode: 8, retry_after: 60, meta: { guild_id: guild } });
  await clock.advance(0);
  assertEquals(waits, [60]);
  const start = clock.now();
  const sending = shard.send({ op: 8, d: everybody(guild) });
  await clock.advance(59_999);
  assertEquals(shard.commands.waiting, 1);
  await clock.advance(1);
  assertEquals([await sending, clock.now() - start], ["sent", 60_000]);
  await shard.close();
  await running;
});

Deno.test("shard: the members of 2,000 guilds are requested within the budget, long after the first one's period", async () => {
  const play = await crowd(1, { fake: { guilds: Array.from({ length: 2_000 }, () => ({ members: 1 })) } })
    .live();
  const readings = play.discord.guilds.map(({ id }) =>
    new Reading(play.shard.requestGuildMembers(everybody(id), { deadlineMs: 5_000 }))
  );
  await play.clock.runUntil(() => readings.every(({ end }) => end !== undefined));
  assertEquals(readings.filter(({ end }) => end !== null), []);
  assert(play.clock.now() > 16 * 60_000, `${play.clock.now()}`);
  assertEquals(play.discord.journal.violations(), []);
  assertEquals(play.discord.journal.dials().length, 1);
  await play.shard.close();
  assertQuiet(play);
});

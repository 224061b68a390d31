/** `requestSoundboardSounds()` and `requestChannelInfo()`: one response for each guild. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { CommandError, CommandNotSentError, RequestError } from "../../../mod.ts";
import { Reading, timesAsked } from "./asking.ts";
import { assertQuiet, Play, settled } from "../harness.ts";

const TWO_GUILDS = { guilds: [{}, {}] };

function guildIds({ discord }: Play): string[] {
  return discord.guilds.map(({ id }) => id);
}

Deno.test("shard: the sounds of each guild come as Discord sends them, in any order", async () => {
  const play = await new Play({ fake: TWO_GUILDS }).live();
  play.discord.faults.reverseResponses = true;
  const [one, two] = guildIds(play);
  assert(one && two);
  const reading = new Reading(play.shard.requestSoundboardSounds([one, two, one]));
  await play.clock.advance(0);
  assertEquals(reading.end, null);
  assertEquals(reading.responses, [
    { guild_id: two, soundboard_sounds: [] },
    { guild_id: one, soundboard_sounds: [] },
  ]);
  assertEquals(play.discord.journal.of("frame").at(-1)?.d, { guild_ids: [one, two] });
  assertEquals([play.names, play.discord.journal.violations()], [["READY"], []]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a guild without a response is named by the error", async () => {
  const play = await new Play({ fake: TWO_GUILDS }).live();
  const [one, two] = guildIds(play);
  assert(one && two);
  const reading = new Reading(play.shard.requestSoundboardSounds([one, "5", two]));
  await play.clock.advance(29_999);
  assertEquals([reading.end, reading.responses.length], [undefined, 2]);
  await play.clock.advance(1);
  assertInstanceOf(reading.end, RequestError);
  const { code, received, expected, missing, command } = reading.end;
  assertEquals([code, received, expected, missing], ["ERR_REQUEST_DEADLINE", 2, 3, ["5"]]);
  assertEquals(command, { op: 31, d: { guild_ids: ["5"] } });
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: what is no id and no list is refused before it is sent", async () => {
  const play = await new Play().live();
  const given = (text: string) => JSON.parse(text);
  for (const guildIds of ["null", '"123"', "[5]", '["1",""]']) {
    const error = assertThrows(() => play.shard.requestSoundboardSounds(given(guildIds)), CommandError);
    assertEquals(error.message, `Cannot send op 31: guild_ids is a list of ids: ${guildIds}`);
  }
  for (
    const [guildId, fields, rule] of [
      ['""', '["status"]', 'guild_id is an id: ""'],
      ["5", '["status"]', "guild_id is an id: 5"],
      ['"5"', "null", "fields is a list of status and voice_start_time: null"],
      ['"5"', '"status"', 'fields is a list of status and voice_start_time: "status"'],
    ] as const
  ) {
    const error = await assertRejects(
      () => play.shard.requestChannelInfo(given(guildId), given(fields)),
      CommandError,
    );
    assertEquals(error.message, `Cannot send op 43: ${rule}`);
  }
  assertEquals([timesAsked(play, 31), timesAsked(play, 43), play.shard.status.state], [0, 0, "live"]);
  await play.shard.close();
});

Deno.test("shard: no guild needs no request, too many fit in no frame", async () => {
  const play = await new Play().live();
  const { available } = play.shard.commands;
  assertEquals(await Array.fromAsync(play.shard.requestSoundboardSounds([])), []);
  const crowd = Array.from({ length: 250 }, (_, n) => `${6_134_256_486_855_475n + BigInt(n)}`);
  const error = await assertRejects(
    () => play.shard.requestSoundboardSounds(crowd).next(),
    CommandError,
  );
  assert(error.code === "ERR_PAYLOAD_TOO_LARGE" && Number(error.bytes) > 4096);
  assertEquals(error.message, `Cannot send op 31: a frame has at most 4096 bytes: ${error.bytes}`);
  assertEquals([timesAsked(play, 31), play.shard.commands.available], [0, available]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: after a lost session only the guilds that are missing are asked for again", async () => {
  const play = await new Play({ fake: TWO_GUILDS }).live();
  const ids = guildIds(play);
  play.discord.faults.loseResponses = [1];
  const reading = new Reading(play.shard.requestSoundboardSounds(ids));
  await play.clock.advance(0);
  play.connection.invalidateSession(false);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, reading.responses.map(({ guild_id }) => guild_id)], [null, ids]);
  assertEquals(play.discord.journal.of("frame").at(-1)?.d, { guild_ids: [ids[1]] });
  await play.shard.close();
});

Deno.test("shard: two requests for the sounds of one guild have a response each", async () => {
  const play = await new Play().live();
  const readings = [1, 2].map(() => new Reading(play.shard.requestSoundboardSounds(guildIds(play))));
  await play.clock.advance(0);
  assertEquals(readings.map(({ end, responses }) => [end, responses.length]), [[null, 1], [null, 1]]);
  await play.shard.close();
});

Deno.test("shard: channel info is one response, awaited [case 35]", async () => {
  const play = await new Play({
    fake: { guilds: [{ channels: ["general", { name: "voice", type: 2, id: "77" }] }] },
  }).live();
  const [guild] = guildIds(play);
  assert(guild);
  const asking = play.shard.requestChannelInfo(guild, ["status", "voice_start_time"]);
  await play.clock.advance(0);
  assertEquals(await asking, {
    guild_id: guild,
    channels: [{ id: "77", status: null, voice_start_time: null }],
  });
  assertEquals(play.discord.journal.of("frame").at(-1)?.d, {
    guild_id: guild,
    fields: ["status", "voice_start_time"],
  });
  assertEquals([play.names, play.discord.journal.violations()], [["READY"], []]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: channel info of several guilds at once, and twice of one, each gets its own", async () => {
  const channels = [{ name: "voice", type: 2 }];
  const play = await new Play({ fake: { guilds: [{ channels }, { channels }] } }).live();
  const [one, two] = guildIds(play);
  assert(one && two);
  const asking = Promise.all([
    play.shard.requestChannelInfo(one, ["status"]),
    play.shard.requestChannelInfo(two, ["status"]),
    play.shard.requestChannelInfo(one, ["voice_start_time"]),
  ]);
  await play.clock.advance(0);
  const answers = await asking;
  assertEquals(answers.map(({ guild_id }) => guild_id), [one, two, one]);
  assertEquals(answers.map(({ channels }) => Object.keys(channels[0] ?? {})), [
    ["id", "status"],
    ["id", "status"],
    ["id", "voice_start_time"],
  ]);
  await play.shard.close();
});

Deno.test("shard: channel info that does not come is an error, and an abort ends the wait", async () => {
  const play = await new Play().live();
  const late = play.shard.requestChannelInfo("5", ["status"], { deadlineMs: 4_000 }).catch((error) => error);
  const abort = new AbortController();
  const reason = new Error("enough");
  const aborted = assertRejects(() =>
    play.shard.requestChannelInfo("6", ["status"], { signal: abort.signal })
  );
  await play.clock.advance(3_999);
  abort.abort(reason);
  assertStrictEquals(await aborted, reason);
  await play.clock.advance(1);
  const error = await late;
  assertInstanceOf(error, RequestError);
  assertEquals([error.received, error.expected, error.missing], [0, 1, ["5"]]);
  assertEquals(error.message, "Cannot complete op 43: the next response comes within 4000 ms: 0 of 1 came");
  await play.shard.close();
  await assertRejects(() => play.shard.requestChannelInfo("5", ["status"]), CommandNotSentError);
  assertQuiet(play);
});

Deno.test("shard: should Discord limit op 43 one day, it waits and asks again", async () => {
  const play = await new Play().live();
  const [guild] = guildIds(play);
  assert(guild);
  play.discord.faults.muteResponses = 1;
  const asking = play.shard.requestChannelInfo(guild, ["status"], { deadlineMs: 1_000 });
  await play.clock.advance(0);
  play.discord.dispatch("RATE_LIMITED", { opcode: 43, retry_after: 7, meta: { guild_id: guild } });
  await play.clock.advance(6_999);
  assertEquals(timesAsked(play, 43), 1);
  await play.clock.advance(1);
  assertEquals((await asking).guild_id, guild);
  await play.shard.close();
});

Deno.test("shard: a request takes no response, and no RATE_LIMITED, before it was sent itself", async () => {
  const play = await new Play().live();
  const guild = guildIds(play)[0] ?? "";
  const limited = (retry_after: number) => {
    play.discord.dispatch("RATE_LIMITED", { opcode: 43, retry_after, meta: { guild_id: guild } });
  };
  const answer = (id: string) =>
    play.discord.dispatch("CHANNEL_INFO", { guild_id: guild, channels: [{ id }] });
  play.discord.faults.muteResponses = 2;
  const first = play.shard.requestChannelInfo(guild, ["status"]);
  await play.clock.advance(0);
  limited(10);
  await play.clock.advance(0);
  const second = play.shard.requestChannelInfo(guild, ["status"]);
  await play.clock.advance(5_000);
  assertEquals(play.shard.commands.waiting, 2);
  // Both wait for 10 s: this one refers to a command of send().
  limited(60);
  // The first was sent once, so a response may be its own; the second was not.
  answer("1");
  answer("2");
  await play.clock.advance(0);
  assertEquals((await first).channels, [{ id: "1" }]);
  assertEquals(play.shard.commands.waiting, 1);
  await play.clock.advance(5_000);
  assertEquals([timesAsked(play, 43), play.shard.commands.waiting], [2, 0]);
  answer("3");
  await play.clock.advance(0);
  assertEquals((await second).channels, [{ id: "3" }]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: requests of high priority go before what waits", async () => {
  const play = new Play();
  const low = play.shard.send({ op: 31, d: { guild_ids: [] } });
  const [guild] = guildIds(play);
  assert(guild);
  const high = play.shard.requestChannelInfo(guild, ["status"], { priority: "high" });
  await play.live();
  await Promise.all([low, high]);
  assertEquals(play.discord.journal.of("frame").map(({ op }) => op), [2, 43, 31]);
  await play.shard.close();
});

Deno.test("shard: the response to a request that the caller left is not taken for another's", async () => {
  const play = await new Play({ fake: { guilds: [{ channels: [{ name: "voice", type: 2, id: "77" }] }] } })
    .live();
  const [guild = ""] = guildIds(play);
  const abort = new AbortController();
  const left = play.shard.requestChannelInfo(guild, ["status"], { signal: abort.signal });
  const other = play.shard.requestChannelInfo(guild, ["voice_start_time"]);
  abort.abort("enough");
  assertEquals(await left.catch((error) => error), "enough");
  await play.clock.advance(0);
  assertEquals((await other).channels, [{ id: "77", voice_start_time: null }]);
  assertEquals(timesAsked(play, 43), 2);
  assertEquals(play.names, ["READY"], "nobody named the event");
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a request that the caller left is awaited until its deadline, or the next connection, and not forever", async () => {
  const play = await new Play().live();
  const [guild = ""] = guildIds(play);
  const giveUp = async (deadlineMs: number) => {
    play.discord.faults.muteResponses = 1;
    const abort = new AbortController();
    const left = play.shard.requestChannelInfo(guild, ["status"], { deadlineMs, signal: abort.signal });
    left.catch(() => {});
    await play.clock.advance(0);
    abort.abort("enough");
    assertEquals(await left.catch((error) => error), "enough");
  };
  const other = () => settled(play.clock, play.shard.requestChannelInfo(guild, ["status"]));
  await giveUp(5_000);
  await play.clock.advance(5_000);
  assertEquals((await other()).guild_id, guild);
  await giveUp(1_000_000);
  play.connection.drop();
  await play.untilState("live");
  assertEquals((await other()).guild_id, guild);
  await giveUp(1_000_000);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a request that overtook another one in the queue gets its own response, not the other's", async () => {
  // Both wait for READY, and are written before the first response comes.
  const play = new Play({ fake: { guilds: [{ channels: [{ name: "voice", type: 2, id: "77" }] }] } });
  const [guild = ""] = guildIds(play);
  const low = play.shard.requestChannelInfo(guild, ["status"]);
  const high = play.shard.requestChannelInfo(guild, ["voice_start_time"], { priority: "high" });
  await play.live();
  await play.clock.advance(0);
  assertEquals((await high).channels, [{ id: "77", voice_start_time: null }]);
  assertEquals((await low).channels, [{ id: "77", status: null }]);
  await play.shard.close();
  assertQuiet(play);
});

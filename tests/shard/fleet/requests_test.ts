/** A fleet's requests: through the guild's shard, split and merged, and over the end of a shard. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { CommandError, CommandNotSentError, MissingOptionError, RequestError } from "../../../mod.ts";
import { Fleet, ShardNotHereError } from "../../../shard/fleet/mod.ts";
import { everybody, Reading } from "../commands/asking.ts";
import { assertQuiet, commandsOf, FleetPlay, type FleetPlayOptions } from "./harness.ts";

/** GUILDS and GUILD_MEMBERS. */
const INTENTS = 1 | 1 << 1;

/** A fleet of four that is live, its guild n on shard n % 4. */
async function four({ fake, ...options }: FleetPlayOptions = {}): Promise<FleetPlay> {
  const play = new FleetPlay({
    intents: INTENTS,
    ...options,
    fake: { shards: 4, maxConcurrency: 16, ...fake },
  });
  return await play.live(4);
}

/** The ids of some guilds. */
function ids({ discord }: FleetPlay, ...guilds: number[]): string[] {
  return guilds.map((guild) => discord.guilds[guild]!.id);
}

/** A reshard to so many that is not waited for, with what it ended with. */
function resharding({ fleet }: FleetPlay, to: number): { error: unknown } {
  const outcome = { error: undefined as unknown };
  fleet.reshard(to, { overlapMs: 1_000 }).then(() => outcome.error = null, (error) => outcome.error = error);
  return outcome;
}

Deno.test("fleet: members are asked for on the guild's shard", async () => {
  const guilds = Array.from({ length: 12 }, (_, guild) => ({ members: guild === 6 ? 2_500 : 1 }));
  const play = await four({ fake: { guilds } });
  const [guild = ""] = ids(play, 6);
  const reading = new Reading(play.fleet.requestGuildMembers(everybody(guild)));
  await play.settle();
  assertEquals([reading.end, reading.responses.map(({ members }) => members.length)], [null, [
    1000,
    1000,
    501,
  ]]);
  assertEquals(commandsOf(play).map(({ op, shard }) => [op, shard]), [[8, "2/4"]]);
  await play.close();
});

Deno.test("fleet: sounds of guilds of several shards are asked of each, and come as they are given", async () => {
  const play = await four();
  const guildIds = ids(play, 0, 1, 4, 2, 5, 0);
  const reading = new Reading(play.fleet.requestSoundboardSounds(guildIds));
  await play.settle();
  assertEquals(reading.end, null);
  assertEquals(reading.responses.map(({ guild_id }) => guild_id).sort(), ids(play, 0, 1, 2, 4, 5).sort());
  assertEquals(commandsOf(play), [
    { op: 31, shard: "0/4", d: { guild_ids: ids(play, 0, 4) } },
    { op: 31, shard: "1/4", d: { guild_ids: ids(play, 1, 5) } },
    { op: 31, shard: "2/4", d: { guild_ids: ids(play, 2) } },
  ]);
  assertEquals(await Array.fromAsync(play.fleet.requestSoundboardSounds([])), []);
  await play.close();
});

Deno.test("fleet: where one shard fails the others' answers come first; where several do, all errors are there", async () => {
  const play = await four();
  const [here = ""] = ids(play, 0);
  // Guilds of shards 1 and 2 that do not exist.
  const [one, two] = [`${41n << 22n}`, `${42n << 22n}`];
  const reading = new Reading(play.fleet.requestSoundboardSounds([one, here], { deadlineMs: 5_000 }));
  await play.clock.advance(5_000);
  assertEquals(reading.responses.length, 1);
  assertInstanceOf(reading.end, RequestError);
  assertEquals([reading.end.code, reading.end.missing], ["ERR_REQUEST_DEADLINE", [one]]);

  const both = new Reading(play.fleet.requestSoundboardSounds([one, two, here], { deadlineMs: 5_000 }));
  await play.clock.advance(5_000);
  assertEquals(both.responses.length, 1);
  assertInstanceOf(both.end, AggregateError);
  assertEquals(both.end.errors.map((error) => error instanceof RequestError && error.missing), [[one], [
    two,
  ]]);
  await play.close();
});

Deno.test("fleet: a channel's info is asked for on the guild's shard", async () => {
  const play = await four();
  const [guild = ""] = ids(play, 3);
  const info = await play.fleet.requestChannelInfo(guild, ["status"]);
  assertEquals(info.guild_id, guild);
  assertEquals(commandsOf(play).map(({ op, shard }) => [op, shard]), [[43, "3/4"]]);
  await play.close();
});

Deno.test("fleet: a list that is open when its shard goes in a reshard is gone on with by the next, and nothing comes twice", async () => {
  const guilds = Array.from({ length: 12 }, (_, guild) => ({ members: guild === 6 ? 2_500 : 1 }));
  const play = await four({ fake: { guilds } });
  const [guild = ""] = ids(play, 6);
  play.discord.faults.loseResponses.push(1);
  const reading = new Reading(
    play.fleet.requestGuildMembers(everybody(guild), { deadlineMs: 600_000 }),
  );
  await play.settle();
  assertEquals(reading.responses.map(({ chunk_index }) => chunk_index), [0, 2]);
  const outcome = resharding(play, 8);
  await play.clock.runUntil(() => outcome.error !== undefined && reading.end !== undefined);
  assertEquals([outcome.error, reading.end], [null, null]);
  assertEquals(reading.responses.map(({ chunk_index }) => chunk_index), [0, 2, 1]);
  assertEquals(commandsOf(play).filter(({ op }) => op === 8).map(({ shard }) => shard), ["gone", "6/8"]);
  await play.close();
});

Deno.test("fleet: sounds and channel info that are open when their shards go are asked of the next", async () => {
  const play = await four();
  const guildIds = ids(play, 0, 4, 8, 1);
  play.discord.faults.muteResponses = 3;
  const options = { deadlineMs: 600_000 };
  const sounds = new Reading(play.fleet.requestSoundboardSounds(guildIds, options));
  const info = play.fleet.requestChannelInfo(guildIds[1]!, ["status"], options);
  let answered = false;
  info.then(() => answered = true);
  await play.settle();
  assertEquals([sounds.responses, answered], [[], false]);
  const outcome = resharding(play, 3);
  await play.clock.runUntil(() => outcome.error !== undefined && answered && sounds.end !== undefined);
  assertEquals([outcome.error, sounds.end], [null, null]);
  assertEquals(sounds.responses.map(({ guild_id }) => guild_id).sort(), [...guildIds].sort());
  // What was one shard's is asked of three now.
  const asked = commandsOf(play).filter(({ op, shard }) => op === 31 && shard !== "gone");
  assertEquals(asked.map(({ shard }) => shard).sort(), ["0/3", "1/3", "1/3", "2/3"]);
  await play.close();
});

Deno.test("fleet: a request goes on through a restart, with the session and without", async () => {
  for (const resume of [true, false]) {
    const play = await four();
    const [guild = ""] = ids(play, 1);
    play.discord.faults.muteResponses = 1;
    const reading = new Reading(play.fleet.requestSoundboardSounds([guild], { deadlineMs: 600_000 }));
    await play.settle();
    const restarting = play.fleet.restart(1, { resume });
    await play.clock.runUntil(() => reading.end !== undefined);
    await restarting;
    assertEquals([reading.end, reading.responses.length], [null, 1]);
    await play.close();
  }
});

Deno.test("fleet: a request before the start waits for its shard; one of a fleet that closes gets a typed error", async () => {
  const play = new FleetPlay({ intents: INTENTS, fake: { shards: 4, maxConcurrency: 16 } });
  const [guild = ""] = ids(play, 2);
  const early = new Reading(play.fleet.requestSoundboardSounds([guild]));
  await play.live(4);
  await play.clock.runUntil(() => early.end !== undefined);
  assertEquals([early.end, early.responses.length], [null, 1]);

  play.discord.faults.muteResponses = 2;
  const open = new Reading(play.fleet.requestSoundboardSounds([guild]));
  const info = play.fleet.requestChannelInfo(guild, ["status"]).catch((error: unknown) => error);
  await play.settle();
  await play.close();
  assertInstanceOf(open.end, RequestError);
  assertEquals(open.end.code, "ERR_REQUEST_CLOSED");
  assertInstanceOf(await info, RequestError);

  const idle = new Fleet({ token: "token", intents: 0 });
  const never = new Reading(idle.requestSoundboardSounds([guild]));
  await idle.close();
  await play.settle();
  assertInstanceOf(never.end, CommandNotSentError);
});

Deno.test("fleet: a request of a stopped shard fails, and is not asked elsewhere", async () => {
  const play = await four();
  const [guild = ""] = ids(play, 1);
  play.discord.faults.muteResponses = 1;
  const reading = new Reading(play.fleet.requestSoundboardSounds([guild]));
  await play.settle();
  play.connection(1).close(4004);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertInstanceOf(reading.end, RequestError);
  assertEquals([reading.end.code, reading.end.missing], ["ERR_REQUEST_CLOSED", [guild]]);
  await play.close();
});

Deno.test("fleet: a request that is left, or given up, asks no more, and nothing waits for it", async () => {
  const play = await four();
  const guildIds = ids(play, 0, 1, 2);
  play.discord.faults.muteResponses = 6;
  const left = play.fleet.requestSoundboardSounds(guildIds);
  const next = left.next();
  await play.settle();
  await left.return();
  assertEquals(await next, { done: true, value: undefined });

  const giveUp = new AbortController();
  const given = new Reading(play.fleet.requestSoundboardSounds(guildIds, { signal: giveUp.signal }));
  await play.settle();
  giveUp.abort("enough");
  await play.settle();
  assertEquals(given.end, "enough");

  // Left between two answers.
  let count = 0;
  for await (const _ of play.fleet.requestSoundboardSounds(guildIds)) if (++count === 2) break;
  await play.close();
  assertQuiet(play);
});

Deno.test("fleet: what Discord would not accept is said at once, and a guild of another process by name", async () => {
  const play = await four({ shards: { ids: [0, 1, 2, 3], count: 8 }, intents: 1 });
  const [here = "", there = ""] = ids(play, 0, 5);
  assertThrows(() => play.fleet.requestGuildMembers({ guild_id: here, query: "", limit: -1 }), CommandError);
  assertThrows(() => play.fleet.requestGuildMembers(everybody(here)), MissingOptionError, "GUILD_MEMBERS");
  const error = await assertRejects(
    () => play.fleet.requestChannelInfo(there, ["status"]),
    ShardNotHereError,
  );
  assertEquals([error.shardId, error.shardCount], [5, 8]);
  const reading = new Reading(play.fleet.requestSoundboardSounds([here, there]));
  await play.settle();
  assertEquals(reading.responses.length, 1);
  assertInstanceOf(reading.end, ShardNotHereError);
  await play.close();
});

Deno.test("fleet: the budget of commands of each shard is in the status", async () => {
  const play = await four();
  const before = play.fleet.status.shards.map(({ commands }) => commands.available);
  assert(before.every((available) => available > 100), `${before}`);
  await play.fleet.requestChannelInfo(ids(play, 2)[0]!, ["status"]);
  const spent = play.fleet.status.shards.map(({ commands }, shard) => before[shard]! - commands.available);
  assertEquals(spent, [0, 0, 1, 0]);
  await play.close();
});

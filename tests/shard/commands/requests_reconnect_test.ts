/** Requests over reconnects: what was cut is replayed, what was lost is asked for again, and nothing comes twice. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { RequestError } from "../../../mod.ts";
import { crowd, everybody, guildOf, Reading, timesAsked } from "./asking.ts";
import { assertQuiet, Play } from "../harness.ts";
import { Puppet } from "../puppet.ts";

/** The indexes of the chunks that came. */
function indexes({ responses }: Reading<{ readonly chunk_index: number }>): number[] {
  return responses.map(({ chunk_index }) => chunk_index);
}

Deno.test("shard: a stream of chunks that is cut goes on after the resume, and is not asked for again", async () => {
  const play = await crowd(4_500).live();
  play.discord.faults.cutAfterResponses = 2;
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  await play.clock.advance(0);
  assertEquals(indexes(reading), [0, 1]);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, indexes(reading)], [null, [0, 1, 2, 3, 4]]);
  assertEquals([timesAsked(play, 8), play.discord.journal.resumes().length], [1, 1]);
  assertEquals(play.discord.journal.violations(), []);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: after a lost session it is sent again, and only what is missing is delivered", async () => {
  const play = await crowd(4_500).live();
  play.discord.faults.cutAfterResponses = 2;
  play.discord.faults.refuseResumes = 1;
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  await play.clock.advance(0);
  assertEquals(indexes(reading), [0, 1]);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, indexes(reading)], [null, [0, 1, 2, 3, 4]]);
  assertEquals([timesAsked(play, 8), play.discord.journal.identifies().length], [2, 2]);
  // The guild's 30 s count on the new session as well.
  assertEquals(play.discord.journal.sent("RATE_LIMITED"), 0);
  assertEquals(play.names, ["READY", "SESSION_GAP", "READY"]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a chunk that has changed meanwhile is delivered again rather than missed", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test", intents: 2 }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  const members = (...ids: string[]) => ids.map((id) => ({ user: { id } }));
  const chunk = (chunk_index: number, ...ids: string[]) => ({
    guild_id: "1",
    nonce: "mine",
    chunk_index,
    chunk_count: 3,
    members: members(...ids),
  });
  const reading = new Reading(play.shard.requestGuildMembers({ ...everybody("1"), nonce: "mine" }));
  await play.clock.advance(0);
  puppet.socket.dispatch("GUILD_MEMBERS_CHUNK", 2, chunk(0, "1", "2", "3"));
  puppet.socket.dispatch("GUILD_MEMBERS_CHUNK", 3, chunk(1, "4", "5", "6"));
  puppet.socket.say(9, false);
  await play.clock.runUntil(() => puppet.sockets.length === 2);
  puppet.socket.hello();
  await play.clock.advance(6_000);
  puppet.socket.ready("another");
  await play.clock.advance(31_000);
  assertEquals(puppet.socket.ops.includes(8), true);
  puppet.socket.dispatch("GUILD_MEMBERS_CHUNK", 2, chunk(2, "8", "9"));
  await play.clock.advance(0);
  assertEquals(reading.end, undefined, "three chunks of this answer are due, whatever came before");
  puppet.socket.dispatch("GUILD_MEMBERS_CHUNK", 3, chunk(0, "1", "2", "3"));
  // Member 4 has left, and all others moved up.
  puppet.socket.dispatch("GUILD_MEMBERS_CHUNK", 4, chunk(1, "5", "6", "7"));
  await play.clock.advance(0);
  assertEquals(reading.end, null);
  assertEquals(reading.responses.map((each) => each.members.map(({ user }) => user?.id).join()), [
    "1,2,3",
    "4,5,6",
    "8,9",
    "5,6,7",
  ]);
  await play.shard.close();
});

Deno.test("shard: op 9 in the middle of a stream of chunks: the rest comes on the new session", async () => {
  const play = await crowd(3_500).live();
  play.discord.faults.loseResponses = [2, 3];
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  await play.clock.advance(1_000);
  assertEquals(indexes(reading), [0, 1]);
  play.connection.invalidateSession(false);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, indexes(reading)], [null, [0, 1, 2, 3]]);
  await play.shard.close();
});

Deno.test("shard: on a new session a request is asked again at once, not after its deadline", async () => {
  const play = await new Play().live();
  const guild = play.discord.guilds[0]!.id;
  play.discord.faults.muteResponses = 1;
  const info = play.shard.requestChannelInfo(guild, ["status"]);
  await play.clock.advance(1_000);
  play.connection.invalidateSession(false);
  await play.clock.advance(0);
  await play.untilState("live");
  const liveAt = play.clock.now();
  assertEquals((await info).guild_id, guild);
  assertEquals(play.discord.journal.of("frame").filter(({ op }) => op === 43).at(-1)?.at, liveAt);
  await play.shard.close();
});

Deno.test("shard: a request that got lost with its connection is asked once more after the resume", async () => {
  const play = await crowd(10).live();
  play.discord.faults.muteResponses = 1;
  const request = { guild_id: guildOf(play), query: "member", limit: 3 };
  const reading = new Reading(play.shard.requestGuildMembers(request, { deadlineMs: 5_000 }));
  await play.clock.advance(0);
  // As if Discord had never read it.
  play.connection.drop();
  await play.untilState("live");
  const resumedAt = play.clock.now();
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, reading.responses[0]?.members.length], [null, 3]);
  assertEquals([timesAsked(play, 8), play.clock.now() - resumedAt], [2, 5_000]);
  await play.shard.close();
});

Deno.test("shard: a response goes to the request that was sent on this connection, not to one that was lost", async () => {
  const play = await new Play({ fake: { guilds: [{ channels: [{ name: "voice", type: 2, id: "77" }] }] } })
    .live();
  const guild = guildOf(play);
  play.discord.faults.muteResponses = 1;
  const lost = play.shard.requestChannelInfo(guild, ["status"], { deadlineMs: 5_000 });
  await play.clock.advance(0);
  play.connection.drop();
  await play.untilState("live");
  const resumedAt = play.clock.now();
  const { channels } = await play.shard.requestChannelInfo(guild, ["voice_start_time"]);
  assertEquals(channels, [{ id: "77", voice_start_time: null }]);
  assertEquals(play.clock.now(), resumedAt);
  await play.clock.advance(5_000);
  assertEquals((await lost).channels, [{ id: "77", status: null }]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: asked once more in vain, it is an error", async () => {
  const play = await crowd(10).live();
  play.discord.faults.muteResponses = 2;
  const request = { guild_id: guildOf(play), query: "member", limit: 3 };
  const reading = new Reading(play.shard.requestGuildMembers(request, { deadlineMs: 5_000 }));
  await play.clock.advance(0);
  play.connection.drop();
  await play.untilState("live");
  await play.clock.runUntil(() => reading.end !== undefined);
  assertInstanceOf(reading.end, RequestError);
  assertEquals(timesAsked(play, 8), 2);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a request that Discord closes for each time is an error the second time, not an identify each time", async () => {
  for (const code of [4001, 4002]) {
    const play = await new Play().live();
    play.discord.faults.muteResponses = Infinity;
    const guild = guildOf(play);
    const reading = new Reading(play.shard.requestSoundboardSounds([guild], { deadlineMs: 5_000 }));
    await play.clock.advance(0);
    play.connection.close(code);
    await play.clock.runUntil(() => timesAsked(play, 31) === 2);
    assertEquals(reading.end, undefined, "once it may have been another frame");
    play.connection.close(code);
    await play.clock.advance(0);
    assertInstanceOf(reading.end, RequestError);
    assertEquals(
      [reading.end.code, reading.end.message, reading.end.missing],
      [
        "ERR_REQUEST_REFUSED",
        `Cannot complete op 31: Discord closes with ${code} each time it is asked: 0 of 1 came`,
        [guild],
      ],
    );
    await play.clock.advance(600_000);
    assertEquals([timesAsked(play, 31), play.shard.status.state], [2, "live"]);
    await play.shard.close();
    assertQuiet(play);
  }
});

Deno.test("shard: any other close is no fault of a request, however often it comes", async () => {
  const play = await new Play().live();
  play.discord.faults.muteResponses = Infinity;
  const reading = new Reading(play.shard.requestSoundboardSounds([guildOf(play)], { deadlineMs: 5_000 }));
  await play.clock.advance(0);
  for (const [index, code] of [4000, 4009, 4007, 4000].entries()) {
    play.connection.close(code);
    await play.clock.runUntil(() => timesAsked(play, 31) === index + 2);
  }
  play.discord.faults.muteResponses = 0;
  play.connection.close(4000);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, reading.responses.length], [null, 1]);
  await play.shard.close();
});

Deno.test("shard: a response shows that Discord understands the request", async () => {
  const play = await new Play({ fake: { guilds: [{}, {}] } }).live();
  const [one, two] = play.discord.guilds.map(({ id }) => id);
  assert(one && two);
  play.discord.faults.muteResponses = 1;
  const reading = new Reading(play.shard.requestSoundboardSounds([one, two], { deadlineMs: 5_000 }));
  await play.clock.advance(0);
  play.discord.faults.loseResponses = [1];
  play.connection.close(4001);
  await play.clock.runUntil(() => reading.responses.length === 1);
  // The connection may go for another reason now: the request was read on it.
  play.connection.close(4001);
  play.discord.faults.muteResponses = 1;
  await play.clock.runUntil(() => timesAsked(play, 31) === 3);
  play.connection.close(4001);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, reading.responses.length], [null, 2]);
  await play.shard.close();
});

Deno.test("shard: the deadline does not run while there is no connection", async () => {
  const play = await crowd(2_500).live();
  play.discord.faults.cutAfterResponses = 1;
  play.discord.faults.rejectDials = Array(8).fill(503);
  const start = play.clock.now();
  const reading = new Reading(
    play.shard.requestGuildMembers(everybody(guildOf(play)), { deadlineMs: 2_000 }),
  );
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, indexes(reading)], [null, [0, 1, 2]]);
  assertEquals(play.clock.now() - start > 10_000, true, `${play.clock.now() - start}`);
  await play.shard.close();
});

Deno.test("shard: a request before the start, and one while it reconnects, wait for the session like any command", async () => {
  const play = crowd(10);
  const first = new Reading(
    play.shard.requestGuildMembers(everybody(guildOf(play)), { deadlineMs: 1_000 }),
  );
  await play.clock.advance(60_000);
  assertEquals(first.end, undefined);
  await play.live();
  await play.clock.advance(0);
  assertEquals(first.end, null);
  play.connection.close(4000);
  const request = { guild_id: guildOf(play), user_ids: ["5"] };
  const second = new Reading(play.shard.requestGuildMembers(request, { deadlineMs: 1_000 }));
  await play.clock.runUntil(() => second.end !== undefined);
  assertEquals([second.end, second.responses[0]?.not_found], [null, ["5"]]);
  await play.shard.close();
});

Deno.test("shard: a request whose write fails is asked on the next connection", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  puppet.socket.sendError = new Error("broken pipe");
  const info = play.shard.requestChannelInfo("1", ["status"]);
  await play.clock.runUntil(() => puppet.sockets.length === 2);
  puppet.socket.hello();
  puppet.socket.dispatch("RESUMED", 2);
  await play.clock.advance(0);
  assertEquals(puppet.socket.ops, [6, 43]);
  puppet.socket.dispatch("CHANNEL_INFO", 3, { guild_id: "1", channels: [] });
  assertEquals(await info, { guild_id: "1", channels: [] });
  await play.shard.close();
  assertEquals(play.clock.pending, 0);
});

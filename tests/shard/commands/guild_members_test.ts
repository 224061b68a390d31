/** `requestGuildMembers()`: chunks matched by their nonce, delivered once each, until all have come. */

import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  CommandError,
  CommandNotSentError,
  type GuildMembersChunk,
  MissingOptionError,
  RequestError,
  type RequestGuildMembers,
  Shard,
} from "../../../mod.ts";
import { crowd, everybody, guildOf, Reading, timesAsked } from "./asking.ts";
import { assertQuiet, field } from "../harness.ts";
import { watched } from "../../ratelimit/watched_signal.ts";

/** Their ids, in order. */
function memberIds(chunks: readonly GuildMembersChunk[]): (string | undefined)[] {
  return chunks.flatMap(({ members }) => members.map(({ user }) => user?.id));
}

Deno.test("shard: all members of a guild come in chunks, each once, and the iteration ends with the last", async () => {
  const play = await crowd(2_500).live();
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  await play.clock.advance(0);
  assertEquals(reading.end, null);
  assertEquals(reading.responses.map((chunk) => [chunk.chunk_index, chunk.members.length]), [
    [0, 1_000],
    [1, 1_000],
    [2, 501],
  ]);
  assertEquals(new Set(memberIds(reading.responses)).size, 2_501);
  // The program did not name the chunks as events.
  assertEquals(play.names, ["READY"]);
  assertEquals(play.shard.queued.peak, 0);
  assertEquals(play.discord.journal.violations(), []);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: once the request is over its chunks are dropped unseen again", async () => {
  const play = await crowd(10).live();
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  await play.clock.advance(0);
  assertEquals(reading.end, null);
  // Not even parsed: this is no JSON.
  play.connection.sendRaw('{"t":"GUILD_MEMBERS_CHUNK","s":4,"op":0,"d":{"broken');
  play.connection.sendRaw('{"t":"RATE_LIMITED","s":5,"op":0,"d":{"broken');
  await play.clock.advance(0);
  assertEquals([play.shard.status.state, play.shard.session?.sequence], ["live", 5]);
  await play.shard.close();
});

Deno.test("shard: a program that names GUILD_MEMBERS_CHUNK gets each chunk in both ways", async () => {
  const own = crowd(1_500);
  const events: string[] = [];
  const both = new Shard({
    token: own.discord.token,
    events: ["GUILD_MEMBERS_CHUNK", "READY"],
    intents: 2,
    dial: own.discord.dial,
    fetch: own.discord.fetch,
    platform: own.clock,
  });
  const running = both.run(({ t }) => void events.push(t));
  await own.clock.runUntil(() => both.status.state === "live");
  const reading = new Reading(both.requestGuildMembers(everybody(guildOf(own))));
  await own.clock.advance(0);
  assertEquals([reading.end, reading.responses.length], [null, 2]);
  assertEquals(events, ["READY", "GUILD_MEMBERS_CHUNK", "GUILD_MEMBERS_CHUNK"]);
  await both.close();
  await running;
});

Deno.test("shard: a program that gives intents alone gets the chunks as events, too", async () => {
  const { discord, clock } = crowd(10);
  const { token, dial, fetch } = discord;
  const shard = new Shard({ token, intents: 2, dial, fetch, platform: clock });
  const events: string[] = [];
  const running = shard.run(({ t }) => void events.push(t));
  await clock.runUntil(() => shard.status.state === "live");
  const reading = new Reading(shard.requestGuildMembers(everybody(discord.guilds[0]!.id)));
  await clock.advance(0);
  assertEquals([reading.end, reading.responses.length], [null, 1]);
  assertEquals(events, ["READY", "GUILD_MEMBERS_CHUNK"]);
  await shard.close();
  await running;
});

Deno.test("shard: nothing is sent before the first chunk is asked for", async () => {
  const play = await crowd(10).live();
  const chunks = play.shard.requestGuildMembers(everybody(guildOf(play)));
  await play.clock.advance(60_000);
  assertEquals(timesAsked(play, 8), 0);
  const next = chunks.next();
  await play.clock.advance(0);
  assertEquals([timesAsked(play, 8), (await next).done], [1, false]);
  assertEquals(await chunks.next(), { done: true, value: undefined });
  await play.shard.close();
});

Deno.test("shard: members by their ids, and those that were not found", async () => {
  const play = await crowd(3).live();
  const guild = guildOf(play);
  const known = play.discord.guilds[0]!.members[1]!.user.id;
  const reading = new Reading(play.shard.requestGuildMembers({ guild_id: guild, user_ids: [known, "5"] }));
  await play.clock.advance(0);
  assertEquals(reading.end, null);
  assertEquals(memberIds(reading.responses), [known]);
  assertEquals(reading.responses[0]?.not_found, ["5"]);
  const one = new Reading(play.shard.requestGuildMembers({ guild_id: guild, user_ids: known }));
  await play.clock.advance(0);
  assertEquals([one.end, memberIds(one.responses)], [null, [known]]);
  await play.shard.close();
});

Deno.test("shard: a name without a match gets one empty chunk, whatever its chunk_count is", async () => {
  for (const count of [0, 1, undefined]) {
    const play = await crowd(3).live();
    play.discord.faults.muteResponses = 1;
    const request = { guild_id: guildOf(play), query: "nobody", limit: 5, nonce: "mine" };
    const reading = new Reading(play.shard.requestGuildMembers(request));
    await play.clock.advance(0);
    play.discord.dispatch("GUILD_MEMBERS_CHUNK", {
      guild_id: guildOf(play),
      members: [],
      chunk_index: 0,
      chunk_count: count,
      nonce: "mine",
    });
    await play.clock.advance(0);
    assertEquals([reading.end, reading.responses.length, memberIds(reading.responses)], [null, 1, []]);
    await play.shard.close();
  }
});

Deno.test("shard: chunks of two requests at once go to the one that asked, by their nonces", async () => {
  const play = await crowd(1_500).live();
  const guild_id = guildOf(play);
  const readings = [
    new Reading(play.shard.requestGuildMembers(everybody(guild_id))),
    new Reading(play.shard.requestGuildMembers({ guild_id, query: "member-7", limit: 50 })),
    new Reading(play.shard.requestGuildMembers({ guild_id, query: "nobody", limit: 1, nonce: "my own" })),
  ];
  await play.clock.advance(0);
  assertEquals(readings.map(({ end }) => end), [null, null, null]);
  assertEquals(readings.map(({ responses }) => memberIds(responses).length), [1_501, 50, 0]);
  const nonces = play.discord.journal.of("frame").filter(({ op }) => op === 8).map(({ d }) =>
    field(d, "nonce")
  );
  assertEquals(nonces[2], "my own");
  assertEquals(new Set(nonces).size, 3);
  for (const nonce of nonces) {
    assert(typeof nonce === "string" && nonce.length > 0 && new TextEncoder().encode(nonce).length <= 32);
  }
  await play.shard.close();
});

Deno.test("shard: two open requests cannot have one nonce; one after the other can", async () => {
  const play = await crowd(10).live();
  const request = { guild_id: guildOf(play), query: "a", limit: 1, nonce: "mine" };
  play.discord.faults.muteResponses = 1;
  const open = new Reading(play.shard.requestGuildMembers(request));
  await play.clock.advance(0);
  const error = await assertRejects(() => play.shard.requestGuildMembers(request).next(), CommandError);
  assertEquals(error.message, "Cannot send op 8: a request with this nonce is open already");
  await play.clock.advance(30_000);
  assertInstanceOf(open.end, RequestError);
  const next = new Reading(play.shard.requestGuildMembers(request));
  await play.clock.advance(0);
  assertEquals([next.end, next.responses.length], [null, 1]);
  await play.shard.close();
});

Deno.test("shard: chunks in any order are all delivered", async () => {
  const play = await crowd(4_500).live();
  play.discord.faults.reverseResponses = true;
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  await play.clock.advance(0);
  assertEquals(reading.end, null);
  assertEquals(reading.responses.map(({ chunk_index }) => chunk_index), [4, 3, 2, 1, 0]);
  await play.shard.close();
});

Deno.test("shard: presences come with the chunks where they were asked for", async () => {
  const play = await crowd(10).live();
  const guild_id = guildOf(play);
  const request = { ...everybody(guild_id), presences: true };
  const reading = new Reading(play.shard.requestGuildMembers(request));
  await play.clock.advance(0);
  assertEquals([reading.end, reading.responses[0]?.presences], [null, []]);
  await play.shard.close();
});

Deno.test("shard: a chunk that is lost ends in an error that says how many came", async () => {
  const play = await crowd(2_500).live();
  play.discord.faults.loseResponses = [1];
  const start = play.clock.now();
  const reading = new Reading(
    play.shard.requestGuildMembers(everybody(guildOf(play)), { deadlineMs: 7_000 }),
  );
  await play.clock.advance(6_999);
  assertEquals([reading.end, reading.responses.length], [undefined, 2]);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals(play.clock.now() - start, 7_000);
  const error = reading.end;
  assertInstanceOf(error, RequestError);
  assertEquals([error.code, error.received, error.expected, error.command.op], [
    "ERR_REQUEST_DEADLINE",
    2,
    3,
    8,
  ]);
  assertEquals(error.message, "Cannot complete op 8: the next response comes within 7000 ms: 2 of 3 came");
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: no response at all is an error after 30 s, or after the given deadline", async () => {
  for (const [deadlineMs, expected] of [[undefined, 30_000], [1_000, 1_000]] as const) {
    const play = await crowd(10).live();
    play.discord.faults.muteResponses = 1;
    const start = play.clock.now();
    const reading = new Reading(
      play.shard.requestGuildMembers(everybody(guildOf(play)), { ...(deadlineMs && { deadlineMs }) }),
    );
    await play.clock.runUntil(() => reading.end !== undefined);
    assertEquals(play.clock.now() - start, expected);
    assertInstanceOf(reading.end, RequestError);
    assertEquals([reading.end.received, reading.end.expected], [0, null]);
    await play.shard.close();
    assertQuiet(play);
  }
});

Deno.test("shard: break ends the request: no timer, no listener stays, and nothing is wanted any more", async () => {
  const play = await crowd(2_500).live();
  const signal = watched(new AbortController().signal);
  let count = 0;
  const reading = (async () => {
    for await (const chunk of play.shard.requestGuildMembers(everybody(guildOf(play)), { signal })) {
      count += chunk.members.length;
      break;
    }
  })();
  await play.clock.advance(0);
  await reading;
  assertEquals([count, signal.listeners], [1_000, 0]);
  play.connection.sendRaw('{"t":"GUILD_MEMBERS_CHUNK","s":9,"op":0,"d":{"broken');
  await play.clock.advance(0);
  assertEquals(play.shard.status.state, "live");
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: an abort while the command still waits takes it out of the queue", async () => {
  const play = crowd(10);
  const chunks = play.shard.requestGuildMembers(everybody(guildOf(play)));
  const abort = new AbortController();
  const next = assertRejects(() => chunks.next());
  const other = assertRejects(() =>
    play.shard.requestGuildMembers(everybody(guildOf(play)), { signal: abort.signal }).next()
  );
  assertEquals(play.shard.commands.waiting, 2);
  const reason = new Error("not needed any more");
  abort.abort(reason);
  assertStrictEquals(await other, reason);
  assertEquals(play.shard.commands.waiting, 1);
  await play.shard.close();
  assertInstanceOf(await next, CommandNotSentError);
  await play.clock.advance(0);
  assertEquals([play.shard.commands.waiting, play.clock.pending], [0, 0]);
});

Deno.test("shard: return() ends a request at once, also while it waits for a response, and before it began", async () => {
  const play = await crowd(10).live();
  play.discord.faults.muteResponses = 1;
  const chunks = play.shard.requestGuildMembers(everybody(guildOf(play)));
  const next = chunks.next();
  await play.clock.advance(1_000);
  assertEquals(await chunks.return(), { done: true, value: undefined });
  assertEquals(await next, { done: true, value: undefined });
  {
    await using unread = play.shard.requestGuildMembers(everybody(guildOf(play)));
    assertStrictEquals(unread[Symbol.asyncIterator](), unread);
  }
  const unread = play.shard.requestGuildMembers(everybody(guildOf(play)));
  await unread.return();
  assertEquals([(await unread.next()).done, timesAsked(play, 8)], [true, 1]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: an abort ends the iteration at once with the signal's reason, also before it began", async () => {
  const play = await crowd(2_500).live();
  const abort = new AbortController();
  const signal = watched(abort.signal);
  const reason = new Error("enough");
  const reading = new Reading(
    play.shard.requestGuildMembers(everybody(guildOf(play)), { signal }),
    () => abort.abort(reason),
  );
  await play.clock.advance(0);
  assertEquals([reading.responses.length, signal.listeners], [1, 0]);
  assertStrictEquals(reading.end, reason);
  const late = play.shard.requestGuildMembers(everybody(guildOf(play)), { signal });
  assertStrictEquals(await assertRejects(() => late.next()), reason);
  assertEquals(timesAsked(play, 8), 1);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: closing the shard ends a request that was sent, after the chunks that came", async () => {
  const play = await crowd(2_500).live();
  play.discord.faults.loseResponses = [2];
  const chunks = play.shard.requestGuildMembers(everybody(guildOf(play)));
  const first = chunks.next();
  await play.clock.advance(0);
  assertEquals((await first).done, false);
  await play.shard.close();
  assertEquals((await chunks.next()).done, false);
  const error = await assertRejects(() => chunks.next(), RequestError);
  assertEquals([error.code, error.received, error.expected, error.cause], [
    "ERR_REQUEST_CLOSED",
    2,
    3,
    undefined,
  ]);
  assertEquals(error.message, "Cannot complete op 8: the shard is closed: 2 of 3 came");
  await assertRejects(
    () => play.shard.requestGuildMembers(everybody(guildOf(play))).next(),
    CommandNotSentError,
  );
  assertQuiet(play);
});

Deno.test("shard: what stopped the shard is the cause of the request's error", async () => {
  const play = await crowd(10).live();
  play.discord.faults.muteResponses = 1;
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))));
  await play.clock.advance(0);
  play.connection.close(4004);
  await play.clock.advance(0);
  assertInstanceOf(reading.end, RequestError);
  assertStrictEquals(reading.end.cause, await play.finished);
  assertEquals(reading.end.code, "ERR_REQUEST_CLOSED");
});

Deno.test("shard: what Discord would ignore for want of an intent is refused before it is sent", () => {
  const shard = new Shard({ token: "token", intents: 1 });
  const full = assertThrows(() => shard.requestGuildMembers(everybody("1")), MissingOptionError);
  assertEquals([full.code, full.missing], ["ERR_MISSING_INTENT", "GUILD_MEMBERS"]);
  assertEquals(
    full.message,
    "Cannot request guild members: the full list needs an intent that the shard has not: GUILD_MEMBERS",
  );
  const presences = assertThrows(
    () => shard.requestGuildMembers({ guild_id: "1", query: "a", limit: 1, presences: true }),
    MissingOptionError,
  );
  assertEquals(presences.missing, "GUILD_PRESENCES");
  // A part of the list needs none, and an event may bring the intent.
  shard.requestGuildMembers({ guild_id: "1", query: "", limit: 1 });
  shard.requestGuildMembers({ guild_id: "1", user_ids: "2", presences: false });
  new Shard({ token: "token", guildEvents: ["GUILD_MEMBER_ADD"] }).requestGuildMembers(everybody("1"));
});

Deno.test("shard: a malformed request is refused before it is sent", () => {
  const shard = new Shard({ token: "token", intents: 2 });
  const malformed: readonly (readonly [rule: string, request: string])[] = [
    ['guild_id is an id: ["1"]', '{"guild_id":["1"],"query":"","limit":0}'],
    ['guild_id is an id: ""', '{"guild_id":"","query":"","limit":0}'],
    ['guild_id is an id: "abc"', '{"guild_id":"abc","query":"","limit":0}'],
    ["guild_id is an id: 5", '{"guild_id":5,"query":"","limit":0}'],
    ["query is a string: null", '{"guild_id":"1","query":null,"limit":0}'],
    ['user_ids is an id or a list of up to 100: ["2",5]', '{"guild_id":"1","user_ids":["2",5]}'],
    ["user_ids is an id or a list of up to 100: null", '{"guild_id":"1","user_ids":null}'],
    ["nonce is a string or missing: null", '{"guild_id":"1","query":"","limit":0,"nonce":null}'],
    ["nonce is a string or missing: 7", '{"guild_id":"1","query":"","limit":0,"nonce":7}'],
    ["user_ids is an id or a list of up to 100: missing", '{"guild_id":"1"}'],
    ['user_ids is missing: "1"', '{"guild_id":"1","query":"","limit":0,"user_ids":"1"}'],
    ["limit is an integer from 0 on: missing", '{"guild_id":"1","query":""}'],
    ["limit is an integer from 0 on: -1", '{"guild_id":"1","query":"","limit":-1}'],
    ["limit is an integer from 0 on: 0.5", '{"guild_id":"1","query":"","limit":0.5}'],
    ["user_ids has at least one id", '{"guild_id":"1","user_ids":[]}'],
    [
      `user_ids is an id or a list of up to 100: ${'["1"'.padEnd(40, ',"1"')}`,
      JSON.stringify({ guild_id: "1", user_ids: Array(101).fill("1") }),
    ],
  ];
  for (const [rule, text] of malformed) {
    const request: RequestGuildMembers = JSON.parse(text);
    const error = assertThrows(() => shard.requestGuildMembers(request), CommandError);
    assertEquals(error.message, `Cannot send op 8: ${rule}`);
  }
});

Deno.test("shard: a deadline that can be none is refused at once, and one may be waited for without an end", async () => {
  const play = await crowd(10).live();
  const request = { guild_id: guildOf(play), query: "a", limit: 1 };
  for (const deadlineMs of [0, -1, NaN]) {
    const error = assertThrows(() => play.shard.requestGuildMembers(request, { deadlineMs }), RangeError);
    assertEquals(
      error.message,
      `Cannot wait for a response: deadlineMs must be a positive number: ${deadlineMs}`,
    );
  }
  play.discord.faults.muteResponses = 1;
  const reading = new Reading(play.shard.requestGuildMembers(request, { deadlineMs: Infinity }));
  await play.clock.advance(3_600_000);
  assertEquals(reading.end, undefined);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a nonce of more than 32 bytes is refused, counted in bytes", async () => {
  const play = await crowd(10).live();
  const request = (nonce: string) => ({ guild_id: guildOf(play), query: "a", limit: 1, nonce });
  const error = await assertRejects(
    () => play.shard.requestGuildMembers(request("é".repeat(17))).next(),
    CommandError,
  );
  assertEquals(error.message, "Cannot send op 8: a nonce has at most 32 bytes: 34");
  const reading = new Reading(play.shard.requestGuildMembers(request("é".repeat(16))));
  await play.clock.advance(0);
  assertEquals([reading.end, timesAsked(play, 8)], [null, 1]);
  await play.shard.close();
});

Deno.test("shard: chunks without a body, and bodies without members, disturb nothing", async () => {
  const play = await crowd(10).live();
  play.discord.faults.muteResponses = 1;
  const request = { guild_id: guildOf(play), query: "a", limit: 1, nonce: "mine" };
  const reading = new Reading(play.shard.requestGuildMembers(request));
  await play.clock.advance(0);
  for (const body of [null, {}, [], { nonce: 7 }, { nonce: "other", chunk_index: 0, chunk_count: 1 }]) {
    play.discord.dispatch("GUILD_MEMBERS_CHUNK", body);
  }
  await play.clock.advance(0);
  assertEquals([reading.end, reading.responses, play.shard.status.state], [undefined, [], "live"]);
  play.discord.dispatch("GUILD_MEMBERS_CHUNK", { nonce: "mine", chunk_index: 0, chunk_count: 1 });
  await play.clock.advance(0);
  assertEquals([reading.end, reading.responses.length], [null, 1]);
  await play.shard.close();
});

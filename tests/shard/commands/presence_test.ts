/** Presence updates: only the newest waits, none is dropped by Discord in silence, and none delays other commands. */

import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { CommandNotSentError, type GatewayCommand, Shard } from "../../../mod.ts";
import { field, Play } from "../harness.ts";

function presence(since: number): GatewayCommand {
  return { op: 3, d: { since, activities: [], status: "idle", afk: true } };
}

/** A command under no sub-limit. */
const OTHER: GatewayCommand = { op: 31, d: { guild_ids: [] } };

/** What went out, without identifies and resumes: `since` of presences, the opcode of all else. */
function sent({ discord }: Play): unknown[] {
  return discord.journal.of("frame").filter(({ op }) => op !== 2 && op !== 6)
    .map(({ op, d }) => op === 3 ? field(d, "since") : `op ${op}`);
}

Deno.test("shard: 200 presence updates in a row keep the connection, and the last one wins [case 58]", async () => {
  const play = await new Play().live();
  const outcomes = Array.from({ length: 200 }, (_, n) => play.shard.send(presence(n)));
  await play.clock.advance(0);
  // The first five find their gate open.
  assertEquals(sent(play), [0, 1, 2, 3, 4]);
  assertEquals(play.shard.commands.waiting, 1);
  await play.clock.advance(20_250);
  assertEquals(sent(play), [0, 1, 2, 3, 4, 199]);
  const counts = { sent: 0, superseded: 0 };
  for (const outcome of await Promise.all(outcomes)) counts[outcome]++;
  assertEquals(counts, { sent: 6, superseded: 194 });
  assertEquals(play.discord.presence?.since, 199);
  assertEquals(play.discord.journal.violations(), []);
  assertEquals(play.discord.journal.dials().length, 1);
  await play.shard.close();
});

Deno.test("shard: the fake drops the presences of a client that does not wait, so that the above proves something", async () => {
  const play = await new Play({ commandLimits: { presences: 100, presencePeriodMs: 1 } }).live();
  for (let n = 0; n < 10; n++) await play.shard.send(presence(n));
  assertEquals([sent(play).length, play.discord.presence?.since], [10, 4]);
  assertEquals(play.discord.journal.violations().map(({ code, rule }) => [code, rule]), [
    ...Array(5).fill([null, "at most 5 presence updates in any 20000 ms"]),
  ]);
  await play.shard.close();
});

Deno.test("shard: a presence every second for an hour is never dropped, and at most 20 s late", async () => {
  const play = await new Play().live();
  for (let second = 0; second < 3_600; second++) {
    // Whatever becomes of it, nothing rejects.
    play.shard.send(presence(second));
    await play.clock.advance(1_000);
    const shown = Number(play.discord.presence?.since);
    assert(second - shown <= 21, `${shown} at ${second}`);
  }
  assertEquals(play.discord.journal.violations(), []);
  await play.clock.advance(20_250);
  assertEquals(play.discord.presence?.since, 3_599);
  await play.shard.close();
});

Deno.test("shard: a replaced presence resolves at once, before the newer one is sent", async () => {
  const play = await new Play().live();
  for (let n = 0; n < 5; n++) assertEquals(await play.shard.send(presence(n)), "sent");
  const older = play.shard.send(presence(5));
  const newer = play.shard.send(presence(6));
  assertEquals(await older, "superseded");
  assertEquals(sent(play).length, 5);
  await play.clock.advance(20_250);
  assertEquals(await newer, "sent");
  assertEquals(sent(play), [0, 1, 2, 3, 4, 6]);
  await play.shard.close();
});

Deno.test("shard: a presence that waits for its sub-limit delays no other command, and takes nothing from the budget", async () => {
  const play = await new Play().live();
  for (let n = 0; n < 5; n++) await play.shard.send(presence(n));
  const { available } = play.shard.commands;
  const waiting = play.shard.send(presence(5), { priority: "high" });
  assertEquals(play.shard.commands.available, available);
  for (let n = 0; n < 10; n++) await play.shard.send(OTHER);
  assertEquals(sent(play).slice(5), Array(10).fill("op 31"));
  assertEquals(play.shard.commands.available, available - 10);
  await play.clock.advance(20_249);
  assertEquals(sent(play).length, 15);
  // At the very instant, by the one timer that the connection has.
  await play.clock.advance(1);
  assertEquals(sent(play)[15], 5);
  await waiting;
  await play.shard.close();
});

Deno.test("shard: presences of high priority go before what waits for the common budget", async () => {
  const play = await new Play().live();
  const others = Array.from({ length: 150 }, () => play.shard.send(OTHER));
  const urgent = play.shard.send(presence(0), { priority: "high" });
  await play.clock.advance(0);
  const atOnce = sent(play).length;
  await play.clock.advance(61_000);
  assertEquals(sent(play)[atOnce], 0);
  await Promise.all([...others, urgent]);
  await play.shard.close();
});

Deno.test("shard: before READY only the newest presence waits, and goes out first where the first one stood", async () => {
  const play = new Play();
  const outcomes = [play.shard.send(presence(1)), play.shard.send(OTHER), play.shard.send(presence(2))];
  assertEquals(play.shard.commands.waiting, 2);
  await play.live();
  assertEquals(await Promise.all(outcomes), ["superseded", "sent", "sent"]);
  assertEquals(sent(play), [2, "op 31"]);
  await play.shard.close();
});

Deno.test("shard: the presences of the last connection count on the next one", async () => {
  const play = await new Play().live();
  for (let n = 0; n < 5; n++) await play.shard.send(presence(n));
  play.connection.close(4000);
  const waiting = play.shard.send(presence(5));
  await play.untilState("live");
  await play.shard.send(OTHER);
  assertEquals(sent(play), [0, 1, 2, 3, 4, "op 31"]);
  await play.clock.runUntil(() => sent(play).length === 7);
  assertEquals(await waiting, "sent");
  assertEquals(play.discord.journal.violations(), []);
  await play.shard.close();
});

/** The presences that identifies came with, in order: `since`, or `undefined` where there was none. */
function identifiedWith({ discord }: Play): unknown[] {
  return discord.journal.of("frame").filter(({ op }) => op === 2)
    .map(({ d }) => field(field(d, "presence"), "since"));
}

Deno.test("shard: the presence that was written last comes with the IDENTIFY of the next session", async () => {
  const play = await new Play({
    gateway: { presence: { since: 100, activities: [], status: "online", afk: false } },
  }).live();
  await play.shard.send(presence(1));
  await play.shard.send(presence(2));
  // A resume says nothing of it: the session still has it.
  play.connection.drop();
  await play.clock.runUntil(() => play.states.includes("resuming"));
  await play.untilState("live");
  assertEquals(identifiedWith(play), [100]);
  play.connection.invalidateSession(false);
  await play.clock.runUntil(() => identifiedWith(play).length === 2);
  await play.untilState("live");
  assertEquals(identifiedWith(play), [100, 2]);
  await play.shard.close();
});

Deno.test("shard: a presence that only waits is no part of an IDENTIFY, and goes out after it", async () => {
  const play = await new Play().live();
  for (let n = 0; n < 5; n++) await play.shard.send(presence(n));
  const waiting = play.shard.send(presence(5));
  play.connection.invalidateSession(false);
  await play.clock.runUntil(() => identifiedWith(play).length === 2);
  await play.untilState("live");
  assertEquals(identifiedWith(play), [undefined, 4]);
  await play.clock.runUntil(() => sent(play).length === 6);
  assertEquals(await waiting, "sent");
  assertEquals(sent(play).at(-1), 5);
  await play.shard.close();
});

Deno.test("shard: a presence that waits at the close comes back unsent, one that was replaced does not", async () => {
  const play = await new Play().live();
  for (let n = 0; n < 5; n++) await play.shard.send(presence(n));
  const replaced = play.shard.send(presence(5));
  const newest = presence(6);
  const failing = assertRejects(() => play.shard.send(newest), CommandNotSentError);
  await play.shard.close();
  assertEquals(await replaced, "superseded");
  assertStrictEquals((await failing).command, newest);
});

Deno.test("shard: an aborted presence leaves its place to the next one", async () => {
  const play = await new Play().live();
  for (let n = 0; n < 5; n++) await play.shard.send(presence(n));
  const abort = new AbortController();
  const reason = new Error("not needed any more");
  const failing = assertRejects(() => play.shard.send(presence(5), { signal: abort.signal }));
  abort.abort(reason);
  assertStrictEquals(await failing, reason);
  const next = play.shard.send(presence(6));
  await play.clock.advance(20_250);
  assertEquals(await next, "sent");
  assertEquals(sent(play).at(-1), 6);
  await play.shard.close();
});

Deno.test("shard: the sub-limit of presences can be changed, and one that cannot be is refused", async () => {
  const play = await new Play({ commandLimits: { presences: 2, presencePeriodMs: 60_000 } }).live();
  const sends = [0, 1, 2].map((n) => play.shard.send(presence(n)));
  await play.clock.advance(59_999);
  assertEquals(sent(play), [0, 1]);
  await play.clock.advance(1);
  assertEquals(sent(play), [0, 1, 2]);
  await Promise.all(sends);
  await play.shard.close();
  for (const commandLimits of [{ presences: 0 }, { presencePeriodMs: -1 }, { guildMembersPeriodMs: NaN }]) {
    assertThrows(() => new Shard({ token: "token", intents: 0, commandLimits }), RangeError);
  }
});

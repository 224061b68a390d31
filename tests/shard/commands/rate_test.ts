/** The command budget, against a Discord that counts: never 4008, whatever the program does, for hours. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { GatewayCommand } from "../../../mod.ts";
import { Play } from "../harness.ts";

/** Requests the sounds of no guild, and so no response. */
const COMMAND: GatewayCommand = { op: 31, d: { guild_ids: [] } };

/** Sends so many commands; counts those that went out. */
function sendMany(play: Play, count: number): { sent: number; readonly all: Promise<unknown> } {
  const counter = { sent: 0, all: Promise.resolve<unknown>(null) };
  counter.all = Promise.all(
    Array.from({ length: count }, () => play.shard.send(COMMAND).then(() => counter.sent++)),
  );
  return counter;
}

/** No rule was broken, and the first connection still stands. */
function assertUndisturbed(play: Play): void {
  assertEquals(play.discord.journal.violations(), []);
  assertEquals(play.discord.journal.dials().length, 1);
  assertEquals(play.shard.status.state, "live");
}

Deno.test("shard: 200 commands in a row stay connected and all arrive", async () => {
  const play = await new Play().live();
  const counter = sendMany(play, 200);
  await play.clock.advance(0);
  assert(counter.sent >= 110 && counter.sent < 120, `at once: ${counter.sent}`);
  await play.clock.advance(130_000);
  await counter.all;
  assertEquals(play.discord.journal.of("frame").filter(({ op }) => op === 31).length, 200);
  assertUndisturbed(play);
  await play.shard.close();
});

const SPANS = [
  { heartbeatInterval: 41_250, minutes: 180 },
  { heartbeatInterval: 5_000, minutes: 20 },
  { heartbeatInterval: 700, minutes: 5 },
];

for (const { heartbeatInterval, minutes } of SPANS) {
  Deno.test(`shard: ${minutes} minutes of as many commands as fit never cost 4008, heartbeats every ${heartbeatInterval} ms`, async () => {
    const play = await new Play({ fake: { heartbeatInterval } }).live();
    const counter = sendMany(play, 30_000);
    await play.clock.advance(minutes * 60_000);
    assertUndisturbed(play);
    // What is left of 120 a minute after the heartbeats, less a little for what is not sent at the very instant.
    const perMinute = 120 - 60_000 / heartbeatInterval;
    assert(counter.sent > 0.93 * perMinute * minutes, `sent: ${counter.sent}`);
    const rejected = assertRejects(() => counter.all);
    await play.shard.close();
    await rejected;
  });
}

Deno.test("shard: commands in random bursts, with heartbeats that Discord asks for in between, never cost 4008", async () => {
  const play = await new Play().live();
  const counters: { readonly all: Promise<unknown> }[] = [];
  for (let minute = 0; minute < 240; minute++) {
    counters.push(sendMany(play, Math.floor(play.clock.random() * 150)));
    await play.clock.advance(play.clock.random() * 60_000);
    if (play.clock.random() < 0.5) play.connection.requestHeartbeat();
    await play.clock.advance(play.clock.random() * 60_000);
  }
  await play.clock.advance(3_600_000);
  await Promise.all(counters.map(({ all }) => all));
  assertUndisturbed(play);
  await play.shard.close();
});

Deno.test("shard: callers that leave the queue leave their capacity to the others [case 57]", async () => {
  const play = await new Play().live();
  const abort = new AbortController();
  const given = Array.from({ length: 500 }, () => play.shard.send(COMMAND, { signal: abort.signal }));
  const outcomes = Promise.allSettled(given);
  await play.clock.advance(10_000);
  abort.abort();
  const gaveUp = (await outcomes).filter(({ status }) => status === "rejected").length;
  assert(gaveUp > 380 && gaveUp < 390, `${gaveUp}`);
  const before = play.clock.now();
  const counter = sendMany(play, 100);
  await play.clock.runUntil(() => counter.sent === 100);
  assert(play.clock.now() - before <= 60_500, `${play.clock.now() - before}`);
  assertUndisturbed(play);
  await play.shard.close();
});

Deno.test("shard: a new connection has a new budget, and what waited for the old one goes out", async () => {
  const play = await new Play().live();
  const counter = sendMany(play, 200);
  await play.clock.advance(0);
  const first = counter.sent;
  play.connection.drop();
  await play.clock.advance(2_000);
  assertEquals(counter.sent, 200);
  assert(first < 120);
  assertEquals(play.discord.journal.violations(), []);
  await counter.all;
  await play.shard.close();
});

Deno.test("shard: a full budget delays no heartbeat", async () => {
  const play = await new Play({ fake: { heartbeatInterval: 10_000 } }).live();
  const counter = sendMany(play, 2_000);
  await play.clock.advance(600_000);
  const heartbeats = play.discord.journal.heartbeats();
  const gaps = heartbeats.slice(1).map(({ at }, index) => Math.round(at - heartbeats[index]!.at));
  assert(heartbeats.length >= 59);
  assertEquals(new Set(gaps), new Set([10_000]));
  const rejected = counter.sent < 2_000 ? assertRejects(() => counter.all) : counter.all;
  await play.shard.close();
  await rejected;
});

/** Resharding in virtual time: no gap, in order, few duplicates, and back to where it was if anything fails. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CommandNotSentError, GatewayBotError, ShardStoppedError } from "../../../mod.ts";
import { IdentifyBudgetError, ReshardError, type ReshardReport } from "../../../shard/fleet/mod.ts";
import { assertQuiet, commandsOf, FleetPlay, type FleetPlayOptions } from "./harness.ts";

const FAKE = { shards: 4, maxConcurrency: 16 } as const;

/** A fleet of four that is live. */
async function four(options: FleetPlayOptions = {}): Promise<FleetPlay> {
  return await new FleetPlay({ ...options, fake: { ...FAKE, ...options.fake } }).live(4);
}

/** The outcome of a reshard, as it becomes known. */
function reshard(play: FleetPlay, ...args: Parameters<FleetPlay["fleet"]["reshard"]>): {
  report: ReshardReport | null;
  error: unknown;
  readonly over: boolean;
} {
  const outcome = {
    report: null as ReshardReport | null,
    error: null as unknown,
    get over() {
      return this.report !== null || this.error !== null;
    },
  };
  play.fleet.reshard(...args).then(
    (report) => outcome.report = report,
    (error) => outcome.error = error,
  );
  return outcome;
}

/** Writes numbers into all guilds in turn, every 50 ms, until something is so; returns how many. */
async function writeUntil(play: FleetPlay, isOver: () => boolean, from = 0): Promise<number> {
  let number = from;
  for (const limit = from + 10_000; !isOver(); number++) {
    assert(number < limit, "it is over some day");
    if (number % 2 === 0) play.write(number, number % 12);
    else play.react(number, (number >> 1) % 12);
    await play.clock.advance(50);
  }
  return number;
}

/** Asserts that all numbers up to here came; returns how many came more than once. */
function assertComplete(play: FleetPlay, count: number): number {
  const numbers = play.texts.map(Number);
  const times = new Map<number, number>();
  for (const number of numbers) times.set(number, (times.get(number) ?? 0) + 1);
  assertEquals(
    Array.from({ length: count }, (_, number) => number).filter((number) => !times.has(number)),
    [],
  );
  return numbers.length - count;
}

for (const [from, to] of [[4, 8], [4, 6], [4, 3], [4, 1], [4, 4]] as const) {
  Deno.test(`reshard: ${from} -> ${to} under a stream of events: no gap, and no message twice`, async () => {
    for (const by of ["iterate", "run"] as const) {
      const play = await four({ by });
      const outcome = reshard(play, to, { overlapMs: 2_000 });
      const during = await writeUntil(play, () => outcome.over);
      const count = await writeUntil(play, () => play.clock.now() > 20_000, during);
      const { report } = outcome;
      assert(report !== null, `${outcome.error}`);
      const duplicates = assertComplete(play, count);
      assertEquals([report.from, report.to, play.fleet.status.shardCount], [from, to, to]);
      assertEquals(play.fleet.status.counts, { live: to });
      // Messages have ids, and their copies were dropped; reactions came twice, and the report says so.
      assert(report.duplicates.dropped > 10, `${report.duplicates.dropped}`);
      assert(duplicates > 10 && duplicates <= report.duplicates.repeated, `${duplicates}`);
      const messages = play.items.flatMap(({ event }) => event.t === "MESSAGE_CREATE" ? [event.d.id] : []);
      assertEquals(new Set(messages).size, messages.length);
      assertInOrder(play);
      const { journal } = play.discord;
      assertEquals(journal.violations(), []);
      assertEquals(journal.identifies().length, from + to);
      assertEquals(journal.of("close").map(({ by, code }) => [by, code]), Array(from).fill(["client", 1000]));
      await play.close();
    }
  });
}

/** In each guild everything comes in order, but for one step back: what the new set brings once more. */
function assertInOrder(play: FleetPlay): void {
  const last = new Map<string, { number: number; shardCount: number; stepsBack: number }>();
  for (const { event, shardId, shardCount } of play.items) {
    if (event.t !== "MESSAGE_CREATE" && event.t !== "MESSAGE_REACTION_ADD") continue;
    const number = Number(event.t === "MESSAGE_CREATE" ? event.d.content : event.d.emoji.name);
    const guild = event.d.guild_id ?? "";
    const before = last.get(guild) ?? { number: -1, shardCount, stepsBack: 0 };
    const stepsBack = before.stepsBack + (number > before.number ? 0 : 1);
    last.set(guild, { number, shardCount, stepsBack });
    assert(stepsBack <= 1, `${guild}: ${number} after ${before.number}`);
    assert(stepsBack === 0 || shardCount === play.fleet.status.shardCount, "the old set does not come back");
    assert(shardId < shardCount);
  }
}

Deno.test("reshard: READY and guilds of the new set are not news, and come to nobody", async () => {
  const play = await four();
  const before = play.items.length;
  const outcome = reshard(play, 8, { overlapMs: 0 });
  await play.clock.runUntil(() => outcome.over);
  assertEquals(play.items.slice(before), []);
  await play.close();
});

Deno.test("reshard: the status shows both sets, the sessions are the old ones until the new set has taken over", async () => {
  const play = await four();
  const outcome = reshard(play, 8);
  await play.clock.runUntil(() => play.fleet.status.next?.counts.live === 8);
  const { state, shardCount, counts, next, shards } = play.fleet.status;
  assertEquals([state, shardCount, counts, next], ["resharding", 4, { live: 4 }, {
    shardCount: 8,
    counts: { live: 8 },
  }]);
  assertEquals(shards.map((shard) => shard.shardCount), [...Array(4).fill(4), ...Array(8).fill(8)]);
  assertEquals(play.fleet.sessions.map((session) => session.shardCount), Array(4).fill(4));
  await play.clock.runUntil(() => outcome.over);
  assertEquals([play.fleet.status.state, play.fleet.status.next], ["running", null]);
  assertEquals(play.fleet.sessions.map((session) => session.shardCount), Array(8).fill(8));
  const sessions = await play.fleet.close({ keepSession: true });
  const { clock, discord } = play;
  const restored = await new FleetPlay({ clock, discord, sessions }).live(8);
  assertEquals(discord.journal.resumes().length, 8);
  await restored.close();
});

Deno.test("reshard: it waits until each new shard has all of its guilds", async () => {
  const play = await four();
  play.discord.faults.withholdGuilds = true;
  const outcome = reshard(play, 8, { overlapMs: 0 });
  await play.clock.runUntil(() => play.fleet.status.next?.counts.live === 8);
  const count = await writeUntil(play, () => play.clock.now() > 10_000);
  assertEquals(
    outcome.over,
    false,
    "a new shard would not get the events of guilds that it does not have yet",
  );
  for (const connection of play.discord.connections) connection.sendGuilds();
  const all = await writeUntil(play, () => outcome.over, count);
  await play.settle();
  assert(outcome.report !== null);
  assertComplete(play, all);
  assert(outcome.report.startedInMs > 9_000 && outcome.report.startedInMs < 15_000);
  await play.close();
});

Deno.test("reshard: guilds in an outage hold it up for 15 s", async () => {
  const play = await four();
  play.discord.faults.withholdGuilds = true;
  const outcome = reshard(play, 8, { overlapMs: 0 });
  const count = await writeUntil(play, () => outcome.over);
  assertEquals(outcome.report?.startedInMs, 15_000 + 5_250);
  assert(count > 0);
  await play.close();
});

Deno.test("reshard: an old connection that died in silence is found out before its shard goes", async () => {
  const play = await four();
  await play.clock.advance(45_000);
  play.connection(1).stall();
  const outcome = reshard(play, 8, { overlapMs: 1_000 });
  const count = await writeUntil(play, () => outcome.over);
  await play.settle();
  assert(outcome.report !== null, `${outcome.error}`);
  assertComplete(play, count);
  assertEquals(play.discord.journal.resumes().length, 1);
  assert(outcome.report.overlapMs > 30_000, "it took a heartbeat that was not answered");
  await play.clock.advance(0);
  for (const connection of play.discord.connections) if (connection.shard?.[1] === 4) connection.drop();
  await play.close();
});

Deno.test("reshard: an old shard that is away is waited for", async () => {
  const play = await four();
  const outcome = reshard(play, 8, { overlapMs: 1_000 });
  await play.clock.runUntil(() => play.fleet.status.next?.counts.live === 8);
  play.connection(2, 4).drop();
  const count = await writeUntil(play, () => outcome.over);
  await play.settle();
  assertComplete(play, count);
  assertEquals(play.discord.journal.resumes().length, 1);
  await play.close();
});

Deno.test("reshard: a new shard that loses its session during the overlap makes it start over", async () => {
  const play = await four();
  const outcome = reshard(play, 8, { overlapMs: 5_000 });
  await play.clock.runUntil(() => play.fleet.status.next?.counts.live === 8);
  const first = await writeUntil(play, () => play.clock.now() > 7_000);
  play.connection(5, 8).invalidateSession(false);
  const count = await writeUntil(play, () => outcome.over, first);
  await play.settle();
  assert(outcome.report !== null, `${outcome.error}`);
  assertComplete(play, count);
  assertEquals(play.discord.journal.identifies().length, 4 + 8 + 1);
  assertEquals(play.items.filter(({ event }) => event.t === "SESSION_GAP"), [], "nothing is missing");
  await play.close();
});

Deno.test("reshard: what the old set received comes before anything of the new one, however slow the consumer", async () => {
  const play = await four();
  let goOn = () => {};
  let pause: Promise<void> | null = new Promise((resolve) => goOn = resolve);
  play.onItem = (item) => item.event.t === "MESSAGE_CREATE" ? pause : undefined;
  const outcome = reshard(play, 8, { overlapMs: 1_000 });
  for (let number = 0; number < 60; number++) {
    play.write(number, number % 12);
    await play.clock.advance(1_000);
  }
  assertEquals([outcome.over, play.texts], [false, ["0"]]);
  assertEquals(play.fleet.status.shardCount, 4, "the old set stays until its last event is handled");
  pause = null;
  goOn();
  await play.clock.runUntil(() => outcome.over);
  await play.settle();
  assertEquals(assertComplete(play, 60), 0, "messages are not delivered twice");
  const counts = play.items.filter(({ event }) => event.t === "MESSAGE_CREATE").map((item) =>
    item.shardCount
  );
  assertEquals(counts, [...counts].sort((a, b) => a - b));
  await play.close();
});

Deno.test("reshard: a handler that is stuck delays only the shards that share guilds with its own", async () => {
  const play = await four({ by: "run" });
  let goOn = () => {};
  const pause = new Promise<void>((resolve) => goOn = resolve);
  play.onItem = ({ event }) =>
    event.t === "MESSAGE_CREATE" && event.d.content === "stuck" ? pause : undefined;
  const outcome = reshard(play, 8, { overlapMs: 1_000 });
  await play.settle();
  play.write("stuck", 1);
  // New shards 1 and 5 have guilds of the old shard 1.
  await play.clock.advance(60_000);
  for (const guild of [1, 5, 2, 6]) play.write(`guild ${guild}`, guild);
  await play.settle();
  assertEquals(play.texts, ["stuck", "guild 2", "guild 6"]);
  assertEquals([outcome.over, play.fleet.status.shardCount], [false, 4]);
  goOn();
  await play.clock.runUntil(() => outcome.over);
  await play.settle();
  assertEquals(play.texts.slice(3).sort(), ["guild 1", "guild 5"]);
  await play.close();
});

Deno.test("reshard: a bot whose shards have all stopped, as for too many guilds, comes back by it", async () => {
  const play = await four();
  const outcome = reshard(play, 8, { overlapMs: 1_000 });
  await play.settle();
  for (const id of [0, 1, 2, 3]) play.connection(id, 4).close(4011);
  await play.clock.runUntil(() => outcome.over);
  play.write("we are back", 3);
  await play.settle();
  assertEquals([play.fleet.status.counts, play.texts], [{ live: 8 }, ["we are back"]]);
  assertEquals(play.items.filter(({ event }) => event.t === "SHARD_STOPPED").length, 4);
  await play.close();
});

// Commands.

Deno.test("reshard: commands go through the new set as soon as their answers will be delivered", async () => {
  const play = await four();
  const command = { op: 8, d: { guild_id: play.discord.guilds[5]!.id, query: "", limit: 0 } } as const;
  const outcome = reshard(play, 8, { overlapMs: 5_000 });
  await play.settle();
  assertEquals(play.fleet.status.next?.counts.live, 4, "the keys of the others rest");
  await play.fleet.send(command);
  assertEquals(commandsOf(play).map(({ shard }) => shard), ["1/4"]);
  await play.clock.runUntil(() => play.fleet.status.next?.counts.live === 8);
  await play.fleet.send(command);
  assertEquals(commandsOf(play).map(({ shard }) => shard), ["1/4", "5/8"]);
  await play.clock.runUntil(() => outcome.over);
  await play.close();
});

Deno.test("reshard: a command that waits for an old shard goes through its successor", async () => {
  const play = await four();
  const guild_id = play.discord.guilds[5]!.id;
  const outcome = reshard(play, 8, { overlapMs: 1_000 });
  await play.settle();
  play.connection(1, 4).close(4014);
  // It waits behind a budget that is spent.
  const busy = play.discord.guilds[6]!.id;
  const leave = { guild_id: busy, channel_id: null, self_mute: false, self_deaf: false };
  const burst = Array.from(
    { length: 130 },
    () => play.fleet.send({ op: 4, d: leave }).catch((error) => error),
  );
  await play.settle();
  const waiting = play.fleet.send({ op: 31, d: { guild_ids: [busy] } });
  const refused = await play.fleet.send({ op: 31, d: { guild_ids: [guild_id] } }).catch((error) => error);
  assert(refused instanceof CommandNotSentError, "shard 1 has stopped");
  await play.clock.runUntil(() => outcome.over);
  await waiting;
  await play.settle();
  assertEquals(commandsOf(play).filter(({ op }) => op === 31).map(({ shard }) => shard), ["6/8"]);
  assertEquals(play.discord.journal.violations(), []);
  await play.close();
  await Promise.all(burst);
});

// When it fails.

Deno.test("reshard: a new shard that stops ends it; the old set goes on as if nothing had been", async () => {
  for (const afterMs of [0, 6_000]) {
    const play = await four();
    const outcome = reshard(play, 8, { overlapMs: 5_000 });
    await play.clock.advance(afterMs);
    await play.clock.runUntil(() =>
      play.discord.connections.some(({ shard }) => shard?.[0] === 3 && shard[1] === 8)
    );
    play.connection(3, 8).close(4010);
    const count = await writeUntil(play, () => outcome.over);
    const { error } = outcome;
    assert(error instanceof ReshardError, `${error}`);
    assertEquals([error.code, error.shardId], ["ERR_RESHARD_FAILED", 3]);
    assertEquals(error.message, "Cannot reshard: shard 3 of 8 has stopped");
    assert(error.cause instanceof ShardStoppedError && error.cause.closeCode === 4010);
    const all = await writeUntil(play, () => play.texts.length > count + 20, count);
    assertEquals(assertComplete(play, all - 1), play.texts.length - (all - 1), "each exactly once");
    assertEquals(new Set(play.texts).size, play.texts.length);
    assertEquals(play.items.filter(({ event }) => event.t === "SHARD_STOPPED"), []);
    assertEquals([play.fleet.status.state, play.fleet.status.counts], ["running", { live: 4 }]);
    assertEquals(play.discord.sessions.map(({ shard }) => shard[1]), [4, 4, 4, 4], "its sessions were ended");
    // And it can be tried again.
    const again = reshard(play, 8, { overlapMs: 0 });
    await writeUntil(play, () => again.over, all);
    assertEquals(again.error, null);
    await play.close();
  }
});

Deno.test("reshard: if the new set does not come up in time it is given up", async () => {
  const play = await four();
  play.discord.faults.blackHoleDials = 1_000_000;
  const outcome = reshard(play, 8);
  await play.clock.runUntil(() => outcome.over);
  assert(
    outcome.error instanceof ReshardError && outcome.error.code === "ERR_RESHARD_TIMEOUT",
    `${outcome.error}`,
  );
  assertEquals(outcome.error.message, "Cannot reshard: the sets were not up together within 305250 ms");
  play.discord.faults.blackHoleDials = 0;
  const other = reshard(play, 8, { deadlineMs: 1_000 });
  await play.clock.runUntil(() => other.over);
  assert(other.error instanceof ReshardError && other.error.code === "ERR_RESHARD_TIMEOUT", `${other.error}`);
  assertEquals(play.fleet.status.counts, { live: 4 });
  await play.close();
});

Deno.test("reshard: a signal gives it up until the switch", async () => {
  const play = await four();
  for (const afterMs of [0, 5_300, 8_000]) {
    const giveUp = new AbortController();
    const outcome = reshard(play, 8, { signal: giveUp.signal, overlapMs: 5_000 });
    await play.clock.advance(afterMs);
    giveUp.abort(new Error("the operator changed his mind"));
    await play.settle();
    assert(outcome.error instanceof ReshardError, `${outcome.error}`);
    assertEquals([outcome.error.code, outcome.error.cause], ["ERR_RESHARD_ABORTED", giveUp.signal.reason]);
    assertEquals(play.fleet.status.counts, { live: 4 });
  }
  await assertRejects(() => play.fleet.reshard(8, { signal: AbortSignal.abort() }), ReshardError, "given up");
  await play.close();
});

Deno.test("reshard: a close at any instant of it leaves nothing behind, and sessions that bring what was missed", async () => {
  for (let afterMs = 0; afterMs < 14_000; afterMs += 977) {
    const play = await four();
    // A consumer that keeps its third event.
    play.onItem = () => play.texts.length === 3 ? new Promise(() => {}) : undefined;
    const outcome = reshard(play, 8, { overlapMs: 3_000 });
    const start = play.clock.now();
    const count = await writeUntil(play, () => play.clock.now() >= start + afterMs);
    const sessions = await play.fleet.close({ keepSession: true });
    await play.settle();
    assertQuiet(play);
    const expected = outcome.report === null ? 4 : 8;
    assert(outcome.report !== null || outcome.error instanceof ReshardError, `${outcome.error}`);
    assertEquals(sessions.map(({ shardCount }) => shardCount), Array(expected).fill(expected));

    const { clock, discord } = play;
    const next = await new FleetPlay({ clock, discord, sessions }).live(expected);
    await next.settle();
    const handled = play.texts.slice(0, 2);
    const seen = new Set([...handled, ...next.texts]);
    assertEquals(
      Array.from({ length: count }, (_, number) => `${number}`).filter((text) => !seen.has(text)),
      [],
    );
    await next.close();
  }
});

Deno.test("reshard: with too few identifies left nothing happens, and the error says when there are more", async () => {
  const play = await four({ fake: { identifyLimit: { total: 1000, remaining: 11, resetAfter: 60_000 } } });
  const dials = play.discord.journal.dials().length;
  const error = await play.fleet.reshard(8).catch((error) => error);
  assert(error instanceof IdentifyBudgetError, `${error}`);
  assertEquals([error.needed, error.remaining, error.resetAfterMs], [8, 7, 60_000]);
  assertEquals(play.discord.journal.dials().length, dials);
  const outcome = reshard(play, 7, { overlapMs: 0 });
  await play.clock.runUntil(() => outcome.over);
  assertEquals([outcome.error, play.discord.tokenReset], [null, false]);
  await play.close();
});

Deno.test("reshard: the limits are asked for anew, and followed", async () => {
  const play = await new FleetPlay({ fake: { shards: 2, maxConcurrency: 1 } }).live(2);
  const rest = play.discord.journal.of("rest").length;
  const outcome = reshard(play, "recommended", { overlapMs: 0 });
  await play.clock.runUntil(() => outcome.over);
  assertEquals([outcome.report?.to, play.discord.journal.of("rest").length], [2, rest + 1]);
  assertEquals(play.discord.journal.violations(), []);
  await play.close();
});

Deno.test("reshard: where Discord cannot be asked nothing happens", async () => {
  const play = await four();
  play.discord.faults.rejectRequests.push(500);
  await assertRejects(() => play.fleet.reshard(8), GatewayBotError, "500");
  assertEquals(play.fleet.status.state, "running");
  await play.close();
});

Deno.test("reshard: what cannot be is refused", async () => {
  const play = new FleetPlay({ fake: FAKE });
  await assertRejects(() => play.fleet.reshard(8), TypeError, "the fleet is idle");
  await play.live(4);
  await assertRejects(() => play.fleet.reshard(0), RangeError, "at least 1: 0");
  const outcome = reshard(play, 8, { overlapMs: 0 });
  await assertRejects(() => play.fleet.reshard(8), TypeError, "the fleet is resharding");
  await assertRejects(() => play.fleet.restart(0), TypeError, "Cannot restart shard 0");
  await play.clock.runUntil(() => outcome.over);
  await play.close();
  await assertRejects(() => play.fleet.reshard(8), TypeError, "the fleet is closed");

  const part = await new FleetPlay({ fake: FAKE, shards: { ids: [0, 1], count: 4 } }).live(2);
  await assertRejects(() => part.fleet.reshard(8), TypeError, "2 of the bot's shards");
  await part.close();
});

Deno.test("reshard: a handler that throws on the new set's first event ends the fleet with that error", async () => {
  const play = new FleetPlay({ fake: FAKE });
  play.finished = play.fleet.run(({ shardCount, event }) => {
    if (event.t === "MESSAGE_CREATE" && shardCount === 8) throw new Error("a bug");
  }).then(() => null, (error) => error);
  await play.clock.runUntil(() => play.fleet.status.counts.live === 4);
  const outcome = reshard(play, 8, { overlapMs: 1_000 });
  await writeUntil(play, () => outcome.over);
  play.write("not a copy", 3);
  await play.settle();
  const error = await play.finished;
  assert(error instanceof Error && error.message === "a bug", `${error}`);
  assertQuiet(play);
});

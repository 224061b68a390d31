/** The fleet in virtual time: one stream of many shards, and what befalls one of them stays with it. */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CommandNotSentError,
  type GatewayCommand,
  type SessionRecord,
  ShardStoppedError,
} from "../../../mod.ts";
import { Fleet, FleetStoppedError, ShardNotHereError } from "../../../shard/fleet/mod.ts";
import { assertQuiet, commandsOf, FleetPlay, textOf } from "./harness.ts";
import { field } from "../harness.ts";

const FOUR = { fake: { shards: 4, maxConcurrency: 4 } } as const;

Deno.test("fleet: as many shards as Discord recommends, their events in one stream", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  for (let guild = 0; guild < 4; guild++) play.write(`hello ${guild}`, guild);
  await play.settle();
  assertEquals(play.names.slice(0, 4).sort(), ["READY 0", "READY 1", "READY 2", "READY 3"]);
  assertEquals(
    play.items.filter(({ event }) => event.t === "MESSAGE_CREATE").map((item) => [
      item.shardId,
      item.shardCount,
      textOf(item),
    ]),
    [[0, 4, "hello 0"], [1, 4, "hello 1"], [2, 4, "hello 2"], [3, 4, "hello 3"]],
  );
  await play.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("fleet: some of the shards, where other processes run the others", async () => {
  const play = await new FleetPlay({ ...FOUR, shards: { ids: [6, 1], count: 8 } }).live(2);
  for (let guild = 0; guild < 8; guild++) play.write(guild, guild);
  await play.settle();
  assertEquals(play.texts, ["1", "6"]);
  assertEquals(play.fleet.status.shards.map(({ shardId, shardCount }) => [shardId, shardCount]), [[1, 8], [
    6,
    8,
  ]]);
  await play.close();
});

Deno.test("fleet: one failing shard does not stop the others; the consumer is told after its last event", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  play.write("last words", 2);
  play.connection(2).close(4014);
  await play.settle();
  play.write("lost", 2);
  play.write("still here", 3);
  await play.settle();
  const stopped = play.items.find(({ event }) => event.t === "SHARD_STOPPED");
  assertEquals([stopped?.shardId, play.texts], [2, ["last words", "still here"]]);
  assert(stopped?.event.t === "SHARD_STOPPED" && stopped.event.d.error instanceof ShardStoppedError);
  assertEquals(stopped.event.d.error.closeCode, 4014);
  assertEquals(play.fleet.status.counts, { live: 3, closed: 1 });
  assertEquals(play.items.indexOf(stopped) > play.items.findIndex((item) => textOf(item) !== null), true);
  await play.close();
});

Deno.test("fleet: when all shards have stopped the consumer gets what is left, and then one error with all of them", async () => {
  for (const by of ["iterate", "run"] as const) {
    const play = await new FleetPlay({ ...FOUR, by }).live(4);
    play.write("last words", 1);
    for (const id of [0, 1, 2, 3]) play.connection(id).close(4004);
    await play.settle();
    const error = await play.finished;
    assert(error instanceof FleetStoppedError, `${error}`);
    assertEquals(error.shards.map(({ shardId }) => shardId), [0, 1, 2, 3]);
    assertEquals(error.errors.length, 4);
    assertEquals(play.texts, ["last words"]);
    assertEquals(play.items.filter(({ event }) => event.t === "SHARD_STOPPED").length, 4);
    assertQuiet(play);
  }
});

Deno.test("fleet: a shard that stopped comes back by a restart, with its session", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  const sent = play.connection(1).session;
  await play.fleet.restart(1);
  await play.clock.runUntil(() => play.fleet.status.counts.live === 4);
  assertEquals([play.connection(1).session?.id, play.connection(1).url.includes("resume")], [sent?.id, true]);
  play.connection(1).close(4014);
  await play.settle();
  assertEquals(play.fleet.status.counts.closed, 1);
  await play.fleet.restart(1);
  await play.clock.runUntil(() => play.fleet.status.counts.live === 4);
  play.write("back", 1);
  await play.settle();
  assertEquals(play.texts, ["back"]);
  await play.close();
});

Deno.test("fleet: a restart that resumes loses nothing and brings nothing twice, slow consumer or not", async () => {
  for (const by of ["iterate", "run"] as const) {
    const play = await new FleetPlay({ ...FOUR, by }).live(4);
    let goOn = () => {};
    const pause = new Promise<void>((resolve) => goOn = resolve);
    play.onItem = (item) => textOf(item) === "1" ? pause : undefined;
    for (const number of [1, 2, 3]) play.write(number, 2);
    await play.settle();
    assertEquals(play.texts, ["1"], "the consumer has the first in hand");
    const record = recordOf(play.fleet.sessions, 2);
    await play.fleet.restart(2);
    play.write(4, 2);
    await play.clock.runUntil(() => play.fleet.status.counts.live === 4);
    assertEquals(play.texts, ["1"], "the next one waits for it, on the new connection, too");
    assertEquals(
      recordOf(play.fleet.sessions, 2).sequence,
      record.sequence,
      "to a crash it is not handled yet",
    );
    goOn();
    await play.settle();
    assertEquals(play.texts, ["1", "2", "3", "4"]);
    assertEquals(recordOf(play.fleet.sessions, 2).sequence > record.sequence, true);
    assertEquals([play.discord.journal.identifies().length, play.discord.journal.resumes().length], [4, 1]);
    await play.close();
  }
});

Deno.test("fleet: a restart without resuming ends the session, and a SESSION_GAP says so", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  const before = recordOf(play.fleet.sessions, 3);
  await play.fleet.restart(3, { resume: false });
  await play.clock.runUntil(() => play.fleet.status.counts.live === 4);
  const gap = play.items.find(({ event }) => event.t === "SESSION_GAP");
  assert(gap?.event.t === "SESSION_GAP");
  assertEquals([gap.shardId, gap.event.d.sessionId], [3, before.sessionId]);
  assertEquals(play.names.slice(-2), ["SESSION_GAP 3", "READY 3"]);
  assertEquals(play.discord.journal.identifies().length, 5);
  assertEquals(play.discord.journal.violations(), []);
  await play.close();
});

Deno.test("fleet: restarts that cannot be are refused", async () => {
  const play = new FleetPlay(FOUR);
  await assertRejects(() => play.fleet.restart(0), TypeError, "the fleet is idle");
  await play.live(4);
  await assertRejects(() => play.fleet.restart(4), ShardNotHereError, "4 of 4");
  const first = play.fleet.restart(0);
  await assertRejects(() => play.fleet.restart(0), TypeError, "it is being restarted");
  await first;
  await play.close();
  await assertRejects(() => play.fleet.restart(0), TypeError, "the fleet is closed");
});

Deno.test("fleet: with run() a slow handler delays its own shard alone", async () => {
  const play = await new FleetPlay({ ...FOUR, by: "run" }).live(4);
  let goOn = () => {};
  const pause = new Promise<void>((resolve) => goOn = resolve);
  play.onItem = (item) => textOf(item) === "slow" ? pause : undefined;
  play.write("slow", 0);
  play.write("behind it", 0);
  play.write("elsewhere", 1);
  await play.settle();
  assertEquals(play.texts, ["slow", "elsewhere"]);
  goOn();
  await play.settle();
  assertEquals(play.texts, ["slow", "elsewhere", "behind it"]);
  await play.close();
});

Deno.test("fleet: run() waits for handlers that are still busy when it is closed", async () => {
  const play = await new FleetPlay({ ...FOUR, by: "run" }).live(4);
  let goOn = () => {};
  play.onItem = (item) => textOf(item) === null ? undefined : new Promise<void>((resolve) => goOn = resolve);
  play.write("busy", 0);
  await play.settle();
  await play.fleet.close();
  let isOver = false;
  void play.finished.then(() => isOver = true);
  await play.settle();
  assertEquals(isOver, false);
  goOn();
  assertEquals(await play.finished, null);
  assertQuiet(play);
});

Deno.test("fleet: a handler that throws ends the fleet, which keeps the sessions", async () => {
  for (const by of ["iterate", "run"] as const) {
    const play = await new FleetPlay({ ...FOUR, by }).live(4);
    play.onItem = () => Promise.reject(new Error("a bug"));
    play.write("hello", 1);
    await play.settle();
    const error = await play.finished;
    assert(error instanceof Error && error.message === "a bug", `${error}`);
    assertEquals(play.discord.sessions.length, 4);
    assertQuiet(play);
  }
});

Deno.test("fleet: the merged stream acknowledges nothing early: what is not handled comes again", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  // From here on the consumer keeps what it gets.
  play.onItem = () => new Promise(() => {});
  for (const guild of [0, 1, 2, 3]) for (const number of [1, 2, 3]) play.write(`${guild}.${number}`, guild);
  await play.settle();
  assertEquals(play.texts, ["0.1"]);
  const sessions = await play.fleet.close({ keepSession: true });
  assertEquals(sessions.length, 4);
  assertQuiet(play);

  const { clock, discord } = play;
  const next = await new FleetPlay({ clock, discord, sessions }).live(4);
  await next.settle();
  const all = [0, 1, 2, 3].flatMap((guild) => [1, 2, 3].map((number) => `${guild}.${number}`));
  assertEquals([...next.texts].sort(), all);
  assertEquals([discord.journal.identifies().length, discord.journal.resumes().length], [4, 4]);
  await next.close();
});

Deno.test("fleet: what was acknowledged does not come again", async () => {
  for (const by of ["iterate", "run"] as const) {
    const play = await new FleetPlay({ ...FOUR, by }).live(4);
    play.onItem = (item) => {
      if (textOf(item) === "!stop") play.fleet.acknowledge(item);
      return new Promise(() => {});
    };
    play.write("!stop", 1);
    play.write("after it", 1);
    await play.settle();
    assertEquals(play.texts, ["!stop"]);
    const sessions = await play.fleet.close({ keepSession: true });
    const { clock, discord } = play;
    const next = await new FleetPlay({ clock, discord, sessions }).live(4);
    await next.settle();
    assertEquals(next.texts, ["after it"]);
    await next.close();
  }
});

Deno.test("fleet: leaving the loop keeps the sessions, close() ends them", async () => {
  const play = new FleetPlay(FOUR);
  const leave = async () => {
    for await (const { event } of play.fleet) if (event.t === "MESSAGE_CREATE") break;
  };
  const left = leave();
  await play.clock.runUntil(() => play.fleet.status.counts.live === 4);
  play.write("enough", 0);
  await play.settle();
  await left;
  assertQuiet(play);
  assertEquals(play.discord.sessions.length, 4);
  assertEquals(play.fleet.sessions.length, 4);

  const other = await new FleetPlay(FOUR).live(4);
  await other.close();
  assertEquals([other.discord.sessions.length, other.fleet.sessions.length], [0, 0]);
});

Deno.test("fleet: events as a stream, which a cancel closes", async () => {
  const play = new FleetPlay(FOUR);
  const reader = play.fleet.events.getReader();
  assertEquals(play.fleet.events, play.fleet.events);
  const names: string[] = [];
  const read = async () => {
    for (let count = 0; count < 4; count++) names.push((await reader.read()).value?.event.t ?? "nothing");
  };
  const reading = read();
  await play.clock.runUntil(() => names.length === 4);
  await reading;
  assertEquals(names, ["READY", "READY", "READY", "READY"]);
  await reader.cancel();
  assertQuiet(play);
});

Deno.test("fleet: it has one consumer", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  assertThrows(() => play.fleet[Symbol.asyncIterator](), TypeError, "has a consumer already");
  assertThrows(() => play.fleet.events, TypeError, "has a consumer already");
  await assertRejects(() => play.fleet.run(() => {}), TypeError, "has a consumer already");
  await play.close();
});

Deno.test("fleet: an onStatus that throws stops the shard that it was told of, and no other", async () => {
  const play = new FleetPlay({
    ...FOUR,
    onStatus: ({ shardId, status }) => {
      if (shardId === 2 && status.state === "live") throw new Error("a bug");
    },
  });
  await play.live(3);
  const stopped = play.items.find(({ event }) => event.t === "SHARD_STOPPED");
  assertEquals(stopped?.shardId, 2);
  assert(stopped?.event.t === "SHARD_STOPPED" && stopped.event.d.error instanceof Error);
  assertEquals(stopped.event.d.error.message, "a bug");
  await play.close();
});

Deno.test("fleet: the token shows nowhere", async () => {
  const play = await new FleetPlay({ fake: { ...FOUR.fake, token: "top.secret.token" } }).live(4);
  play.connection(0).close(4004);
  await play.settle();
  const shown = [
    Deno.inspect(play.fleet, { depth: 10 }),
    JSON.stringify(play.fleet),
    JSON.stringify(play.fleet.status),
    Deno.inspect(play.fleet.status, { depth: 10 }),
    JSON.stringify(play.fleet.sessions),
    Deno.inspect(play.items, { depth: 10 }),
    Deno.inspect(play.statuses, { depth: 10 }),
  ];
  for (const text of shown) assertEquals(text.includes("secret"), false, text);
  await play.close();
});

// Commands.

const PRESENCE: GatewayCommand = {
  op: 3,
  d: { since: null, activities: [], status: "idle", afk: false },
};

Deno.test("fleet: a shard that is restarted, and those of a reshard, begin with the presence that was sent last", async () => {
  const play = await new FleetPlay({ fake: { shards: 2, maxConcurrency: 16 } }).live(2);
  await play.fleet.send({ op: 3, d: { since: 7, activities: [], status: "idle", afk: true } });
  await play.fleet.restart(0, { resume: false });
  await play.clock.runUntil(() => play.fleet.status.counts.live === 2);
  const resharding = play.fleet.reshard(3);
  await play.clock.runUntil(() => play.fleet.status.shardCount === 3);
  assertEquals((await resharding).to, 3);
  const presences = play.discord.journal.of("frame").filter(({ op }) => op === 2)
    .map(({ d }) => field(field(d, "presence"), "since"));
  assertEquals(presences, [undefined, undefined, 7, 7, 7, 7]);
  await play.fleet.close();
});

Deno.test("fleet: a command goes through its guild's shard, a presence through each, a list in parts", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  const ids = play.discord.guilds.map(({ id }) => id);
  await Promise.all([
    play.fleet.send({ op: 8, d: { guild_id: ids[6]!, query: "", limit: 0 } }),
    play.fleet.send(PRESENCE),
    play.fleet.send({ op: 31, d: { guild_ids: [ids[0]!, ids[1]!, ids[5]!] } }),
  ]);
  await play.settle();
  const sent = commandsOf(play).map(({ op, shard }) => `${op} on ${shard}`).sort();
  assertEquals(sent, ["3 on 0/4", "3 on 1/4", "3 on 2/4", "3 on 3/4", "31 on 0/4", "31 on 1/4", "8 on 2/4"]);
  const parts = commandsOf(play).filter(({ op }) => op === 31).map(({ d }) => d);
  assertEquals(parts, [{ guild_ids: [ids[0]] }, { guild_ids: [ids[1], ids[5]] }]);
  await play.close();
});

Deno.test("fleet: a command that goes through every shard is turned to JSON once", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  let encodings = 0;
  await play.fleet.send({ op: 3, d: { ...PRESENCE.d, toJSON: () => (encodings++, PRESENCE.d) } as never });
  assertEquals([commandsOf(play).length, encodings], [4, 1]);
  await play.close();
});

Deno.test("fleet: a command for a guild of another process is refused, and one that Discord would refuse", async () => {
  const play = await new FleetPlay({ ...FOUR, shards: { ids: [0, 1], count: 4 } }).live(2);
  const error = await play.fleet.send({
    op: 8,
    d: { guild_id: play.discord.guilds[3]!.id, query: "", limit: 0 },
  }).catch((error) => error);
  assert(error instanceof ShardNotHereError, `${error}`);
  assertEquals([error.shardId, error.shardCount, error.code], [3, 4, "ERR_SHARD_NOT_HERE"]);
  const tooLong: GatewayCommand = {
    op: 31,
    d: { guild_ids: Array.from({ length: 300 }, () => "1".repeat(19)) },
  };
  await assertRejects(() => play.fleet.send(tooLong), Error, "4096");
  await play.close();
});

Deno.test("fleet: a command waits for the start, through a cut and a restart, and is rejected by a close", async () => {
  const play = new FleetPlay(FOUR);
  const early = play.fleet.send(PRESENCE);
  await play.live(4);
  await early;
  play.connection(1).drop();
  await play.settle();
  const guild_id = play.discord.guilds[1]!.id;
  const waiting = play.fleet.send({ op: 8, d: { guild_id, query: "", limit: 0 } });
  await play.fleet.restart(1);
  await play.clock.runUntil(() => play.fleet.status.counts.live === 4);
  await waiting;
  await play.settle();
  assertEquals(commandsOf(play).at(-1)?.shard, "1/4");

  play.connection(1).drop();
  await play.settle();
  const [one, several] = [
    play.fleet.send({ op: 8, d: { guild_id, query: "", limit: 0 } }),
    play.fleet.send({ op: 31, d: { guild_ids: [guild_id] } }, {
      signal: AbortSignal.abort(new Error("never mind")),
    }),
  ].map((sent) => sent.catch((error) => error));
  assertEquals((await several).message, "never mind");
  await play.close();
  const error = await one;
  assert(error instanceof CommandNotSentError && error.command.op === 8, `${error}`);
  await assertRejects(() => play.fleet.send(PRESENCE), AggregateError, "through every shard");
});

Deno.test("fleet: a command given before the start is rejected by a close", async () => {
  const fleet = new Fleet({ token: "bot token", intents: 0 });
  const early = fleet.send(PRESENCE).catch((error) => error);
  assertEquals(await fleet.close({ keepSession: true }), []);
  assert(await early instanceof CommandNotSentError);
});

// Sessions.

Deno.test("fleet: sessions decide on the count; a shard without one identifies", async () => {
  const play = await new FleetPlay(FOUR).live(4);
  const all = await play.fleet.close({ keepSession: true });
  const sessions = all.filter(({ shardId }) => shardId !== 2);
  const { clock, discord } = play;
  const next = await new FleetPlay({ clock, discord, sessions, shards: "recommended" }).live(4);
  assertEquals(next.fleet.status.shardCount, 4);
  assertEquals([discord.journal.identifies().length, discord.journal.resumes().length], [5, 3]);
  assertEquals(discord.journal.violations(), []);
  await next.close();
});

function recordOf(sessions: readonly SessionRecord[], shardId: number): SessionRecord {
  const record = sessions.find((session) => session.shardId === shardId);
  if (!record) throw new Error(`there is no session of shard ${shardId}`);
  return record;
}

function _typesOf(fleet: Fleet<"MESSAGE_CREATE">): Promise<void> {
  // Compiles, or the tests do not run: `d` narrows by `t`, and what was not asked for is an error.
  return fleet.run(({ event }) => {
    if (event.t === "MESSAGE_CREATE") event.d.content.trim();
    // @ts-expect-error nobody asked for it
    if (event.t === "GUILD_CREATE") return;
  });
}

/** Heartbeats of a running shard: for a day, on request, beside a busy program, and after the process has slept. */

import { assert, assertEquals } from "@std/assert";
import { type Platform, Shard } from "../../../mod.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";
import { Play } from "../harness.ts";
import { Puppet } from "../puppet.ts";

const DAY_MS = 24 * 3_600_000;

Deno.test("shard: runs through 24 hours on one connection, with every heartbeat on time", async () => {
  const play = await new Play({ fake: { heartbeatInterval: 41_250 } }).live();
  await play.clock.advance(DAY_MS);
  const heartbeats = play.discord.journal.heartbeats();
  assert(heartbeats[0]!.at > 0 && heartbeats[0]!.at < 41_250, "the first heartbeat is jittered");
  const gaps = heartbeats.slice(1).map(({ at }, index) => Math.round(at - heartbeats[index]!.at));
  assertEquals(new Set(gaps), new Set([41_250]));
  assertEquals(heartbeats.length, Math.floor((DAY_MS - heartbeats[0]!.at) / 41_250) + 1);
  assertEquals(play.shard.latency?.acknowledged, heartbeats.length);
  assertEquals(play.discord.journal.dials().length, 1);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
  assertEquals(play.clock.pending, 0);
});

Deno.test("shard: runs through a day of cuts, op 7, op 9 and floods: each event of a session comes once, in order", async () => {
  const play = await new Play().live();
  const { clock, discord } = play;
  const seen = new Map<number, number[]>();
  let session = 0;
  play.onEvent = (event) => {
    if (event.t === "READY") session++;
    if (event.t === "MESSAGE_CREATE") seen.set(session, [...seen.get(session) ?? [], event.s]);
  };
  session = 1;
  while (clock.now() < DAY_MS) {
    play.write(Math.floor(clock.random() * 5));
    const [connection] = discord.connections;
    const dice = clock.random();
    if (dice < 0.1) connection?.drop();
    else if (dice < 0.2) connection?.reconnect();
    else if (dice < 0.25) connection?.close(4000 + Math.floor(clock.random() * 3));
    else if (dice < 0.28) connection?.invalidateSession(true);
    else if (dice < 0.29) connection?.invalidateSession(false);
    else if (dice < 0.4) connection?.requestHeartbeat();
    else if (dice < 0.42) connection?.stall();
    else if (dice < 0.45) discord.faults.rejectDials = [503, 503];
    play.write(Math.floor(clock.random() * 5));
    await clock.advance(clock.random() * 300_000);
  }
  await clock.runUntil(() => play.shard.status.state === "live");
  await clock.advance(0);
  for (const sequences of seen.values()) {
    assertEquals(sequences, [...new Set(sequences)].sort((a, b) => a - b));
  }
  const last = discord.sessions.at(-1)!;
  assertEquals(
    seen.get(session)?.length,
    last.counts.get("MESSAGE_CREATE"),
    "nothing of the session is missing",
  );
  assertEquals(discord.journal.identifies().length, session);
  assert(session > 1);
  await play.shard.close();
  assertEquals(discord.journal.violations().filter(({ rule }) => !rule.includes("every interval")), []);
});

Deno.test("shard: op 1 is answered at once with the last sequence, and the schedule goes on from there [case 30]", async () => {
  const play = await new Play().live();
  play.write(3);
  await play.clock.advance(1);
  play.connection.requestHeartbeat();
  await play.clock.advance(0);
  const [heartbeat] = play.discord.journal.heartbeats();
  assertEquals([heartbeat?.at, heartbeat?.d], [1, 4]);
  await play.clock.advance(40_000);
  assertEquals(play.discord.journal.heartbeats().map(({ at }) => at), [1, 40_001]);
  await play.shard.close();
});

Deno.test("shard: op 1 before HELLO and before READY is answered with null", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.say(1);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.say(1);
  assertEquals(puppet.socket.sent.map(({ op, d }) => op === 1 ? d : op), [null, 2, null]);
  await play.shard.close();
});

Deno.test("shard: an acknowledgement gives the latency [case 31]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  puppet.socket.say(1);
  await play.clock.advance(123);
  puppet.socket.say(11);
  assertEquals(play.shard.latency, { meanMs: 123, recentMs: [123], acknowledged: 1 });
  await play.shard.close();
  assertEquals(play.shard.latency, null);
});

Deno.test("shard: HELLO again with a shorter interval counts from then on", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.hello(3_600_000);
  await play.clock.advance(0);
  puppet.socket.ready();
  puppet.socket.hello(10_000);
  await play.clock.advance(10_000);
  assertEquals(puppet.socket.ops, [2, 1]);
  await play.shard.close();
});

Deno.test("shard: a requested heartbeat for which the budget has no capacity is sent as soon as it has", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test", gateway: { commandPeriodMs: 60_000 } })
    .start();
  await play.clock.advance(0);
  puppet.socket.hello(1_000_000);
  await play.clock.advance(0);
  puppet.socket.ready();
  const command = { op: 31, d: { guild_ids: ["1"] } } as const;
  await Promise.all(Array.from({ length: 119 }, () => play.shard.send(command)));
  puppet.socket.say(1);
  assertEquals(puppet.socket.ops.filter((op) => op === 1), [], "120 frames are out");
  await play.clock.advance(60_000);
  assertEquals(puppet.socket.ops.filter((op) => op === 1), [1]);
  await play.shard.close();
});

Deno.test("shard: a program that takes minutes for an event does not disturb the heartbeats", async () => {
  const play = new Play();
  play.onEvent = () => new Promise<void>((resolve) => void play.clock.setTimeout(resolve, 600_000));
  await play.live();
  play.write(5);
  await play.clock.advance(3_600_000);
  assertEquals(play.names.length, 6);
  assertEquals(play.discord.journal.dials().length, 1);
  await play.shard.close();
  await play.clock.advance(600_000);
  assertEquals(play.discord.journal.violations(), []);
});

/** A clock on a machine that can sleep: time passes, timers do not fire before it wakes up. */
class SleepyPlatform implements Platform {
  readonly clock = new VirtualClock();
  sleptMs = 0;
  now(): number {
    return this.clock.now() + this.sleptMs;
  }
  setTimeout(callback: () => void, delayMs: number): unknown {
    return this.clock.setTimeout(callback, delayMs);
  }
  clearTimeout(timer: unknown): void {
    this.clock.clearTimeout(timer);
  }
  random(): number {
    return 0.5;
  }
}

Deno.test("shard: after a stall it reads what waits before it judges the peer", async () => {
  const platform = new SleepyPlatform();
  const puppet = new Puppet();
  const shard = new Shard({ token: "x", intents: 0, url: "wss://main.test", dial: puppet.dial, platform });
  const statuses: string[] = [];
  void shard.run(() => void statuses.push(shard.status.state));
  await platform.clock.advance(0);
  puppet.socket.hello(40_000);
  await platform.clock.advance(0);
  puppet.socket.ready();
  await platform.clock.advance(20_000);
  assertEquals(puppet.socket.ops, [2, 1]);
  // The lid is closed before the acknowledgement is read, and opened an hour later.
  platform.sleptMs = 3_600_000;
  await platform.clock.advance(40_000);
  for (let frame = 0; frame < 30 && puppet.socket.ops.length < 3; frame++) {
    puppet.socket.say(11);
    await platform.clock.advance(10);
  }
  assertEquals(
    puppet.socket.ops,
    [2, 1, 1],
    "the peer lives: it heartbeats, late, and stays; no frame puts it off",
  );
  assertEquals(shard.status.state, "live");

  // The same again, and nothing waits: the peer is gone.
  platform.sleptMs += 3_600_000;
  await platform.clock.advance(41_000);
  assertEquals(puppet.sockets.length, 2);
  assertEquals(puppet.sockets[0]?.closes.map(({ code }) => code), [4200]);
  await shard.close();
});

Deno.test("shard: after a stall a READY that waits behind another frame is in time", async () => {
  const platform = new SleepyPlatform();
  const puppet = new Puppet();
  const shard = new Shard({ token: "x", intents: 0, url: "wss://main.test", dial: puppet.dial, platform });
  const run = shard.run(() => {});
  await platform.clock.advance(0);
  puppet.socket.hello(40_000);
  for (let heartbeat = 0; heartbeat < 2; heartbeat++) {
    await platform.clock.advance(40_000);
    puppet.socket.say(11);
  }
  assertEquals([puppet.socket.ops, shard.status.state], [[2, 1, 1], "identifying"]);
  platform.sleptMs = 3_600_000;
  await platform.clock.advance(20_000);
  // A timer has fired, late by an hour; now the frames come in, one by one.
  puppet.socket.say(11);
  await platform.clock.advance(1);
  puppet.socket.ready();
  await platform.clock.advance(1_000);
  assertEquals([shard.status.state, puppet.sockets.length], ["live", 1]);
  await shard.close();
  await run;
});

Deno.test("shard: the fake closes a client that does not heartbeat, so that the heartbeats above prove something", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock, heartbeatInterval: 40_000 });
  const connection = await discord.dial("wss://x.test/?v=10&encoding=json");
  await clock.advance(60_000);
  assertEquals((await connection.closed).code, null);
});

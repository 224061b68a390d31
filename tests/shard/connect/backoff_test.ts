/** How long a shard waits before the next attempt, and what makes it start over. */

import { assert, assertEquals } from "@std/assert";
import { VirtualClock } from "../../fake/mod.ts";
import { Play } from "../harness.ts";
import { Puppet } from "../puppet.ts";

/** The waits before the next attempts, in ms. */
function waits(play: Play): number[] {
  return play.statusesOf("disconnected").map(({ delayMs }) => delayMs);
}

/** The longest that wait number `attempt` (from 0) may be. */
function ceiling(attempt: number): number {
  return Math.min(60_000, 1_000 * 2 ** attempt);
}

/** The waits of a shard that cannot dial so many times. */
async function waitsOfOutage(seed: number, attempts: number): Promise<number[]> {
  const play = new Play({ clock: new VirtualClock({ seed }) });
  play.discord.faults.rejectDials = Array(attempts).fill(503);
  await play.live();
  await play.shard.close();
  return waits(play);
}

/** Drops the connection, and returns the wait that follows. */
async function drop(play: Play): Promise<number> {
  play.connection.drop();
  await play.untilState("live");
  return waits(play).at(-1)!;
}

Deno.test("shard: the waits of an outage grow to 60 s and no further, with full jitter [case 3]", async () => {
  const drawn: number[][] = Array.from({ length: 12 }, () => []);
  for (let seed = 1; seed <= 60; seed++) {
    for (const [attempt, ms] of (await waitsOfOutage(seed, 12)).entries()) {
      assert(ms >= 0 && ms <= ceiling(attempt), `wait ${attempt}: ${ms}`);
      drawn[attempt]?.push(ms / ceiling(attempt));
    }
  }
  for (const parts of drawn) {
    // Evenly from nothing up: not half plus something, not a fixed share.
    assertEquals(parts.length, 60);
    assert(Math.min(...parts) < 0.15 && Math.max(...parts) > 0.85);
    const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
    assert(Math.abs(mean - 0.5) < 0.15, `the mean is ${mean}`);
  }
});

Deno.test("shard: two shards that lose Discord together come back apart", async () => {
  const [one, other] = [await waitsOfOutage(1, 5), await waitsOfOutage(2, 5)];
  assert(one.every((ms, attempt) => ms !== other[attempt]));
});

Deno.test("shard: being live is not enough to start over, an acknowledged heartbeat is", async () => {
  // Always the longest wait there can be.
  class Pessimist extends VirtualClock {
    override random(): number {
      return 0.999;
    }
  }
  const play = await new Play({ clock: new Pessimist() }).live();
  const unproven = [await drop(play), await drop(play), await drop(play)];
  assertEquals(unproven.map(Math.round), [999, 1998, 3996]);
  await play.clock.advance(30_000);
  assertEquals(Math.round(await drop(play)), 7992, "half a minute without a heartbeat proves nothing");

  await play.clock.advance(41_000);
  assertEquals(play.shard.latency?.acknowledged, 1);
  assertEquals(Math.round(await drop(play)), 999, "an acknowledged heartbeat does");
  await play.shard.close();
});

Deno.test("shard: a heartbeat that was acknowledged before RESUMED proves nothing", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  for (let connection = 0; connection < 4; connection++) {
    puppet.socket.hello(10_000);
    await play.clock.advance(9_999);
    assert(puppet.socket.ops.includes(1), "a heartbeat went out");
    puppet.socket.say(11);
    const { length } = puppet.sockets;
    puppet.socket.lose();
    await play.clock.runUntil(() => puppet.sockets.length > length);
  }
  const ceilings = waits(play).map((_, attempt) => ceiling(attempt));
  assert(waits(play).every((ms, attempt) => ms <= ceilings[attempt]!));
  // Started over, no wait would ever exceed a second.
  assert(waits(play).some((ms) => ms > 1_000), `${waits(play)}`);
  await play.shard.close();
});

Deno.test("shard: op 7 and a zombie go without a wait once, then with one", async () => {
  const play = await new Play().live();
  for (let times = 0; times < 4; times++) {
    play.connection.reconnect();
    await play.untilState("live");
  }
  assertEquals(waits(play)[0], 0);
  assert(waits(play).slice(1).every((ms) => ms > 0), `${waits(play)}`);
  await play.clock.advance(41_000);
  play.connection.reconnect();
  await play.untilState("live");
  assertEquals(waits(play).at(-1), 0, "a connection that proved itself has it again");
  await play.shard.close();
});

Deno.test("shard: the wait after op 9 is 1 to 5 s, and the backoff where that is longer", async () => {
  const play = await new Play({ identifyLimiter: { take: () => true } }).live();
  const drawn: number[] = [];
  for (let times = 0; times < 40; times++) {
    play.connection.invalidateSession(false);
    await play.untilState("live");
    drawn.push(waits(play).at(-1)!);
    // Proves itself, so that the backoff stays out of it.
    await play.clock.advance(41_000);
  }
  assert(drawn.every((ms) => ms >= 1_000 && ms <= 5_000));
  assert(Math.min(...drawn) < 2_000 && Math.max(...drawn) > 4_000);

  for (let times = 0; times < 12; times++) {
    play.connection.invalidateSession(false);
    await play.untilState("live");
  }
  assert(waits(play).slice(-6).some((ms) => ms > 5_000), "without proof it backs off");
  assert(waits(play).every((ms) => ms <= 60_000));
  await play.shard.close();
});

Deno.test("shard: a connection that is refused for a day costs no identify and stays within bounds", async () => {
  const play = await new Play().live();
  play.discord.faults.rejectDials = Array(100_000).fill(520);
  play.connection.drop();
  await play.clock.advance(24 * 3_600_000);
  const dials = play.discord.journal.dials().length;
  assert(dials > 2_000 && dials < 4_500, `about two a minute: ${dials}`);
  assertEquals(play.discord.journal.identifies().length, 1);
  assertEquals(play.clock.pending, 1, "one timer");
  await play.shard.close();
});

/** The identify limiter, injected: when a permit is requested, and the result of each outcome. */

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import {
  type IdentifyLimiter,
  IdentifyLimiterError,
  type IdentifyLimits,
  type IdentifyPermit,
  IdentifyRefusedError,
  MemoryIdentifyLimiter,
} from "../../../mod.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";
import { assertQuiet, field, Play, settled } from "../harness.ts";

/** A limiter in the hands of a test. */
class HeldLimiter implements IdentifyLimiter {
  readonly asked: { readonly shardId: number; readonly signal: AbortSignal | undefined }[] = [];
  readonly #answers: { resolve(go: boolean): void; reject(error: unknown): void }[] = [];

  take(shardId: number, { signal }: { signal?: AbortSignal } = {}): Promise<boolean> {
    this.asked.push({ shardId, signal });
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }));
  }

  answer(go: boolean): void {
    this.#answers.shift()?.resolve(go);
  }

  fail(error: unknown): void {
    this.#answers.shift()?.reject(error);
  }
}

Deno.test("shard: the limiter is asked after HELLO for the shard's id, and IDENTIFY waits for the permit", async () => {
  const identifyLimiter = new HeldLimiter();
  const play = new Play({ identifyLimiter, shard: [3, 4] });
  play.discord.faults.silentHello = 1;
  play.start();
  await play.clock.advance(10_000);
  assertEquals(identifyLimiter.asked.length, 0, "nobody is asked before HELLO");
  await play.clock.advance(20_000);
  assertEquals(identifyLimiter.asked.map(({ shardId }) => shardId), [3]);
  assertEquals(play.discord.journal.identifies(), []);
  identifyLimiter.answer(true);
  await play.clock.advance(0);
  assertEquals(play.discord.journal.identifies().length, 1);
  assertEquals(play.names, ["READY"]);
  await play.shard.close();
});

Deno.test("shard: heartbeats run while the limiter takes its time, for hours", async () => {
  const identifyLimiter = new HeldLimiter();
  const play = new Play({ identifyLimiter }).start();
  await play.clock.advance(5 * 3_600_000);
  assertEquals(play.shard.status.state, "awaiting_permit");
  assertEquals(play.discord.journal.dials().length, 1);
  assert(play.discord.journal.heartbeats().length >= 449);
  assert(play.discord.journal.heartbeats().every(({ d }) => d === null));
  identifyLimiter.answer(true);
  await play.clock.advance(0);
  assertEquals(play.shard.status.state, "live");
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: the limiter is asked for every identify, and never for a resume", async () => {
  const identifyLimiter = new HeldLimiter();
  const play = new Play({ identifyLimiter }).start();
  await play.clock.advance(0);
  identifyLimiter.answer(true);
  await play.untilState("live");
  for (let resume = 0; resume < 3; resume++) {
    play.connection.drop();
    await play.untilState("live");
  }
  assertEquals(play.discord.journal.resumes().length, 3);
  assertEquals(identifyLimiter.asked.length, 1);
  play.connection.invalidateSession(false);
  await play.untilState("awaiting_permit");
  assertEquals(identifyLimiter.asked.length, 2);
  await play.shard.close();
});

Deno.test("shard: a permit that is no promise is accepted", async () => {
  for (const go of [true, false]) {
    const play = new Play({ identifyLimiter: { take: () => go } }).start();
    await play.clock.advance(0);
    assertEquals(play.shard.status.state, go ? "live" : "closed");
    await play.shard.close();
  }
});

Deno.test("shard: false stops the shard with a typed error, never a hang", async () => {
  const identifyLimiter = new HeldLimiter();
  const play = new Play({ identifyLimiter }).start();
  await play.clock.advance(100_000);
  identifyLimiter.answer(false);
  const error = await settled(play.clock, play.finished);
  assertInstanceOf(error, IdentifyRefusedError);
  assertEquals(play.shard.status, { state: "closed", error });
  assertEquals(play.discord.journal.identifies(), []);
  assertQuiet(play);
});

for (const how of ["rejects", "throws"] as const) {
  Deno.test(`shard: a limiter that ${how} is asked again after a backoff`, async () => {
    const failure = new Error("the store is down");
    let failures = 3;
    const play = await new Play({
      identifyLimiter: {
        take: () => {
          if (failures-- <= 0) return true;
          if (how === "rejects") return Promise.reject(failure);
          throw failure;
        },
      },
    }).live();
    const told = play.statusesOf("disconnected");
    assertEquals(
      told.map(({ cause, action }) => `${cause} ${action}`),
      Array(3).fill("identify_limiter_failed identify"),
    );
    assertInstanceOf(told[0]?.error, IdentifyLimiterError);
    assertStrictEquals(told[0].error.cause, failure);
    assertEquals(play.discord.journal.identifies().length, 1);
    await play.shard.close();
  });
}

Deno.test("shard: a close aborts the wait for the permit", async () => {
  const identifyLimiter = new HeldLimiter();
  const play = new Play({ identifyLimiter }).start();
  await play.clock.advance(0);
  const [asked] = identifyLimiter.asked;
  assertEquals(asked?.signal?.aborted, false);
  await play.shard.close();
  assertEquals(asked?.signal?.aborted, true);
  // A limiter may reject on the abort: that rejection is ignored.
  identifyLimiter.fail(asked?.signal?.reason);
  await play.clock.advance(1_000);
  assertQuiet(play);
});

Deno.test("shard: a connection that is lost aborts the wait, the next one asks anew", async () => {
  const identifyLimiter = new HeldLimiter();
  const play = new Play({ identifyLimiter }).start();
  await play.clock.advance(0);
  play.connection.drop();
  await play.untilState("awaiting_permit");
  await play.clock.runUntil(() => identifyLimiter.asked.length === 2);
  assertEquals(identifyLimiter.asked.map(({ signal }) => signal?.aborted), [true, false]);
  await play.shard.close();
});

Deno.test("shard: two shards of a token share the default limiter, lower id first where they ask together [case 55]", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  const plays = [1, 0].map((id) => new Play({ discord, clock, shard: [id, 2] }).start());
  await clock.advance(60_000);
  const identifies = discord.journal.identifies();
  assertEquals(identifies.map(({ d }) => field(d, "shard")), [[0, 2], [1, 2]]);
  assert(identifies[1]!.at - identifies[0]!.at >= 5_000);
  for (const play of plays) await play.shard.close();
  assertEquals(discord.journal.violations(), []);
});

Deno.test("shard: max_concurrency lets as many identify together [case 55]", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock, maxConcurrency: 4 });
  const plays = Array.from({ length: 8 }, (_, id) => new Play({ discord, clock, shard: [id, 8] }).start());
  await clock.advance(30_000);
  const times = discord.journal.identifies().map(({ at }) => Math.round(at));
  assertEquals(times, [0, 0, 0, 0, 5_250, 5_250, 5_250, 5_250]);
  assert(plays.every(({ shard }) => shard.status.state === "live"));
  for (const play of plays) await play.shard.close();
  assertEquals(discord.journal.violations(), []);
});

Deno.test("shard: a day's budget that is spent stops the shard before Discord resets the token", async () => {
  const play = new Play({ fake: { identifyLimit: { total: 1000, remaining: 2 } } });
  await play.live();
  play.connection.invalidateSession(false);
  await play.untilState("live");
  play.connection.invalidateSession(false);
  await play.clock.advance(60_000);
  const error = await play.finished;
  assertInstanceOf(error, IdentifyRefusedError);
  assert(error.resetAfterMs !== null && error.resetAfterMs > 86_000_000, `${error.resetAfterMs}`);
  assertEquals(play.discord.journal.identifies().length, 2);
  assertEquals(play.discord.tokenReset, false);
  assertQuiet(play);
});

Deno.test("shard: no shard of the token identifies before the reset of a spent budget", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock, identifyLimit: { remaining: 1, resetAfter: 3_600_000 } });
  const first = await new Play({ discord, clock }).live();
  for (const waitMs of [0, 1_800_000, 1_700_000]) {
    await clock.advance(waitMs);
    const play = new Play({ discord, clock }).start();
    const error = await settled(clock, play.finished);
    assertInstanceOf(error, IdentifyRefusedError);
    assert(error.resetAfterMs !== null && clock.now() + error.resetAfterMs >= 3_600_000, error.message);
  }
  assertEquals(discord.journal.identifies().length, 1);
  await clock.advance(100_000);
  const later = await new Play({ discord, clock }).live();
  assertEquals(discord.journal.identifies().length, 2);
  for (const play of [first, later]) await play.shard.close();
  assertEquals([discord.tokenReset, discord.journal.violations()], [false, []]);
});

Deno.test("shard: a day of op 9 to every identify ends by a refusal, not by a token reset", async () => {
  const play = new Play({ fake: { identifyLimit: { total: 1_000 } } });
  play.start();
  for (let at = 0; at < 86_400_000 && play.shard.status.state !== "closed"; at += 2_000) {
    await play.clock.advance(2_000);
    for (const connection of play.discord.connections) {
      if (connection.session) connection.invalidateSession(false);
    }
  }
  assertInstanceOf(await play.finished, IdentifyRefusedError);
  assertEquals(play.discord.journal.identifies().length, 1_000);
  assertEquals(play.discord.tokenReset, false);
});

/** A limiter that writes down what becomes of its permits. */
class WatchingLimiter implements IdentifyLimiter {
  readonly outcomes: string[] = [];
  readonly limits: IdentifyLimits[] = [];
  #waiting: (() => void) | null = null;
  isHeld = false;

  async take(): Promise<IdentifyPermit> {
    if (this.isHeld) await new Promise<void>((resolve) => this.#waiting = resolve);
    return { release: (outcome) => void this.outcomes.push(outcome) };
  }

  update(limits: IdentifyLimits): Promise<void> {
    this.limits.push(limits);
    return Promise.reject(new Error("the store is down"));
  }

  go(): void {
    this.#waiting?.();
  }
}

Deno.test("shard: a permit is released once, with READY", async () => {
  const identifyLimiter = new WatchingLimiter();
  const play = new Play({ identifyLimiter });
  play.discord.faults.silentReady = 1;
  play.start();
  await play.clock.advance(60_000);
  assertEquals([play.shard.status.state, identifyLimiter.outcomes], ["identifying", []]);
  await play.untilState("live");
  assertEquals(identifyLimiter.outcomes, ["failed", "ready"], "the first got no READY in two minutes");
  await play.shard.close();
  assertEquals(identifyLimiter.outcomes, ["failed", "ready"]);
});

Deno.test("shard: a permit is released where the identify ends otherwise", async () => {
  for (
    const [what, end] of [
      ["op 9", (play: Play) => play.connection.invalidateSession(false)],
      ["a cut", (play: Play) => play.connection.drop()],
      ["a close by the program", (play: Play) => void play.shard.close()],
    ] as const
  ) {
    const identifyLimiter = new WatchingLimiter();
    const play = new Play({ identifyLimiter });
    play.discord.faults.silentReady = 1;
    play.start();
    await play.clock.advance(10);
    assertEquals(identifyLimiter.outcomes, [], what);
    end(play);
    await play.clock.advance(0);
    assertEquals(identifyLimiter.outcomes, ["failed"], what);
    await play.shard.close();
  }
});

Deno.test("shard: a permit that cannot be released costs neither the session nor the process", async () => {
  for (
    const release of [
      () => {
        throw new Error("out of reach");
      },
      () => Promise.reject(new Error("out of reach")),
    ]
  ) {
    const play = await new Play({
      identifyLimiter: { take: () => ({ release }) },
      fake: { identifyPeriod: 0 },
    })
      .live();
    play.connection.invalidateSession(false);
    await play.clock.advance(0);
    await play.untilState("live");
    play.discord.faults.silentReady = 1;
    play.connection.invalidateSession(false);
    await play.untilState("identifying");
    play.connection.drop();
    await play.untilState("live");
    assertEquals(play.discord.journal.identifies().length, 4);
    await play.shard.close();
    assertEquals(await play.finished, null);
  }
});

Deno.test("shard: a permit that comes after the connection has ended is given back unused", async () => {
  const identifyLimiter = new WatchingLimiter();
  identifyLimiter.isHeld = true;
  const play = new Play({ identifyLimiter }).start();
  await play.clock.advance(0);
  await play.shard.close();
  identifyLimiter.go();
  await play.clock.advance(0);
  assertEquals(identifyLimiter.outcomes, ["unused"]);
  assertEquals(play.discord.journal.identifies(), []);
});

Deno.test("shard: a custom limiter gets the limits of GET /gateway/bot, and may fail to take them", async () => {
  const identifyLimiter = new WatchingLimiter();
  const fake = {
    maxConcurrency: 16,
    identifyLimit: { total: 2_000, remaining: 1_990, resetAfter: 5_000_000 },
  };
  const play = await new Play({ identifyLimiter, fake }).live();
  assertEquals(identifyLimiter.limits, [
    { maxConcurrency: 16, total: 2_000, remaining: 1_990, resetAfterMs: 5_000_000 },
  ]);
  await play.shard.close();
});

Deno.test("shard: with hold the next shard of a key identifies a period after READY of the one before", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  discord.faults.silentReady = 1;
  const identifyLimiter = new MemoryIdentifyLimiter({ clock, hold: true });
  const plays = [0, 1].map((id) => new Play({ discord, clock, identifyLimiter, shard: [id, 2] }).start());
  await clock.runUntil(() => plays.every(({ shard }) => shard.status.state === "live"));
  const [first, second] = discord.journal.identifies().map(({ at }) => Math.round(at));
  assertEquals([first, second], [0, 120_000 + 5_250], "the first waits two minutes for READY, in vain");
  for (const play of plays) await play.shard.close();
  assertEquals(clock.pending, 0);
  assertEquals(discord.journal.violations(), []);
});

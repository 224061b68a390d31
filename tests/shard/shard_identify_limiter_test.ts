/** The identify limiter, injected: who is asked when, and what becomes of each answer. */

import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { type IdentifyLimiter, IdentifyRefusedError } from "../../mod.ts";
import { FakeDiscord, VirtualClock } from "../fake/mod.ts";
import { assertQuiet, field, Play, settled } from "./harness.ts";

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

Deno.test("shard: the limiter is asked after HELLO for the shard's id, and IDENTIFY waits for its answer", async () => {
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

Deno.test("shard: an answer that is no promise is as good", async () => {
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
    assertStrictEquals(told[0]?.error?.cause, failure);
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
  // A limiter may answer the abort by a rejection: nobody is left to hear it, and nobody has to.
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
  assertInstanceOf(await play.finished, IdentifyRefusedError);
  assertEquals(play.discord.journal.identifies().length, 2);
  assertEquals(play.discord.tokenReset, false);
  assertQuiet(play);
});

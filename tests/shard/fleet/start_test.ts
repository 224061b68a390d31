/** How a fleet starts: what it asks, in which order it dials, and what it refuses before anything is spent. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  type Dial,
  GatewayBotError,
  type SessionRecord,
  SessionRecordError,
  sharedIdentifyLimiter,
} from "../../../mod.ts";
import { Fleet, IdentifyBudgetError } from "../../../shard/fleet/mod.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";
import { assertQuiet, FleetPlay } from "./harness.ts";

const BASE = { token: "bot token", intents: 0 } as const;

function record(shardId: number, shardCount: number): SessionRecord {
  return { sessionId: `s${shardId}`, sequence: 1, resumeGatewayUrl: null, shardId, shardCount };
}

Deno.test("fleet start: what a fleet cannot be made from", () => {
  assertThrows(() => new Fleet({ ...BASE, shards: 0 }), RangeError, "an integer of at least 1: 0");
  assertThrows(
    () => new Fleet({ ...BASE, shards: { ids: [4], count: 4 } }),
    RangeError,
    "below the count, 4",
  );
  assertThrows(() => new Fleet({ token: "", intents: 0 }), TypeError, "the token is missing");
  assertThrows(() => new Fleet({ token: "x" }), TypeError, "name the events wanted");
  assertThrows(() => new Fleet({ ...BASE, maxQueuedEvents: 0 }), RangeError);
});

Deno.test("fleet start: sessions that do not belong together are refused", () => {
  for (
    const [sessions, shards, message] of [
      [[record(0, 2), record(1, 3)], undefined, "all are of one shard count, 2: 3"],
      [[record(0, 2)], 4, "all are of one shard count, 4: 2"],
      [[record(0, 2)], { ids: [0], count: 4 }, "all are of one shard count, 4: 2"],
      [[record(0, 2), record(0, 2)], undefined, "each shard has one: 0"],
      [[{ ...record(0, 2), sessionId: "" }], undefined, "sessionId is a string"],
    ] as const
  ) {
    const options = { ...BASE, sessions, ...(shards !== undefined && { shards }) };
    assertThrows(() => new Fleet(options), SessionRecordError, message);
  }
});

Deno.test("fleet start: 64 shards and max_concurrency 16 identify in four rounds, in bucket order", async () => {
  const play = await new FleetPlay({ fake: { shards: 64, maxConcurrency: 16 } }).live(64);
  const { journal } = play.discord;
  assertEquals(journal.violations(), []);
  const identifies = journal.identifies().map(({ at, d }) => ({
    at,
    shard: Reflect.get(Object(d), "shard"),
  }));
  assertEquals(identifies.map(({ shard }) => shard[0]), Array.from({ length: 64 }, (_, id) => id));
  assertEquals(identifies.map(({ at }) => at), Array.from({ length: 64 }, (_, id) => 5_250 * (id >> 4)));
  assertEquals([journal.of("rest").length, journal.dials().length], [1, 64]);
  assertEquals(play.clock.now(), 3 * 5_250);
  await play.close();
});

Deno.test("fleet start: no more shards knock than may identify at once", async () => {
  const play = new FleetPlay({ fake: { shards: 12, maxConcurrency: 4 } });
  let most = 0;
  const waiting = () => {
    const { counts } = play.fleet.status;
    return (counts.dialing ?? 0) + (counts.awaiting_hello ?? 0) + (counts.awaiting_permit ?? 0);
  };
  play.onItem = () => void (most = Math.max(most, waiting()));
  play.start();
  while (play.fleet.status.counts.live !== 12) {
    await play.clock.advance(50);
    most = Math.max(most, waiting());
  }
  assertEquals(most, 4);
  await play.close();
});

Deno.test("fleet start: a shard that does not get through delays the others for 10 s at most", async () => {
  const play = new FleetPlay({ fake: { shards: 6, maxConcurrency: 2 } });
  play.discord.faults.blackHoleDials = 1;
  await play.live(5);
  assertEquals(play.clock.now(), 10_000 + 5_250);
  await play.clock.runUntil(() => play.fleet.status.counts.live === 6);
  assertEquals(play.discord.journal.violations(), []);
  await play.close();
});

Deno.test("fleet start: shards that resume need no turn; they are dialled at once, a little apart", async () => {
  const first = await new FleetPlay({ fake: { shards: 12, maxConcurrency: 12 } }).live(12);
  const sessions = await first.fleet.close({ keepSession: true });
  const { clock, discord } = first;
  const dialled: number[] = [];
  const dial: Dial = (url, options) => {
    dialled.push(clock.now());
    return discord.dial(url, options);
  };
  const rest = discord.journal.of("rest").length;
  const next = await new FleetPlay({ clock, discord, sessions, dial }).live(12);
  assertEquals(discord.journal.resumes().length, 12);
  assertEquals(discord.journal.of("rest").length, rest, "nobody had to be asked");
  assert(dialled.every((at, place) => at >= place * 10 && at < place * 10 + 10), `${dialled}`);
  await next.close();
});

Deno.test("fleet start: records of shards that run elsewhere are left alone", async () => {
  const first = await new FleetPlay({ fake: { shards: 4, maxConcurrency: 4 } }).live(4);
  const sessions = await first.fleet.close({ keepSession: true });
  const { clock, discord } = first;
  const next = await new FleetPlay({ clock, discord, sessions, shards: { ids: [1, 2], count: 4 } }).live(2);
  assertEquals([discord.journal.resumes().length, discord.journal.identifies().length], [2, 4]);
  await next.close();
});

Deno.test("fleet start: an outage of the REST API is waited out, and shows in the status", async () => {
  const play = new FleetPlay({ fake: { shards: 2, maxConcurrency: 2 } });
  play.discord.faults.rejectRequests.push(502, 500);
  assertEquals([play.fleet.status.state, play.fleet.status.shardCount], ["idle", null]);
  play.start();
  await play.settle();
  const { state, error } = play.fleet.status;
  assertEquals(state, "starting");
  assert(error instanceof GatewayBotError && error.status === 502, `${error}`);
  await play.clock.runUntil(() => play.fleet.status.counts.live === 2);
  assertEquals([play.fleet.status.state, play.fleet.status.error], ["running", null]);
  await play.close();
  assertEquals(await play.finished, null);
});

Deno.test("fleet start: a close in the midst of an outage leaves nothing behind, and is no failure", async () => {
  for (const by of ["iterate", "run"] as const) {
    const play = new FleetPlay({ fake: { shards: 2 }, by });
    play.discord.faults.rejectRequests.push(502);
    play.start();
    await play.settle();
    await play.close();
    assertEquals(await play.finished, null);
  }
});

Deno.test("fleet start: a close at any instant of the start leaves nothing behind", async () => {
  for (let afterMs = 0; afterMs < 12_000; afterMs += 379) {
    const play = new FleetPlay({ fake: { shards: 6, maxConcurrency: 2 } }).start();
    await play.clock.advance(afterMs);
    await play.close({ keepSession: afterMs % 2 === 0 });
    assertEquals(await play.finished, null);
    assertEquals(play.discord.journal.violations(), []);
  }
});

Deno.test("fleet start: a token that the REST API refuses ends the fleet at once", async () => {
  const play = new FleetPlay({ fake: { shards: 2 }, token: "not.the.bots" }).start();
  await play.settle();
  const error = await play.finished;
  assert(error instanceof GatewayBotError && error.status === 401, `${error}`);
  assertEquals(play.fleet.status.error, error);
  assertQuiet(play);
});

Deno.test("fleet start: with too few identifies left none is spent, and the error says when there are more", async () => {
  const identifyLimit = { total: 1000, remaining: 3, resetAfter: 3_600_000 };
  const play = new FleetPlay({ fake: { shards: 4, maxConcurrency: 4, identifyLimit } }).start();
  await play.settle();
  const error = await play.finished;
  assert(error instanceof IdentifyBudgetError, `${error}`);
  assertEquals([error.needed, error.remaining, error.resetAfterMs], [4, 3, 3_600_000]);
  assert(error.message.endsWith("until the reset in 3600000 ms: 3"), error.message);
  assertEquals([play.discord.journal.dials().length, play.discord.journal.identifies().length], [0, 0]);
  assertQuiet(play);
});

Deno.test("fleet start: shards that resume do not count towards the identifies", async () => {
  const first = await new FleetPlay({
    fake: { shards: 4, maxConcurrency: 4, identifyLimit: { remaining: 5 } },
  }).live(4);
  const all = await first.fleet.close({ keepSession: true });
  const { clock, discord } = first;
  const next = await new FleetPlay({ clock, discord, sessions: all.slice(0, 3) }).live(4);
  assertEquals(discord.tokenReset, false);
  await next.close();
});

Deno.test("fleet start: with a URL and a count nobody is asked, and the limiter of this process is believed", async () => {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock });
  const url = "wss://gateway.fake.invalid";
  const play = await new FleetPlay({ clock, discord, url, shards: 2 }).live(2);
  assertEquals(discord.journal.of("rest"), []);
  assertEquals(discord.journal.violations(), []);
  await play.close();

  sharedIdentifyLimiter(discord.token, clock).update({ remaining: 1, total: 1_000 });
  const next = new FleetPlay({ clock, discord, url, shards: 2 }).start();
  await next.settle();
  const error = await next.finished;
  assert(error instanceof IdentifyBudgetError && error.remaining === 1, `${error}`);
});

Deno.test("fleet start: an identify limiter of the program's own is told the limits once and asked by every shard", async () => {
  const asked: number[] = [];
  const told: unknown[] = [];
  const identifyLimiter = {
    take: (shardId: number) => {
      asked.push(shardId);
      return shardId !== 2;
    },
    update: (limits: unknown) => void told.push(limits),
  };
  const play = await new FleetPlay({ fake: { shards: 4, maxConcurrency: 4 }, identifyLimiter }).live(3);
  await play.settle();
  assertEquals(asked, [0, 1, 2, 3]);
  assertEquals(told, [{ maxConcurrency: 4, total: 1000, remaining: 1000, resetAfterMs: 86_400_000 }]);
  const stopped = play.items.find(({ event }) => event.t === "SHARD_STOPPED");
  assert(stopped?.event.t === "SHARD_STOPPED" && stopped.event.d.error instanceof Error);
  assertEquals([stopped.shardId, stopped.event.d.error.name], [2, "IdentifyRefusedError"]);
  await play.close();
});

/** The status of a shard, and calls to the shard in the middle of a change. */

import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { Shard, type ShardStatus } from "../../mod.ts";
import { VirtualClock } from "../fake/mod.ts";
import { assertQuiet, Play } from "./harness.ts";
import { Puppet } from "./puppet.ts";

const STATES = [
  "locating",
  "dialing",
  "awaiting_hello",
  "awaiting_permit",
  "identifying",
  "live",
  "disconnected",
  "closed",
] as const;

/** A shard whose `onStatus` does something when the state comes up; no time passes. */
async function actingAt(state: ShardStatus["state"], act: (play: Play) => void): Promise<Play> {
  let acted = false;
  const play: Play = new Play({
    onStatus: (status) => {
      if (status.state !== state || acted) return;
      acted = true;
      act(play);
    },
  }).start();
  await play.clock.advance(0);
  if (state === "disconnected") play.connection.drop();
  if (state === "closed") await play.shard.close().catch(() => {});
  await play.clock.advance(0);
  assert(acted, `the story comes to ${state}`);
  return play;
}

Deno.test("shard: tells each status of a story in order", async () => {
  const play = await new Play().live();
  play.connection.drop();
  await play.clock.advance(1_000);
  play.connection.invalidateSession(false);
  await play.clock.advance(20_000);
  await play.shard.close();

  assertEquals(play.states, [
    "locating",
    "dialing",
    "awaiting_hello",
    "awaiting_permit",
    "identifying",
    "live",
    "disconnected",
    "dialing",
    "awaiting_hello",
    "resuming",
    "live",
    "disconnected",
    "dialing",
    "awaiting_hello",
    "awaiting_permit",
    "identifying",
    "live",
    "closed",
  ]);
  const { dial: _, ...first } = { dial: 0, ...play.statusesOf("disconnected")[0]! };
  assertEquals({ ...first, delayMs: 0 }, {
    state: "disconnected",
    cause: "connection_lost",
    why: "The connection was lost",
    closeCode: null,
    error: null,
    action: "resume",
    delayMs: 0,
  });
  assertEquals(play.statusesOf("dialing").map(({ action }) => action), ["identify", "resume", "identify"]);
  assertEquals(play.statusesOf("closed"), [{ state: "closed", error: null }]);
});

Deno.test("shard: status is what onStatus was last told, idle before the start", async () => {
  const play = new Play();
  assertEquals(play.shard.status, { state: "idle" });
  await play.live();
  assertStrictEquals(play.shard.status, play.statuses.at(-1));
  await play.shard.close();
  assertStrictEquals(play.shard.status, play.statuses.at(-1));
});

Deno.test("shard: latency and session are null without a connection, and told with one", async () => {
  const play = new Play();
  assertEquals([play.shard.latency, play.shard.session], [null, null]);
  await play.live();
  await play.clock.advance(41_000);
  assertEquals(play.shard.latency?.recentMs.length, 1);
  assertEquals(play.shard.session?.sequence, 1);
  await play.shard.close();
  assertEquals([play.shard.latency, play.shard.session], [null, null]);
});

for (const state of STATES) {
  Deno.test(`shard: what onStatus throws at "${state}" stops the shard and reaches the consumer`, async () => {
    const failure = new Error(`thrown at ${state}`);
    const play = await actingAt(state, () => {
      throw failure;
    });
    // The consumer had its end already when the shard told of the close.
    assertStrictEquals(await play.finished, state === "closed" ? null : failure);
    assertQuiet(play);
  });

  Deno.test(`shard: close() within onStatus at "${state}" leaves nothing behind`, async () => {
    let closed: Promise<unknown> = Promise.resolve("not closed");
    const play = await actingAt(state, ({ shard }) => void (closed = shard.close()));
    assertEquals(await closed, null);
    assertEquals(await play.finished, null);
    assertQuiet(play);
    assertEquals(play.statusesOf("closed").length, 1);
  });
}

Deno.test("shard: what onStatus throws at the close reaches the caller of close()", async () => {
  const failure = new Error("thrown at closed");
  const play = await new Play({
    onStatus: ({ state }) => {
      if (state === "closed") throw failure;
    },
  }).live();
  assertStrictEquals(await assertRejects(() => play.shard.close()), failure);
  assertQuiet(play);
});

Deno.test("shard: close() within onStatus while the consumer drains leaves nothing behind", async () => {
  const play = new Play({
    maxQueuedEvents: 10,
    onStatus: ({ state }) => {
      if (state === "draining") void play.shard.close();
    },
  });
  let goOn = () => {};
  play.onEvent = () => new Promise<void>((resolve) => goOn = resolve);
  await play.live();
  play.discord.flood(100);
  await play.clock.advance(0);
  assertEquals(play.states.slice(-2), ["draining", "closed"]);
  goOn();
  assertEquals(await play.finished, null);
  assertQuiet(play);
});

Deno.test("shard: an error from the dial function that is none of its kind stops the shard with it", async () => {
  const failure = new TypeError("a bug in the dial function");
  const play = new Play({ dial: () => Promise.reject(failure) }).start();
  assertStrictEquals(await play.finished, failure);
  assertEquals(play.shard.status, { state: "closed", error: failure });
});

Deno.test("shard: a dial that comes through although the shard was closed meanwhile is closed", async () => {
  const puppet = new Puppet();
  const clock = new VirtualClock();
  let open = () => {};
  const shard = new Shard({
    token: "x",
    intents: 0,
    url: "wss://gateway.test",
    platform: clock,
    // Takes no notice of the signal.
    dial: async (url) => {
      await new Promise<void>((resolve) => open = resolve);
      return await puppet.dial(url);
    },
  });
  const next = shard[Symbol.asyncIterator]().next();
  await clock.advance(0);
  const closed = shard.close();
  open();
  await closed;
  assertEquals((await next).done, true);
  assertEquals(puppet.socket.closes.length, 1);
  assertEquals([puppet.socket.sent.length, clock.pending], [0, 0]);
});

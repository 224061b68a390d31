/** Requests and slow consumers: waiting responses are bounded, and no two parts wait for each other. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ConsumerStuckError, RequestError } from "../../../mod.ts";
import { crowd, everybody, guildOf, Reading, timesAsked } from "./asking.ts";
import { assertQuiet, Play } from "../harness.ts";

Deno.test("shard: a caller that reads chunks slowly parks the session instead of filling the memory, and misses none", async () => {
  // A chunk is about 200 kB: five of them may wait.
  const play = await crowd(30_000, { maxQueuedSize: 1_000_000 }).live();
  let most = 0;
  const reading = new Reading(play.shard.requestGuildMembers(everybody(guildOf(play))), () => {
    const { status } = play.shard;
    if (status.state === "draining") most = Math.max(most, status.queued);
    return new Promise<void>((resolve) => void play.clock.setTimeout(resolve, 10_000));
  });
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals(reading.end, null);
  assertEquals(
    reading.responses.map(({ chunk_index }) => chunk_index),
    Array.from({ length: 31 }, (_, n) => n),
  );
  const parked = play.statusesOf("draining");
  assert(parked.length >= 3, `${parked.length}`);
  assert(most > 0 && most <= 8, `${most}`);
  assertEquals(play.discord.journal.identifies().length, 1);
  assertEquals([timesAsked(play, 8), play.names], [
    1,
    ["READY", ...play.names.slice(1).map(() => "RESUMED" as const)],
  ]);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: events go on while a handler waits for the response to a request", async () => {
  const play = crowd(10);
  const story: string[] = [];
  play.onEvent = async (event) => {
    story.push(event.t);
    if (event.t !== "READY") return;
    for await (const { members } of play.shard.requestGuildMembers(everybody(guildOf(play)))) {
      story.push(`${members.length} members`);
    }
  };
  play.start();
  await play.untilState("live");
  play.write(2);
  await play.clock.advance(0);
  assertEquals(story, ["READY", "11 members", "MESSAGE_CREATE", "MESSAGE_CREATE"]);
  await play.shard.close();
});

Deno.test("shard: a handler that waits for a response while its events park the session gets an error, and does not wait forever", async () => {
  const play = crowd(10, { maxQueuedEvents: 50 });
  const ends: unknown[] = [];
  play.onEvent = async (event) => {
    if (event.t !== "READY") return;
    // The response would come behind a hundred messages, of which fifty may wait.
    play.write(100);
    try {
      for await (const _ of play.shard.requestGuildMembers(everybody(guildOf(play)))) ends.push("a chunk");
      ends.push(null);
    } catch (error) {
      ends.push(error);
    }
  };
  play.start();
  await play.untilState("draining");
  await play.clock.runUntil(() => ends.length > 0);
  assertInstanceOf(ends[0], RequestError);
  assertEquals(ends[0].code, "ERR_REQUEST_DEADLINE");
  await play.untilState("live");
  await play.clock.runUntil(() => play.messageIds.length === 100);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: the same where some chunks had come before the session was parked", async () => {
  const play = crowd(2_500, { maxQueuedEvents: 50 });
  let end: unknown;
  let readAt = 0;
  play.onEvent = async (event) => {
    if (event.t !== "READY") return;
    play.discord.faults.loseResponses = [2];
    const chunks = play.shard.requestGuildMembers(everybody(guildOf(play)));
    await chunks.next();
    play.write(100);
    await new Promise<void>((resolve) => void play.clock.setTimeout(resolve, 40_000));
    assertEquals([play.shard.status.state, (await chunks.next()).done], ["draining", false]);
    readAt = play.clock.now();
    end = await chunks.next().catch((error) => error);
  };
  play.start();
  await play.untilState("draining");
  await play.clock.runUntil(() => end !== undefined);
  assertInstanceOf(end, RequestError);
  // Not before the reader waits, and not much later.
  assertEquals([end.received, end.expected, play.clock.now() - readAt], [2, 3, 30_000]);
  await play.untilState("live");
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: once the reader has caught up, the deadline waits for the connection again", async () => {
  const play = await crowd(30_000, { maxQueuedSize: 1_000_000 }).live();
  const chunks = play.shard.requestGuildMembers(everybody(guildOf(play)), { deadlineMs: 2_000 });
  const reading = new Reading(chunks, () => {
    return new Promise<void>((resolve) => void play.clock.setTimeout(resolve, 100));
  });
  await play.untilState("draining");
  play.discord.faults.rejectDials = Array(6).fill(503);
  await play.clock.runUntil(() => reading.end !== undefined);
  assertEquals([reading.end, reading.responses.length], [null, 31]);
  assert(play.discord.journal.dials().filter(({ outcome }) => outcome === "rejected").length === 6);
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: a handler that waits to send while its events park the session gets its command back", async () => {
  const play = new Play({ maxQueuedEvents: 50 });
  const outcomes: unknown[] = [];
  play.onEvent = async (event) => {
    if (event.t !== "READY") return;
    await new Promise<void>((resolve) => {
      // The hundred messages have come meanwhile.
      play.clock.setTimeout(resolve, 1_000);
      play.write(100);
    });
    outcomes.push(await play.shard.send({ op: 31, d: { guild_ids: [] } }).catch((error) => error));
  };
  play.start();
  await play.untilState("draining");
  const parkedAt = play.clock.now();
  await play.clock.runUntil(() => outcomes.length > 0);
  const [error] = outcomes;
  assertInstanceOf(error, ConsumerStuckError);
  assertEquals([error.code, error.command.op], ["ERR_CONSUMER_STUCK", 31]);
  assertEquals(
    error.message,
    "Cannot send op 31: the session waits for a consumer that takes no events",
  );
  assertEquals(play.clock.now() - parkedAt, 60_000);
  await play.clock.runUntil(() => play.messageIds.length === 100);
  await play.untilState("live");
  await play.shard.close();
  assertQuiet(play);
});

Deno.test("shard: commands wait patiently while a slow consumer goes on", async () => {
  const play = new Play({ maxQueuedEvents: 50 });
  play.onEvent = () => new Promise<void>((resolve) => void play.clock.setTimeout(resolve, 20_000));
  play.start();
  await play.untilState("live");
  play.write(100);
  await play.untilState("draining");
  const sending = play.shard.send({ op: 31, d: { guild_ids: [] } });
  await play.untilState("live");
  assertEquals(await sending, "sent");
  assert(play.clock.now() > 15 * 60_000, `${play.clock.now()}`);
  await play.shard.close();
  await play.clock.advance(20_000);
  assertQuiet(play);
});

Deno.test("shard: closing while it waits for the reader of the chunks leaves nothing behind", async () => {
  for (const closesWithin of [false, true]) {
    const play = crowd(30_000, {
      maxQueuedSize: 1_000_000,
      onStatus: ({ state }) => {
        if (closesWithin && state === "draining") void play.shard.close();
      },
    });
    await play.live();
    const chunks = play.shard.requestGuildMembers(everybody(guildOf(play)));
    const first = chunks.next();
    await play.clock.runUntil(() => play.statusesOf("draining").length === 1);
    assertEquals((await first).done, false);
    await play.shard.close();
    let count = 0;
    const rest = (async () => {
      for await (const _ of chunks) count++;
    })().catch((error) => error);
    const error = await rest;
    assertInstanceOf(error, RequestError);
    assertEquals([error.code, error.received], ["ERR_REQUEST_CLOSED", count + 1]);
    assertQuiet(play);
  }
});

/** A consumer that falls behind: memory stays bounded, the session waits at Discord, and nothing is lost or doubled. */

import { assert, assertEquals } from "@std/assert";
import { GatewayIntent } from "../../../mod.ts";
import { closeCodes, Play } from "../harness.ts";
import { Puppet } from "../puppet.ts";

const FLOOD = 100_000;

/** Checks sequence numbers as they come: each once, in order, without a hole. */
class Sequence {
  count = 0;
  last = 0;
  see(s: number): void {
    if (this.count > 0) assertEquals(s, this.last + 1);
    this.last = s;
    this.count++;
  }
}

/** Cases of a play in which the consumer takes a pause after each so many messages. */
function pausing(play: Play, every: number, pauseMs: number): Sequence {
  const sequence = new Sequence();
  play.onEvent = (event) => {
    // The harness' own record would be the largest thing in memory.
    play.events.length = 0;
    if (event.t !== "MESSAGE_CREATE") return;
    sequence.see(event.s);
    if (sequence.count % every !== 0) return;
    return new Promise<void>((resolve) => void play.clock.setTimeout(resolve, pauseMs));
  };
  return sequence;
}

Deno.test("shard: a flood of 100,000 and a consumer that pauses: bounded, all arrive once and in order", async () => {
  const play = new Play({ maxQueuedEvents: 10_000 });
  const sequence = pausing(play, 30_000, 60_000);
  await play.live();
  play.discord.flood(FLOOD);
  await play.clock.runUntil(() => sequence.count === FLOOD);

  assert(play.shard.queued.peak <= 10_000, `peak: ${play.shard.queued.peak}`);
  assertEquals(play.shard.queued.now, 0);
  assert(play.statusesOf("draining").length >= 1, "it closed and resumed by itself");
  assert(closeCodes(play).every((code) => code === 4200));
  assertEquals(play.discord.journal.resumes().length, closeCodes(play).length);
  assertEquals(play.discord.journal.identifies().length, 1);
  assert(play.discord.journal.sent("MESSAGE_CREATE") > FLOOD, "the replay sent some of them again");
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
  assertEquals(play.clock.pending, 0);
});

Deno.test("shard: the same with a handler that is slow by turns", async () => {
  const play = new Play({ maxQueuedEvents: 5_000 });
  const sequence = new Sequence();
  const run = play.shard.run((event) => {
    if (event.t !== "MESSAGE_CREATE") return;
    sequence.see(event.s);
    if (sequence.count % 40_000 !== 1) return;
    return new Promise<void>((resolve) => void play.clock.setTimeout(resolve, 5_000));
  });
  await play.clock.advance(0);
  play.discord.flood(FLOOD);
  await play.clock.runUntil(() => sequence.count === FLOOD);
  assert(play.shard.queued.peak <= 5_000);
  assert(play.statusesOf("draining").length >= 2);
  await play.shard.close();
  await run;
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: the same through the stream", async () => {
  const play = new Play({ maxQueuedEvents: 1_000 });
  const sequence = new Sequence();
  const piped = play.shard.events.pipeTo(
    new WritableStream({
      write: (event) => {
        if (event.t !== "MESSAGE_CREATE") return;
        sequence.see(event.s);
        if (sequence.count % 5_000 !== 0) return;
        return new Promise<void>((resolve) => void play.clock.setTimeout(resolve, 5_000));
      },
    }),
  );
  await play.clock.advance(0);
  play.discord.flood(20_000);
  await play.clock.runUntil(() => sequence.count === 20_000);
  assert(play.shard.queued.peak <= 1_000);
  assert(play.statusesOf("draining").length >= 3);
  await play.clock.advance(5_000);
  await play.shard.close();
  await piped;
});

Deno.test("shard: where the session has expired meanwhile, the gap is reported, then the new session begins", async () => {
  const play = new Play({ maxQueuedEvents: 10_000 });
  let goOn = () => {};
  let sequence = new Sequence();
  const story: string[] = [];
  play.onEvent = (event) => {
    if (event.t === "MESSAGE_CREATE") {
      sequence.see(event.s);
      if (story.length === 1 && sequence.count === 1) return new Promise<void>((resolve) => goOn = resolve);
      return;
    }
    story.push(`${event.t} after ${sequence.count} messages`);
    // Numbers start anew.
    sequence = new Sequence();
    if (event.t !== "SESSION_GAP") return;
    assertEquals(event.d, { ...lost, cause: "invalid_session" });
  };
  await play.live();
  play.discord.flood(FLOOD);
  await play.clock.advance(0);
  assertEquals(play.shard.status, { state: "draining", queued: 10_000 });
  const lost = { sessionId: play.shard.session?.sessionId, sequence: 10_002 };
  // Discord keeps a session for minutes, not for hours.
  await play.clock.advance(3_600_000);
  assertEquals(play.discord.sessions.length, 0);
  assertEquals(play.discord.journal.dials().length, 1, "nobody dials while it drains");

  goOn();
  await play.untilState("live");
  play.discord.flood(5);
  await play.clock.advance(0);
  // READY, one message in hand and 10,000 that waited had come.
  assertEquals(story, [
    "READY after 0 messages",
    "SESSION_GAP after 10001 messages",
    "READY after 0 messages",
  ]);
  assertEquals(sequence.count, 5);
  assert(play.shard.queued.peak <= 10_000);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: the size of what waits is bounded as well", async () => {
  const play = new Play({ maxQueuedSize: 1_000_000, intents: GatewayIntent.MESSAGE_CONTENT });
  const sequence = pausing(play, 500, 10_000);
  await play.live();
  play.discord.flood(2_000, { size: 10_000 });
  await play.clock.runUntil(() => sequence.count === 2_000);
  assert(play.shard.queued.peak <= 100, `peak: ${play.shard.queued.peak}`);
  assert(play.statusesOf("draining").length >= 3);
  await play.shard.close();
});

Deno.test("shard: the limit of events is exact, and one event more than the limit of size is taken", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test", maxQueuedEvents: 3 });
  play.onEvent = () => new Promise(() => {});
  play.start();
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  await play.clock.advance(0);
  for (const s of [2, 3]) puppet.socket.dispatch("MESSAGE_CREATE", s);
  assertEquals([play.shard.queued.now, puppet.socket.closes.length], [2, 0]);
  for (const s of [4, 5, 6]) puppet.socket.dispatch("MESSAGE_CREATE", s);
  assertEquals(play.shard.queued, { now: 3, peak: 3 });
  assertEquals(puppet.socket.closes, [{ code: 4200, reason: "consumer behind" }]);
  await play.shard.close();
});

Deno.test("shard: after the drain it resumes at once from what it had received, without a backoff", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test", maxQueuedEvents: 2 });
  const gates: (() => void)[] = [];
  play.onEvent = () => new Promise<void>((resolve) => gates.push(resolve));
  play.start();
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready();
  await play.clock.advance(0);
  for (const s of [2, 3]) puppet.socket.dispatch("MESSAGE_CREATE", s, { id: `${s}` });
  await play.clock.advance(600_000);
  assertEquals(puppet.sockets.length, 1);
  gates.shift()?.();
  await play.clock.advance(0);
  assertEquals(puppet.sockets.length, 1, "one still waits");
  gates.shift()?.();
  await play.clock.advance(0);
  assertEquals(puppet.sockets.length, 2);
  puppet.socket.hello();
  assertEquals(puppet.socket.sent[0]?.d, { token: play.discord.token, session_id: "abc", seq: 3 });
  assertEquals(play.statusesOf("disconnected"), []);
  gates.shift()?.();
  await play.shard.close();
});

Deno.test("shard: commands that are given while it drains go out after the resume", async () => {
  const play = new Play({ maxQueuedEvents: 10 });
  const sequence = pausing(play, 1, 1_000);
  await play.live();
  play.discord.flood(100);
  await play.clock.advance(0);
  assertEquals(play.shard.status.state, "draining");
  let sent = false;
  const sending = play.shard.send({ op: 3, d: { since: null, activities: [], status: "idle", afk: false } })
    .then(() => sent = true);
  await play.clock.advance(5_000);
  assertEquals(sent, false);
  await play.clock.runUntil(() => sequence.count === 100);
  await play.untilState("live");
  await sending;
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: a consumer that keeps up is never parked", async () => {
  const play = new Play({ maxQueuedEvents: 100 });
  const sequence = pausing(play, Infinity, 0);
  await play.live();
  for (let burst = 0; burst < 200; burst++) {
    play.discord.flood(90);
    await play.clock.advance(100);
  }
  assertEquals(sequence.count, 18_000);
  assertEquals(play.statusesOf("draining"), []);
  await play.shard.close();
});

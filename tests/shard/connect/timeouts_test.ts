/** A silent peer: each phase has its deadline, and a live connection its heartbeats. */

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { closeCodes, Play } from "../harness.ts";
import { Puppet } from "../puppet.ts";

/** What the connections ended by, as the shard told. */
function causes(play: Play): string[] {
  return play.statusesOf("disconnected").map(({ cause }) => cause);
}

Deno.test("shard: without HELLO for 20 s the connection is given up, keeping the session", async () => {
  const play = await new Play().live();
  play.discord.faults.silentHello = 1;
  play.connection.drop();
  await play.untilState("awaiting_hello");
  const at = play.clock.now();
  await play.clock.advance(19_999);
  assertEquals(causes(play), ["connection_lost"]);
  await play.clock.advance(1);
  assertEquals(causes(play), ["connection_lost", "hello_timeout"]);
  assertEquals(play.clock.now(), at + 20_000);
  await play.untilState("live");
  assertEquals(closeCodes(play), [null, 4200]);
  assertEquals(play.discord.journal.identifies().length, 1);
  assertEquals(play.names, ["READY", "RESUMED"]);
  await play.shard.close();
});

Deno.test("shard: without READY for two minutes it identifies anew, and heartbeats all the while", async () => {
  const play = new Play();
  play.discord.faults.silentReady = 1;
  play.start();
  await play.clock.advance(119_999);
  assertEquals(play.shard.status.state, "identifying");
  assert(play.discord.journal.heartbeats().length >= 2);
  await play.clock.advance(1);
  assertEquals(causes(play), ["ready_timeout"]);
  await play.untilState("live");
  assertEquals(play.names, ["READY"]);
  assertEquals(play.discord.journal.identifies().length, 2);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: without RESUMED for 30 s after the last replayed frame it resumes again", async () => {
  const play = await new Play().live();
  play.discord.faults.silentResumed = 1;
  play.connection.drop();
  const [id] = play.write();
  await play.untilState("resuming");
  await play.clock.advance(30_000);
  assertEquals(causes(play), ["connection_lost", "resumed_timeout"]);
  await play.untilState("live");
  assertEquals(play.messageIds, [id], "what the first resume replayed does not come again");
  assertEquals(play.discord.journal.identifies().length, 1);
  await play.shard.close();
});

Deno.test("shard: three resumes in a row that fail end in an identify, and the gap is reported", async () => {
  const play = await new Play().live();
  play.discord.faults.silentResumed = 3;
  play.connection.drop();
  await play.untilState("live");
  assertEquals(play.discord.journal.resumes().length, 3);
  assertEquals(play.discord.journal.identifies().length, 2);
  assertEquals(play.names, ["READY", "SESSION_GAP", "READY"]);
  const gap = play.events[1];
  assert(gap?.t === "SESSION_GAP");
  assertEquals(gap.d.cause, "resumed_timeout");
  await play.shard.close();
});

Deno.test("shard: a resume that brought events counts as progress, and is not given up", async () => {
  const play = await new Play().live();
  play.discord.faults.silentResumed = 6;
  const ids: string[] = [];
  play.connection.drop();
  for (let resume = 0; resume < 6; resume++) {
    ids.push(...play.write());
    await play.untilState("resuming");
    await play.clock.runUntil(() => play.shard.status.state !== "resuming");
  }
  await play.untilState("live");
  assertEquals(play.discord.journal.identifies().length, 1);
  assertEquals(play.messageIds, ids);
  await play.shard.close();
});

Deno.test("shard: connections that are cut in the middle of a resume three times end in an identify", async () => {
  const play = await new Play().live();
  play.discord.faults.silentResumed = 10;
  play.connection.drop();
  for (let resume = 0; resume < 3; resume++) {
    await play.untilState("resuming");
    play.connection.drop();
    await play.clock.runUntil(() => play.shard.status.state !== "resuming");
  }
  await play.untilState("live");
  assertEquals(play.discord.journal.resumes().length, 3);
  assertEquals(play.discord.journal.identifies().length, 2);
  await play.shard.close();
});

Deno.test("shard: a dead peer is detected at the second heartbeat without an ACK, and resumed at once [case 4]", async () => {
  const play = await new Play().live();
  await play.clock.advance(100_000);
  const { connection } = play;
  connection.stall();
  const missed = play.write(2);
  const at = play.clock.now();
  await play.clock.runUntil(() => causes(play).length === 1);
  assert(play.clock.now() - at <= 80_000, "within two intervals");
  await play.untilState("live");
  assertEquals(causes(play), ["zombie"]);
  assertEquals(play.statusesOf("disconnected")[0]?.delayMs, 0);
  assertEquals(play.messageIds, missed);
  assertEquals(closeCodes(play).at(-1), 4200);
  await play.shard.close();
});

Deno.test("shard: silence on every connection does not spin", async () => {
  const play = await new Play().live();
  play.discord.faults.muteAcks = true;
  await play.clock.advance(3_600_000);
  const dials = play.discord.journal.dials().length;
  assert(dials > 10 && dials < 100, `so many dials in an hour: ${dials}`);
  assertEquals(play.discord.journal.identifies().length, 1);
  assert(causes(play).every((cause) => cause === "zombie"));
  await play.shard.close();
});

Deno.test("shard: acknowledgements that are stuck behind events are no reason to give up", async () => {
  const play = await new Play().live();
  play.discord.faults.muteAcks = true;
  for (let seconds = 0; seconds < 3_600; seconds += 10) {
    play.write();
    await play.clock.advance(10_000);
  }
  assertEquals(causes(play), []);
  assertEquals(play.messageIds.length, 360);
  await play.shard.close();
});

Deno.test("shard: a dial into a black hole ends by its deadline, and is tried again", async () => {
  for (const dialDeadlineMs of [undefined, 5_000]) {
    const play = new Play(dialDeadlineMs === undefined ? {} : { dialDeadlineMs });
    play.discord.faults.blackHoleDials = 1;
    play.start();
    await play.clock.advance((dialDeadlineMs ?? 30_000) - 1);
    assertEquals(causes(play), []);
    await play.clock.advance(1);
    assertEquals(causes(play), ["dial_failed"]);
    await play.untilState("live");
    await play.shard.close();
  }
});

Deno.test("shard: the deadlines of the stages can be set", async () => {
  const play = new Play({
    gateway: { helloTimeoutMs: 1_000, readyTimeoutMs: 2_000, resumedTimeoutMs: 3_000 },
  });
  const { faults } = play.discord;
  Object.assign(faults, { silentHello: 1, silentReady: 1, silentResumed: 1 });
  play.start();
  const took: [string, number][] = [];
  for (const state of ["awaiting_hello", "identifying", "resuming"] as const) {
    await play.untilState(state);
    const at = play.clock.now();
    await play.clock.runUntil(() => play.shard.status.state === "disconnected");
    took.push([state, play.clock.now() - at]);
    if (state !== "identifying") continue;
    await play.untilState("live");
    play.connection.drop();
  }
  assertEquals(took.map(([state, ms]) => [state, Math.round(ms)]), [
    ["awaiting_hello", 1_000],
    ["identifying", 2_000],
    ["resuming", 3_000],
  ]);
  await play.shard.close();
});

Deno.test("shard: a frame that cannot be read costs the connection, not the session", async () => {
  for (const text of ["{", "[]", '{"op":"0"}', '{"d":null}', "\u{1f4a5}"]) {
    const play = await new Play().live();
    const [id] = play.write();
    play.connection.sendRaw(text);
    await play.clock.advance(5_000);
    assertEquals(causes(play), ["frame_error"]);
    assertEquals(play.names, ["READY", "MESSAGE_CREATE", "RESUMED"]);
    assertEquals(play.messageIds, [id]);
    assertEquals(closeCodes(play), [4200]);
    await play.shard.close();
  }
});

Deno.test("shard: a HELLO without an interval and a READY without a session are protocol errors, and are tried again [case 39] [case 40]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.say(10, { heartbeat_interval: true });
  await play.clock.advance(1_000);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.dispatch("READY", 1, { session_id: null });
  await play.clock.advance(2_000);
  puppet.socket.hello();
  await play.clock.advance(10_000);
  assertEquals(causes(play), ["protocol_error", "protocol_error"]);
  assertEquals(puppet.sockets.map(({ ops }) => ops), [[], [2], [2]]);
  await play.shard.close();
});

Deno.test("shard: unknown opcodes and frames that no client expects change nothing [case 31]", async () => {
  const play = await new Play().live();
  const { connection } = play;
  for (const op of [2, 3, 6, 12, 69, 31, 999]) connection.sendRaw(`{"op":${op},"d":{},"s":null,"t":null}`);
  connection.sendRaw('{"op":11}');
  const [id] = play.write();
  await play.clock.advance(120_000);
  assertEquals(causes(play), []);
  assertEquals(play.messageIds, [id]);
  assertStrictEquals(play.connection, connection);
  await play.shard.close();
});

/** What Discord asks for (op 7, op 9), and what a cut does: the session survives wherever it can. */

import { assert, assertEquals } from "@std/assert";
import { closeCodes, Play } from "../harness.ts";
import { Puppet } from "../puppet.ts";

/** The session's id and the sequence number of each RESUME. */
function resumed({ discord }: Play): unknown[] {
  return discord.journal.resumes().map(({ d }) => d);
}

Deno.test("shard: a cut is followed by a resume, and what was missed comes once and in order", async () => {
  const play = await new Play().live();
  const before = play.write(2);
  await play.clock.advance(0);
  const { session } = play.shard;
  play.connection.drop();
  const missed = play.write(3);
  await play.untilState("live");
  const after = play.write(2);
  await play.clock.advance(0);

  assertEquals(play.messageIds, [...before, ...missed, ...after]);
  assertEquals(play.names.filter((name) => name !== "MESSAGE_CREATE"), ["READY", "RESUMED"]);
  assertEquals(resumed(play), [{ token: "[token]", session_id: session?.sessionId, seq: 3 }]);
  assertEquals(play.discord.journal.identifies().length, 1);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: a resume goes to the resume URL with version and encoding, an identify to the main one [case 25]", async () => {
  const play = await new Play().live();
  play.connection.drop();
  await play.untilState("live");
  play.connection.invalidateSession(false);
  await play.clock.advance(20_000);
  assertEquals(play.discord.journal.dials().map(({ url }) => url), [
    "wss://gateway.fake.invalid/?v=10&encoding=json",
    "wss://resume.gateway.fake.invalid/?v=10&encoding=json",
    "wss://gateway.fake.invalid/?v=10&encoding=json",
  ]);
  assertEquals(play.discord.journal.of("rest").length, 1, "the main URL is remembered");
  await play.shard.close();
});

Deno.test("shard: the query of a resume URL is kept [case 25]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(0);
  puppet.socket.ready("abc", "wss://resume.test/path?route=7");
  puppet.socket.lose();
  await play.clock.advance(1_000);
  assertEquals(puppet.socket.url, "wss://resume.test/path?route=7&v=10&encoding=json");
  await play.shard.close();
});

Deno.test("shard: op 7 closes keeping the session, reconnects at once, and resumes after HELLO [case 5] [case 32] [case 47]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  const first = puppet.socket;
  first.hello();
  await play.clock.advance(0);
  first.ready();
  const sent = first.sent.length;
  first.say(7);
  await play.clock.advance(0);

  assertEquals(first.closes, [{ code: 4200, reason: "reconnect" }]);
  assertEquals(puppet.sockets.length, 2, "no time has passed");
  assertEquals(puppet.socket.ops, [], "nothing goes out before HELLO");
  puppet.socket.hello();
  assertEquals(puppet.socket.ops, [6]);
  await play.clock.advance(60_000);
  assertEquals(first.sent.length, sent, "nothing more goes out on the old socket");
  await play.shard.close();
});

Deno.test("shard: op 7 before HELLO reconnects without a delay [case 6]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, url: "wss://main.test" }).start();
  await play.clock.advance(0);
  puppet.socket.say(7);
  await play.clock.advance(0);
  assertEquals(puppet.sockets.length, 2);
  assertEquals(puppet.sockets[0]?.closes.map(({ code }) => code), [4200]);
  puppet.socket.hello();
  await play.clock.advance(0);
  assertEquals(puppet.socket.ops, [2]);
  await play.shard.close();
});

Deno.test("shard: op 7 right behind HELLO: the old socket has its one RESUME, the new one as well [case 9]", async () => {
  const puppet = new Puppet();
  const session = { sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 0, shardCount: 1 };
  const play = new Play({ dial: puppet.dial, url: "wss://main.test", session }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  puppet.socket.say(7);
  await play.clock.advance(0);
  puppet.socket.hello();
  await play.clock.advance(60_000);
  assertEquals(puppet.sockets.slice(0, 2).map(({ ops }) => ops.filter((op) => op === 6)), [[6], [6]]);
  await play.shard.close();
});

Deno.test("shard: the fake's op 7 is followed in time, and nothing is lost", async () => {
  const play = await new Play().live();
  play.connection.reconnect();
  const [id] = play.write();
  await play.clock.advance(10_000);
  assertEquals(play.messageIds, [id]);
  assertEquals(play.statusesOf("disconnected").map(({ cause, delayMs }) => [cause, delayMs]), [[
    "reconnect",
    0,
  ]]);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: an endless op 7 does not spin, and costs no identify", async () => {
  const play = new Play({
    onStatus: ({ state }) => {
      // Right after each RESUMED.
      if (state === "live") play.connection.reconnect();
    },
  }).start();
  await play.clock.advance(3_600_000);
  const dials = play.discord.journal.dials().length;
  assert(dials > 50 && dials < 250, `so many dials in an hour: ${dials}`);
  assertEquals(play.discord.journal.identifies().length, 1);
  await play.shard.close();
});

Deno.test("shard: op 9 true waits 1 to 5 s and resumes the same session [case 10] [case 32]", async () => {
  const play = await new Play().live();
  const { session } = play.shard;
  play.connection.invalidateSession(true);
  const missed = play.write(2);
  await play.untilState("live");
  assertEquals(resumed(play), [{ token: "[token]", session_id: session?.sessionId, seq: 1 }]);
  assertEquals(play.messageIds, missed);
  assertEquals(closeCodes(play), [4200]);
  const [disconnected] = play.statusesOf("disconnected");
  assertEquals([disconnected?.cause, disconnected?.action], ["invalid_session_resumable", "resume"]);
  assert(disconnected!.delayMs >= 1_000 && disconnected!.delayMs <= 5_000);
  await play.shard.close();
});

for (const resumable of [false, undefined]) {
  Deno.test(`shard: op 9 with d ${resumable ?? "missing"} waits 1 to 5 s and identifies; the gap is reported [case 10] [case 32]`, async () => {
    const play = await new Play().live();
    const { session } = play.shard;
    play.connection.invalidateSession(resumable);
    await play.clock.advance(0);
    assertEquals(play.shard.session, null);
    const lost = play.write(2);
    const at = play.clock.now();
    await play.untilState("live");
    assert(play.clock.now() - at >= 1_000);
    const after = play.write(1);
    await play.clock.advance(0);

    assertEquals(play.names, ["READY", "SESSION_GAP", "READY", "MESSAGE_CREATE"]);
    assertEquals(play.messageIds, after);
    assertEquals(lost.length, 2);
    assertEquals(play.events[1]?.d, {
      sessionId: session?.sessionId,
      sequence: 1,
      cause: "invalid_session",
    });
    assertEquals(resumed(play), []);
    assertEquals(play.discord.journal.identifies().length, 2);
    assertEquals(play.shard.session?.sequence, 2, "numbers start anew");
    await play.shard.close();
    assertEquals(play.discord.journal.violations(), []);
  });
}

Deno.test("shard: op 9 and a close right behind it are one end", async () => {
  const play = await new Play().live();
  const { connection } = play;
  connection.invalidateSession(false);
  connection.close(4000);
  await play.untilState("live");
  assertEquals(play.statusesOf("disconnected").map(({ cause }) => cause), ["invalid_session"]);
  assertEquals(play.discord.journal.identifies().length, 2);
  await play.shard.close();
});

Deno.test("shard: a refused resume ends in an identify, with the gap told in its place", async () => {
  const play = await new Play().live();
  const before = play.write(1);
  await play.clock.advance(0);
  play.connection.drop();
  play.discord.expireSessions();
  play.write(5);
  await play.clock.advance(20_000);
  const after = play.write(1);
  await play.clock.advance(0);
  assertEquals(play.names, ["READY", "MESSAGE_CREATE", "SESSION_GAP", "READY", "MESSAGE_CREATE"]);
  assertEquals(play.messageIds, [...before, ...after]);
  assertEquals(play.discord.journal.of("session").map(({ change }) => change), [
    "started",
    "ended",
    "refused",
    "started",
  ]);
  await play.shard.close();
});

Deno.test("shard: identifying too soon is answered by op 9, and is tried again later", async () => {
  const play = await new Play().live();
  const eager = new Play({ discord: play.discord, clock: play.clock, identifyLimiter: { take: () => true } });
  eager.start();
  await play.clock.advance(0);
  assertEquals(eager.shard.status.state, "disconnected");
  await eager.clock.runUntil(() => eager.shard.status.state === "live");
  assertEquals(eager.names, ["READY"], "no session was lost, so there is no gap");
  await eager.shard.close();
  await play.shard.close();
});

Deno.test("shard: keys in another order change nothing", async () => {
  const play = new Play();
  play.discord.faults.reorderKeys = true;
  await play.live();
  const ids = play.write(2);
  await play.clock.advance(0);
  play.connection.drop();
  ids.push(...play.write(2));
  await play.untilState("live");
  await play.clock.advance(120_000);
  assertEquals(play.messageIds, ids);
  assertEquals(play.discord.connections.length, 1);
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

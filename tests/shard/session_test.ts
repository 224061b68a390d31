/** The session record: what it says, and what a shard that is made from it does. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseSessionRecord, type SessionRecord, SessionRecordError, Shard } from "../../mod.ts";
import { assertQuiet, field, Play } from "./harness.ts";
import { Puppet } from "./puppet.ts";

const SESSION: SessionRecord = {
  sessionId: "abc",
  sequence: 1337,
  resumeGatewayUrl: "wss://resume.test",
  shardId: 0,
  shardCount: 1,
};

Deno.test("shard: session carries the last handled sequence, not the last received one", async () => {
  const play = new Play();
  const gates: (() => void)[] = [];
  play.onEvent = () => new Promise<void>((resolve) => gates.push(resolve));
  await play.live();
  play.write(3);
  await play.clock.advance(0);
  const sequences = [play.shard.session?.sequence];
  for (let event = 0; event < 4; event++) {
    gates.shift()?.();
    await play.clock.advance(0);
    sequences.push(play.shard.session?.sequence);
  }
  assertEquals(sequences, [0, 1, 2, 3, 4]);
  assertEquals(play.connection.session?.sequence, 4, "all of it was received from the start");
  await play.shard.close();
});

Deno.test("shard: a resume by the shard itself goes on from what was received: what waits does not come twice", async () => {
  const play = new Play();
  let goOn = () => {};
  play.onEvent = () => new Promise<void>((resolve) => goOn = resolve);
  await play.live();
  const ids = play.write(3);
  await play.clock.advance(0);
  play.connection.drop();
  ids.push(...play.write(2));
  await play.clock.advance(5_000);
  assertEquals(play.discord.journal.resumes().map(({ d }) => field(d, "seq")), [4]);
  for (let event = 0; event < 10; event++) {
    goOn();
    await play.clock.advance(0);
  }
  assertEquals(play.messageIds, ids);
  goOn();
  await play.shard.close();
});

for (const way of ["close", "crash"] as const) {
  Deno.test(`shard: after a ${way} a new shard made from the record gets exactly what was not handled`, async () => {
    const play = new Play();
    const ids: string[] = [];
    play.onEvent = () => play.messageIds.length < 3 ? undefined : new Promise(() => {});
    await play.live();
    ids.push(...play.write(6));
    await play.clock.advance(0);
    assertEquals(play.messageIds, ids.slice(0, 3), "the third is in hand, three more wait");
    const stored = JSON.stringify(play.shard.session);
    // A process that is killed says nothing to anybody.
    if (way === "close") await play.shard.close({ keepSession: true });
    else play.connection.drop();
    ids.push(...play.write(2));

    const next = new Play({
      discord: play.discord,
      clock: play.clock,
      session: parseSessionRecord(JSON.parse(stored)),
    });
    next.start();
    await next.clock.advance(0);
    assertEquals(next.messageIds, ids.slice(2));
    assertEquals(next.names.at(-1), "RESUMED");
    assertEquals(next.discord.journal.identifies().length, 1);
    await next.shard.close();
    assertEquals(next.discord.journal.violations(), []);
  });
}

Deno.test("shard: a record that is saved after every event survives any number of kills without a loss", async () => {
  const first = new Play();
  const { discord, clock } = first;
  const handled: string[] = [];
  let stored: SessionRecord | null = null;
  const written: string[] = [];
  for (let run = 0; run < 20; run++) {
    const play = run === 0 ? first : new Play({ discord, clock, session: stored });
    play.onEvent = (event) => {
      if (event.t === "MESSAGE_CREATE") handled.push(event.d.id);
      play.shard.acknowledge();
      stored = play.shard.session;
    };
    play.start();
    await clock.advance(0);
    written.push(...play.write(Math.floor(clock.random() * 10)));
    await clock.advance(0);
    // Killed: the connection is gone, and the old shard has no effect any more.
    discord.connections[0]?.drop();
    await play.shard.close({ keepSession: true });
    written.push(...first.write(3));
  }
  const last = new Play({ discord, clock, session: stored }).start();
  await clock.advance(0);
  assertEquals([...handled, ...last.messageIds], written);
  assertEquals(discord.journal.identifies().length, 1);
  await last.shard.close();
});

Deno.test("shard: the RESUME of a restored shard is the one the old process would have sent [case 25]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, session: SESSION }).start();
  await play.clock.advance(0);
  assertEquals(puppet.socket.url, "wss://resume.test/?v=10&encoding=json");
  puppet.socket.hello();
  assertEquals(puppet.socket.sent, [
    { op: 6, d: { token: play.discord.token, session_id: "abc", seq: 1337 } },
  ]);
  await play.shard.close();
});

Deno.test("shard: heartbeats of a restored shard carry its sequence until a new one comes [case 44]", async () => {
  const puppet = new Puppet();
  const play = new Play({ dial: puppet.dial, session: { ...SESSION, sequence: 156_356 } }).start();
  await play.clock.advance(0);
  puppet.socket.hello();
  puppet.socket.say(1);
  puppet.socket.dispatch("MESSAGE_CREATE", 156_357, { id: "1" });
  puppet.socket.say(1);
  assertEquals(puppet.socket.sent.filter(({ op }) => op === 1).map(({ d }) => d), [156_356, 156_357]);
  await play.shard.close();
});

Deno.test("shard: a refused record is reported as a gap, before anything of the new session", async () => {
  const play = new Play({ session: SESSION, url: "wss://main.test" }).start();
  await play.clock.advance(10_000);
  assertEquals(play.names, ["SESSION_GAP", "READY"]);
  assertEquals(play.events[0], {
    op: null,
    t: "SESSION_GAP",
    s: null,
    d: { sessionId: "abc", sequence: 1337, cause: "invalid_session" },
  });
  assert(play.shard.session?.sessionId !== "abc");
  await play.shard.close();
  assertEquals(play.discord.journal.violations(), []);
});

Deno.test("shard: until the end of a lost session is handled the record is its own, so that a restart learns of the gap", async () => {
  const play = new Play();
  const gates: (() => void)[] = [];
  play.onEvent = () => new Promise<void>((resolve) => gates.push(resolve));
  await play.live();
  const lost = play.connection.session?.id;
  play.write(20);
  await play.clock.advance(0);
  play.connection.invalidateSession(false);
  await play.untilState("live");
  play.write(3);
  await play.clock.advance(0);
  const crashed = play.shard.session;
  assertEquals([crashed?.sessionId, crashed?.sequence], [lost, 0], "READY is in hand still");

  // READY, twenty messages, and the gap.
  for (let event = 0; event < 22; event++) {
    assertEquals(play.shard.session?.sessionId, lost);
    gates.shift()?.();
    await play.clock.advance(0);
  }
  assertEquals(play.names.at(-1), "READY", "the gap is handled");
  assertEquals(play.shard.session?.sessionId, play.connection.session?.id);
  const closing = play.shard.close();
  gates.shift()?.();
  await closing;

  const next = new Play({ discord: play.discord, clock: play.clock, session: crashed }).start();
  await next.untilState("live");
  assertEquals(next.names[0], "SESSION_GAP");
  await next.shard.close();
});

Deno.test("shard: the record is null before READY and after the session was lost", async () => {
  const play = new Play();
  play.discord.faults.silentReady = 1;
  play.start();
  await play.clock.advance(0);
  assertEquals(play.shard.session, null);
  await play.untilState("live");
  assert(play.shard.session);
  play.connection.close(4009);
  await play.clock.advance(0);
  assertEquals(play.shard.session, null);
  await play.shard.close();
});

Deno.test("shard: the record outlives the connection and the shard, but not an ended session", async () => {
  const play = await new Play().live();
  const { session } = play.shard;
  play.connection.drop();
  await play.clock.advance(0);
  assertEquals(play.shard.session, session);
  assertEquals(await play.shard.close({ keepSession: true }), session);
  assertEquals(play.shard.session, session);
  assertQuiet(play);
  const other = await new Play().live();
  await other.shard.close();
  assertEquals(other.shard.session, null);
});

Deno.test("shard: a fatal close leaves the record, for the day the bot is repaired", async () => {
  const play = await new Play().live();
  const { session } = play.shard;
  play.connection.close(4014);
  await play.clock.advance(0);
  assertEquals(play.shard.session, session);
});

Deno.test("shard: a record of another shard, or of another count, is refused", () => {
  const options = { token: "x", intents: 0, session: { ...SESSION, shardId: 1, shardCount: 4 } };
  assertEquals(new Shard(options).session, options.session, "without a say the record decides");
  assertEquals(new Shard({ ...options, shard: [1, 4] }).session, options.session);
  for (const shard of [[0, 4], [1, 2], [1, 8]] as const) {
    assertThrows(
      () => new Shard({ ...options, shard }),
      SessionRecordError,
      `it belongs to shard 1 of 4, this is ${shard[0]} of ${shard[1]}`,
    );
  }
});

Deno.test("shard: a malformed record is refused by the name of its field", () => {
  const wrong: readonly [string, object][] = [
    ["sessionId", { ...SESSION, sessionId: "" }],
    ["sequence", { ...SESSION, sequence: -1 }],
    ["resumeGatewayUrl", { ...SESSION, resumeGatewayUrl: "nowhere" }],
    ["shardId", { ...SESSION, shardId: 1 }],
    ["shardCount", { ...SESSION, shardCount: "1" }],
  ];
  for (const [field, record] of wrong) {
    const session: SessionRecord = JSON.parse(JSON.stringify(record));
    assertThrows(() => new Shard({ token: "x", intents: 0, session }), SessionRecordError, field);
  }
});

Deno.test("shard: a restored shard identifies as the record's shard, should it have to", async () => {
  const play = new Play({ session: { ...SESSION, shardId: 1, shardCount: 2 }, url: "wss://main.test" })
    .start();
  await play.clock.advance(10_000);
  const [identify] = play.discord.journal.identifies();
  assertEquals(field(identify?.d, "shard"), [1, 2]);
  await play.shard.close();
});

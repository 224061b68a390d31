import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CommandError } from "../../../../mod.ts";
import { HostError, ShardHost } from "../../../../shard/durable_object/mod.ts";
import { VirtualBot } from "../../../durable_object/virtual_bot.ts";

const MINUTE = 60_000;

Deno.test("shard host: a start identifies, stores the session at once and sets the alarm", async () => {
  const object = new VirtualBot();
  await object.live();
  const stored = object.values.get("discordgateway:session");
  assert(typeof stored === "object" && stored !== null && "sessionId" in stored);
  assertEquals(stored.sessionId, object.discord.sessions[0]?.id);
  assertEquals(object.alarmAt, 30_000);
  assertEquals(object.host.status.shard, [0, 1]);
  await object.end();
  assertEquals(object.clock.pending, 0);
});

Deno.test("shard host: after a kill the alarm alone restarts the object, which resumes and misses nothing", async () => {
  const object = new VirtualBot();
  await object.live();
  object.write("before");
  await object.clock.advance(10_000);
  await object.kill();
  object.write("meanwhile");
  assertEquals(object.isAlive, false);
  await object.clock.advance(30_000);
  object.write("after");
  await object.clock.advance(0);
  assertEquals(object.handled, ["before", "meanwhile", "after"]);
  const { journal } = object.discord;
  assertEquals([journal.identifies().length, journal.resumes().length], [1, 1]);
  assertEquals(object.host.status.restarts, 1);
  assertEquals(object.incarnations, 2);
  await object.end();
});

Deno.test("shard host: events handled after the last write of the sequence are delivered again, and none is lost", async () => {
  const object = new VirtualBot({ saveEveryMs: 5_000 });
  await object.live();
  await object.clock.advance(5_000);
  object.write("one");
  await object.clock.advance(1_500);
  object.write("two");
  await object.clock.advance(5_500);
  object.write("three");
  await object.clock.advance(100);
  await object.kill();
  await object.clock.advance(30_000);
  assertEquals(object.handled, ["one", "two", "three", "three"]);
  await object.end();
});

Deno.test("shard host: a request also restarts the object, and does not postpone its alarm", async () => {
  const object = new VirtualBot();
  await object.live();
  await object.clock.advance(10_000);
  await object.kill();
  assertEquals(object.alarmAt, 30_000);
  assertEquals(object.host.status.state, "waiting");
  await object.clock.advance(1_000);
  assertEquals(object.host.status.state, "live");
  assertEquals(object.alarmAt, 30_000);
  assertEquals(object.discord.journal.resumes().length, 1);
  await object.end();
});

Deno.test("shard host: a new incarnation of a running shard sets a missing alarm", async () => {
  const object = new VirtualBot();
  await object.live();
  await object.kill();
  object.alarmAt = null;
  assertEquals(object.host.status.running, true);
  await object.clock.advance(0);
  assertEquals(object.alarmAt, 30_000);
  await object.end();
});

Deno.test("shard host: an alarm that cannot be set is retried every second; alarm() does not throw", async () => {
  const object = new VirtualBot();
  await object.live();
  object.refuseAlarms = [new Error("storage is down"), new Error("storage is down")];
  await object.clock.advance(30_000);
  assertEquals(object.alarmErrors, []);
  assertEquals(object.host.status.lastError?.message, "storage is down");
  assertEquals(object.alarmAt, null);
  await object.clock.advance(3_000);
  assertEquals(object.alarmAt, 62_000);
  assertEquals(object.host.status.state, "live");
  await object.end();
});

Deno.test("shard host: a handler that throws gets the event again until it is handled, while heartbeats continue", async () => {
  let broken = true;
  const attempts: string[] = [];
  const object = new VirtualBot({
    handler: (event, { attempt }) => {
      if (event.t !== "MESSAGE_CREATE") return;
      attempts.push(`${event.d.content} ${attempt}`);
      if (broken) throw new Error("the database is down");
    },
  });
  await object.live();
  object.write("one", "two");
  await object.clock.advance(10 * MINUTE);
  assert(attempts.length > 10 && attempts.every((line) => line.startsWith("one ")), `${attempts}`);
  const { failing, events, state } = object.host.status;
  assertEquals(state, "live");
  assertEquals([failing?.event, failing?.error.message, events.queued], [
    "MESSAGE_CREATE",
    "the database is down",
    1,
  ]);
  broken = false;
  await object.clock.advance(MINUTE);
  assertEquals(attempts.at(-1), "two 1");
  assertEquals(object.host.status.failing, null);
  const { journal } = object.discord;
  assert(journal.heartbeats().length >= 15);
  assertEquals([journal.identifies().length, journal.resumes().length, journal.violations().length], [
    1,
    0,
    0,
  ]);
  await object.end();
});

Deno.test("shard host: at its deadline a hanging handler's signal is aborted, and the event is delivered again", async () => {
  const signals: AbortSignal[] = [];
  const object = new VirtualBot({
    handlerDeadlineMs: 20_000,
    handler: (_event, { attempt, signal }) => {
      signals.push(signal);
      return attempt === 3 ? undefined : new Promise(() => {});
    },
  });
  await object.live();
  object.write("one");
  await object.clock.advance(5 * MINUTE);
  assertEquals(signals.map(({ aborted }) => aborted), [true, true, false]);
  assertEquals(signals[0]?.reason.code, "ERR_HANDLER_DEADLINE");
  assertEquals(object.host.status.events, { handled: 1, perSecond: 0, queued: 0, failures: 2 });
  assert(object.discord.journal.heartbeats().length >= 7);
  await object.end();
});

Deno.test("shard host: the object is killed while the handler hangs: the event is delivered again in the next run", async () => {
  let hangs = true;
  const object = new VirtualBot({
    handler: (event) => {
      if (hangs) return new Promise(() => {});
      if (event.t === "MESSAGE_CREATE") object.handled.push(event.d.content);
    },
  });
  await object.live();
  object.write("one", "two");
  await object.clock.advance(20_000);
  await object.kill();
  hangs = false;
  await object.clock.advance(30_000);
  assertEquals(object.handled, ["one", "two"]);
  assertEquals(object.discord.journal.identifies().length, 1);
  await object.end();
});

Deno.test("shard host: an event that fails too often goes to the dead letter, which is also retried", async () => {
  const dead: string[] = [];
  let refusals = 2;
  const object = new VirtualBot({
    handler: (event) => {
      if (event.t !== "MESSAGE_CREATE") return;
      if (event.d.content === "poison") throw new Error("cannot");
      object.handled.push(event.d.content);
    },
    deadLetter: {
      after: 3,
      take: (event, error) => {
        if (refusals-- > 0) throw new Error("the mailbox is full");
        if (event.t === "MESSAGE_CREATE") dead.push(`${event.d.content}: ${error}`);
      },
    },
  });
  await object.live();
  object.write("one", "poison", "two");
  await object.clock.advance(5 * MINUTE);
  assertEquals(object.handled, ["one", "two"]);
  assertEquals(dead, ["poison: Error: the mailbox is full"]);
  assertEquals(object.host.status.events.failures, 5);
  await object.end();
});

Deno.test("shard host: a handler that hangs for twenty minutes under load: the session is kept alive, nothing is lost", async () => {
  let hangs = true;
  const gaps: unknown[] = [];
  const object = new VirtualBot({
    maxQueuedEvents: 20,
    handler: (event) => {
      if (hangs) return new Promise(() => {});
      if (event.t === "MESSAGE_CREATE") object.handled.push(event.d.content);
      else gaps.push(event);
    },
  });
  await object.live();
  let written = 0;
  for (let minute = 0; minute < 20; minute++) {
    for (let second = 0; second < 60; second++) {
      object.write(`${++written}`);
      await object.clock.advance(1_000);
    }
  }
  assertEquals(object.handled, []);
  hangs = false;
  await object.clock.advance(10 * MINUTE);
  assertEquals(object.handled, Array.from({ length: written }, (_, index) => `${index + 1}`));
  assertEquals(gaps, []);
  const { journal } = object.discord;
  assertEquals([journal.identifies().length, journal.violations().length], [1, 0]);
  await object.end();
});

Deno.test("shard host: a wrong token stops the shard permanently, with the reason in its status", async () => {
  const object = new VirtualBot({ token: "not.the.bots.token" });
  await object.host.start();
  await object.clock.advance(60 * MINUTE);
  const { running, state, lastError } = object.host.status;
  assertEquals([running, state, lastError?.code], [false, "stopped", "ERR_SHARD_STOPPED"]);
  assertEquals(object.alarmAt, null);
  const { journal } = object.discord;
  assert(journal.of("dial").length + journal.of("rest").length <= 2);
  assertEquals(object.clock.pending, 0);
});

Deno.test("shard host: an object that is killed after each identify backs off: 288 identifies a day at most", async () => {
  const object = new VirtualBot();
  // The session is never stored: the object is killed before READY.
  object.discord.faults.silentReady = 1_000;
  await object.host.start();
  const hour = object.clock.now() + 60 * MINUTE;
  while (object.clock.now() < hour) {
    const before = object.discord.journal.identifies().length;
    await object.clock.runUntil(() => object.discord.journal.identifies().length > before);
    await object.kill();
    void object.host.status;
  }
  const identifies = object.discord.journal.identifies();
  assert(identifies.length > 10 && identifies.length < 22, `${identifies.length}`);
  const gaps = identifies.slice(1).map(({ at }, index) => at - (identifies[index]?.at ?? 0));
  assert(gaps.at(-1)! >= 300_000, `${gaps}`);
  object.discord.faults.silentReady = 0;
  await object.end();
});

Deno.test("shard host: an object that is killed after each start without progress backs off", async () => {
  const object = new VirtualBot({ handler: () => new Promise(() => {}) });
  await object.live();
  object.write("poison");
  await object.clock.advance(0);
  const resumes: number[] = [];
  for (let death = 0; death < 12; death++) {
    await object.kill();
    void object.host.status;
    await object.clock.runUntil(() => object.discord.journal.resumes().length > death);
    resumes.push(object.clock.now());
  }
  const gaps = resumes.slice(1).map((at, index) => at - (resumes[index] ?? 0));
  assertEquals(gaps.map((ms) => Math.round(ms / 1_000)), [0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
  assertEquals(object.discord.journal.identifies().length, 1);
  await object.end();
});

Deno.test("shard host: runs that make progress are never delayed, however short", async () => {
  const object = new VirtualBot({ saveEveryMs: 1_000 });
  await object.live();
  for (let death = 1; death <= 12; death++) {
    object.write(`${death}`);
    await object.clock.advance(1_500);
    await object.kill();
    void object.host.status;
    const at = object.clock.now();
    await object.clock.runUntil(() => object.discord.journal.resumes().length === death);
    assertEquals(object.clock.now() - at, 0, `death ${death}`);
  }
  await object.end();
});

Deno.test("shard host: another shard count ends the old session and starts a new one", async () => {
  const object = new VirtualBot();
  await object.live();
  const [old] = object.discord.sessions;
  const starting = object.host.start({ shard: [1, 2] });
  await object.clock.advance(10_000);
  await starting;
  assertEquals(object.host.status.shard, [1, 2]);
  assertEquals(object.discord.sessions.some(({ id }) => id === old?.id), false);
  assertEquals(object.discord.sessions[0]?.shard, [1, 2]);
  // The next run, and a start without options, keep the shard.
  await object.kill();
  await object.host.start();
  await object.clock.advance(30_000);
  assertEquals(object.host.status.shard, [1, 2]);
  assertEquals(object.discord.journal.identifies().length, 2);
  await object.end();
});

Deno.test("shard host: a stopped shard stays stopped in later incarnations; with keepSession the next start resumes", async () => {
  const object = new VirtualBot();
  await object.live();
  const stopping = object.host.stop({ keepSession: true });
  await object.clock.advance(0);
  await stopping;
  assertEquals([object.host.status.running, object.host.status.state, object.alarmAt], [
    false,
    "stopped",
    null,
  ]);
  await object.kill();
  void object.host.status;
  await object.clock.advance(MINUTE);
  assertEquals(object.discord.connections.length, 0);
  object.write("meanwhile");
  await object.live();
  assertEquals(object.handled, ["meanwhile"]);
  assertEquals(object.discord.journal.resumes().length, 1);

  const ending = object.host.stop();
  await object.clock.advance(0);
  await ending;
  assertEquals(object.discord.sessions, []);
  assertEquals(object.values.get("discordgateway:session"), undefined);
  await object.end();
});

Deno.test("shard host: a command waits for a new connection, and is sent once", async () => {
  const object = new VirtualBot();
  await object.live();
  object.discord.connections[0]?.drop();
  await object.clock.advance(0);
  let encodings = 0;
  const d = { guild_ids: ["1"], toJSON: () => (encodings++, { guild_ids: ["1"] }) };
  const sent = object.host.send({ op: 31, d });
  await object.clock.advance(5_000);
  await sent;
  assertEquals(object.discord.journal.of("frame").filter(({ op }) => op === 31).length, 1);
  assertEquals(encodings, 1);
  await object.end();
});

Deno.test("shard host: commands are rejected with a code: malformed, stopped, too late", async () => {
  const object = new VirtualBot({ sendDeadlineMs: 10_000 });
  const command = { op: 31, d: { guild_ids: ["1"] } } as const;
  const stopped = await assertRejects(() => object.host.send(command), HostError);
  assertEquals(stopped.code, "ERR_SHARD_HOST_STOPPED");
  await assertRejects(() => object.host.send({ op: 2, d: {} } as never), CommandError);

  object.discord.faults.silentReady = 1;
  await object.host.start();
  const late = assertRejects(() => object.host.send(command), HostError);
  const tried = object.host.trySend(command);
  await object.clock.advance(10_000);
  assertEquals((await late).code, "ERR_SHARD_HOST_DEADLINE");
  assertEquals(await tried, {
    ok: false,
    error: {
      name: "HostError",
      code: "ERR_SHARD_HOST_DEADLINE",
      message: "Cannot send op 31: it was not written within ms: 10000",
    },
  });
  const reason = new Error("never mind");
  const aborted = await assertRejects(() => object.host.send(command, { signal: AbortSignal.abort(reason) }));
  assertEquals(aborted, reason);
  await object.end();
});

Deno.test("shard host: the watchdog replaces a shard whose timers are gone", async () => {
  let deaf = false;
  const object: VirtualBot = new VirtualBot();
  const { clock } = object;
  const setTimeout = clock.setTimeout.bind(clock);
  await object.live();
  // From now on every timer that the shard sets is lost; the alarm is not.
  clock.setTimeout = (callback, delayMs) =>
    setTimeout(() => deaf && object.isAlive && delayMs !== 30_000 || callback(), delayMs);
  deaf = true;
  object.discord.connections[0]?.stall();
  await clock.advance(6 * MINUTE);
  deaf = false;
  await clock.advance(MINUTE);
  assertEquals(object.host.status.lastError?.code, "ERR_SHARD_HOST_STUCK");
  assertEquals(object.host.status.state, "live");
  assertEquals(object.alarmErrors, []);
  await object.end();
});

Deno.test("shard host: malformed values in its storage are ignored", async () => {
  const object = new VirtualBot();
  object.values.set("discordgateway:host", { running: true, shard: [0, 1], identifies: "many" });
  object.values.set("discordgateway:session", { sessionId: 7 });
  assertEquals(object.host.status.running, true);
  await object.clock.advance(1_000);
  assertEquals(object.host.status.lastError?.code, "ERR_SESSION_STORE_CORRUPT");
  assertEquals(object.host.status.state, "live");
  await object.end();

  for (const record of [null, 7, { running: "yes" }, { running: true, shard: [1, 1] }]) {
    const other = new VirtualBot();
    other.values.set("discordgateway:host", record);
    assertEquals(other.host.status.running, false);
  }
});

Deno.test("shard host: an identify limiter that refuses is asked again five minutes later", async () => {
  let refusals = 1;
  const object = new VirtualBot({ identifyLimiter: { take: () => refusals-- <= 0 } });
  await object.host.start();
  await object.clock.advance(1_000);
  assertEquals(object.host.status.lastError?.code, "ERR_IDENTIFY_REFUSED");
  assertEquals(object.host.status.state, "waiting");
  await object.clock.advance(5 * MINUTE);
  assertEquals(object.host.status.state, "live");
  await object.end();
});

Deno.test("shard host: a shared identify limiter receives the limits, and the outcome of its permit", async () => {
  const told: string[] = [];
  const object = new VirtualBot({
    identifyLimiter: {
      take: () => ({ release: (outcome) => void told.push(outcome) }),
      update: ({ maxConcurrency }) => void told.push(`max_concurrency ${maxConcurrency}`),
    },
  });
  await object.live();
  assertEquals(told, ["max_concurrency 1", "ready"]);
  await object.end();
});

Deno.test("shard host: an error of the status hook is in the status, and stops nothing", async () => {
  const states: string[] = [];
  const object = new VirtualBot({
    onStatus: ({ state }) => {
      states.push(state);
      throw new Error("the hook is broken");
    },
  });
  await object.live();
  assertEquals(states.at(-1), "live");
  assertEquals(object.host.status.lastError?.message, "the hook is broken");
  await object.end();
});

Deno.test("shard host: its status is JSON without the token", async () => {
  const object = new VirtualBot({
    handler: () => {
      throw new Error(`cannot log in with ${object.discord.token}`);
    },
  });
  await object.live();
  object.write("one");
  await object.clock.advance(3 * MINUTE);
  const { status } = object.host;
  assertEquals(JSON.parse(JSON.stringify(status)), status);
  assertEquals(JSON.stringify(status).includes(object.discord.token), false);
  assertEquals(status.failing?.error.message, "cannot log in with [token]");
  assertEquals(status.latency?.lastMs, 0);
  assertEquals(Deno.inspect(object.host).includes(object.discord.token), false);
  await object.end();
});

Deno.test("shard host: a class without SQLite is rejected, and so are invalid options", () => {
  const storage = {
    get kv(): never {
      throw new Error("Durable Object is not backed by SQL.");
    },
    getAlarm: () => Promise.resolve(null),
    setAlarm: () => Promise.resolve(),
    deleteAlarm: () => Promise.resolve(),
  };
  const error = assertThrows(
    () => new ShardHost({ storage }, { token: "x", intents: 0, handler: () => {} }),
    HostError,
  );
  assertEquals(error.code, "ERR_SHARD_HOST_STORAGE");
  for (const wrong of [{ alarmEveryMs: 0 }, { saveEveryMs: -1 }, { handlerDeadlineMs: NaN }]) {
    assertThrows(() => new VirtualBot(wrong).host, RangeError);
  }
});

Deno.test("shard host: a start that fails throws, and changes nothing", async () => {
  const object = new VirtualBot({ token: "" });
  await assertRejects(() => object.host.start(), TypeError);
  await assertRejects(() => object.host.start({ shard: [2, 2] }), RangeError);
  assertEquals([object.host.status.running, object.usage.rows, object.alarmAt], [false, 0, null]);

  const other = new VirtualBot();
  other.refuseAlarms = [new Error("storage is down")];
  await assertRejects(() => other.host.start(), Error, "storage is down");
  assertEquals([other.host.status.running, other.usage.rows, other.clock.pending], [false, 0, 0]);
});

Deno.test("shard host: an object that is killed before it could set the next alarm gets the present one again", async () => {
  const object = new VirtualBot();
  await object.live();
  object.refuseAlarms = Array.from({ length: 10 }, () => new Error("storage is down"));
  await object.clock.advance(33_000);
  await object.kill();
  object.write("meanwhile");
  await object.clock.advance(10_000);
  assertEquals(object.handled, ["meanwhile"]);
  assertEquals(object.alarmErrors, []);
  await object.end();
});

Deno.test("shard host: a handler may stop its own shard", async () => {
  const object: VirtualBot = new VirtualBot({
    handler: () => object.host.stop(),
  });
  await object.live();
  object.write("!stop");
  await object.clock.advance(1_000);
  assertEquals(object.host.status.running, false);
  assertEquals(object.discord.sessions, []);
  assertEquals(object.clock.pending, 0);
});

Deno.test("shard host: with saveEveryMs 0 a synchronous handler stores each event exactly once, across kills", async () => {
  let count = 0;
  const object: VirtualBot = new VirtualBot({
    saveEveryMs: 0,
    handler: (event) => {
      if (event.t === "MESSAGE_CREATE") object.values.set("count", ++count);
    },
  });
  await object.live();
  for (let message = 1; message <= 300; message++) {
    object.write(`${message}`);
    await object.clock.advance(message % 7 * 10);
    if (message % 25 === 0) {
      await object.kill();
      await object.clock.advance(30_000);
    }
  }
  await object.clock.advance(30_000);
  assertEquals(object.values.get("count"), 300);
  assertEquals(object.discord.journal.resumes().length, 12);
  await object.end();
});

Deno.test("shard host: starts and stops that are not awaited run one after the other", async () => {
  const object = new VirtualBot();
  const all = Promise.all([
    object.host.start(),
    object.host.stop(),
    object.host.start({ shard: [1, 2] }),
    object.host.stop({ keepSession: true }),
    object.host.start(),
  ]);
  await object.clock.advance(20_000);
  await all;
  const { running, state, shard } = object.host.status;
  assertEquals([running, state, shard], [true, "live", [1, 2]]);
  assertEquals(object.alarmAt, 30_000);
  await object.end();
});

Deno.test("shard host: a new session after a gap is stored as soon as the gap is handled", async () => {
  const names: string[] = [];
  const object: VirtualBot = new VirtualBot({ handler: (event) => void names.push(event.t) });
  await object.live();
  object.write("before");
  await object.clock.advance(20_000);
  object.discord.expireSessions();
  await object.kill();
  await object.clock.runUntil(() => names.includes("SESSION_GAP"));
  await object.clock.runUntil(() => object.host.status.state === "live");
  object.write("after");
  await object.clock.advance(0);
  const [session] = object.discord.sessions.filter(({ connected }) => connected);
  const stored = object.values.get("discordgateway:session");
  assert(typeof stored === "object" && stored !== null && "sessionId" in stored);
  assertEquals(stored.sessionId, session?.id);
  assertEquals(names, ["MESSAGE_CREATE", "SESSION_GAP", "MESSAGE_CREATE"]);
  await object.end();
});

/** `close()` at every moment of a shard's run: at once, with the right code, and without leaving anything behind. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { CommandNotSentError, type Fetch, type GatewayCommand, type ShardStatus } from "../../mod.ts";
import { assertQuiet, closeCodes, Play, type PlayOptions, settled } from "./harness.ts";

const PRESENCE: GatewayCommand = {
  op: 3,
  d: { since: null, activities: [], status: "online", afk: false },
};

/** A REST API that never responds, and rejects when its signal is aborted. */
const silentFetch: Fetch = (_, { signal }) =>
  new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

interface Moment {
  readonly when: string;
  readonly options?: PlayOptions;
  /** Faults at the start. */
  readonly prepare?: (play: Play) => void;
  /** From live to the moment. */
  readonly then?: (play: Play) => void | Promise<void>;
  /** The status at the moment. */
  readonly state: ShardStatus["state"];
  /** The close code that Discord sees, where it sees one: ending the session, and keeping it. */
  readonly codes: readonly [ending: number, keeping: number] | null;
}

const MOMENTS: readonly Moment[] = [
  {
    when: "while GET /gateway/bot is under way",
    options: { fetch: silentFetch },
    state: "locating",
    codes: null,
  },
  {
    when: "while dialing [case 1]",
    prepare: ({ discord }) => void (discord.faults.blackHoleDials = 1),
    state: "dialing",
    codes: null,
  },
  {
    when: "before HELLO [case 2]",
    prepare: ({ discord }) => void (discord.faults.silentHello = 1),
    state: "awaiting_hello",
    codes: [1000, 4200],
  },
  {
    when: "while waiting for the permit",
    options: { identifyLimiter: { take: () => new Promise<boolean>(() => {}) } },
    state: "awaiting_permit",
    codes: [1000, 4200],
  },
  {
    when: "while READY is due",
    prepare: ({ discord }) => void (discord.faults.silentReady = 1),
    state: "identifying",
    codes: [1000, 4200],
  },
  { when: "while live", state: "live", codes: [1000, 4200] },
  {
    when: "while backing off",
    then: ({ connection }) => connection.drop(),
    state: "disconnected",
    codes: null,
  },
  {
    when: "while RESUMED is due",
    prepare: ({ discord }) => void (discord.faults.silentResumed = 1),
    then: async ({ connection, clock }) => {
      connection.drop();
      await clock.advance(5_000);
    },
    state: "resuming",
    codes: [1000, 4200],
  },
  {
    when: "while dialing to resume",
    then: async ({ connection, clock, discord }) => {
      discord.faults.blackHoleDials = 1;
      connection.drop();
      await clock.advance(5_000);
    },
    state: "dialing",
    codes: null,
  },
];

/** Brings a shard to the moment. */
async function at({ options = {}, prepare, then, state }: Moment): Promise<Play> {
  const play = new Play(options);
  prepare?.(play);
  play.start();
  await play.clock.advance(0);
  await then?.(play);
  await play.clock.advance(0);
  assertEquals(play.shard.status.state, state);
  return play;
}

for (const moment of MOMENTS) {
  Deno.test(`shard: close ${moment.when} is done at once and leaves nothing behind`, async () => {
    for (const keepSession of [false, true]) {
      const play = await at(moment);
      const hadSession = play.shard.session !== null;
      const closesBefore = closeCodes(play).length;
      const waits = play.shard.status.state !== "live";
      const sending = waits && assertRejects(() => play.shard.send(PRESENCE), CommandNotSentError);
      const startedAt = play.clock.now();

      const record = await settled(play.clock, play.shard.close({ keepSession }));
      assertEquals(play.clock.now(), startedAt, "no time passes");
      if (sending) assertEquals((await sending).command, PRESENCE);
      assertEquals(await play.finished, null);
      const code = moment.codes?.[keepSession ? 1 : 0];
      assertEquals(closeCodes(play).slice(closesBefore), code === undefined ? [] : [code]);
      assertEquals(record !== null, keepSession && hadSession);
      assertEquals(play.shard.session, record);
      assertQuiet(play);

      const entries = play.discord.journal.entries.length;
      await play.clock.advance(3_600_000);
      assertEquals(play.discord.journal.entries.length, entries, "and nothing happens later");
    }
  });
}

Deno.test("shard: close before the start means that no socket is ever opened [case 12]", async () => {
  const play = new Play();
  assertEquals(await play.shard.close({ keepSession: true }), null);
  play.start();
  await play.clock.advance(3_600_000);
  assertEquals(await play.finished, null);
  assertEquals(play.discord.journal.entries, []);
  assertEquals(play.states, ["closed"]);
  await assertRejects(() => play.shard.send(PRESENCE), CommandNotSentError);
});

Deno.test("shard: close before the start of a restored shard gives the record back", async () => {
  const session = { sessionId: "abc", sequence: 7, resumeGatewayUrl: null, shardId: 1, shardCount: 2 };
  const play = new Play({ session });
  assertEquals(play.shard.session, session);
  assertEquals(await play.shard.close({ keepSession: true }), session);
});

Deno.test("shard: close while the consumer drains drops what waits, and the record is before it", async () => {
  const play = new Play({ maxQueuedEvents: 10 });
  let goOn = () => {};
  play.onEvent = () => new Promise<void>((resolve) => goOn = resolve);
  await play.live();
  play.discord.flood(100);
  await play.clock.advance(0);
  assertEquals(play.shard.status, { state: "draining", queued: 10 });
  const record = await settled(play.clock, play.shard.close({ keepSession: true }));
  assertEquals(record?.sequence, 0, "READY is still in hand");
  assertEquals(play.shard.queued, { now: 0, peak: 10 });
  goOn();
  assertEquals(await play.finished, null);
  assertEquals(play.names, ["READY"]);
  assertQuiet(play);
});

Deno.test("shard: close ends the session at Discord, close with keepSession does not [case 16]", async () => {
  for (const keepSession of [false, true]) {
    const play = await new Play().live();
    await play.shard.close({ keepSession });
    assertEquals(closeCodes(play), [keepSession ? 4200 : 1000]);
    assertEquals(play.discord.sessions.length, keepSession ? 1 : 0);
  }
});

Deno.test("shard: close does not wait for a peer that never responds", async () => {
  const play = await new Play().live();
  play.connection.stall();
  assertEquals(await play.shard.close(), null);
  assertEquals(await play.finished, null);
  assertQuiet(play);
});

Deno.test("shard: closing twice, or from two sides at once, is one close; the first one decides", async () => {
  const play = await new Play().live();
  const [kept, ended] = await Promise.all([play.shard.close({ keepSession: true }), play.shard.close()]);
  assertEquals([kept?.sequence, ended], [1, null]);
  assertEquals((await play.shard.close({ keepSession: true }))?.sequence, 1, "asked again, it is there");
  assertEquals(closeCodes(play), [4200]);
  assertEquals(play.statusesOf("closed").length, 1);
  assertQuiet(play);
});

Deno.test("shard: a close by Discord and a local one in the same microtask are one end [case 18]", async () => {
  const play = await new Play().live();
  play.connection.close(4000);
  await play.shard.close();
  await play.clock.advance(60_000);
  assertEquals(play.statusesOf("disconnected"), []);
  assertEquals(play.discord.journal.dials().length, 1);
  assertQuiet(play);
});

Deno.test("shard: await using closes it, keeping the session", async () => {
  const play = new Play();
  {
    await using shard = play.shard;
    play.start();
    await play.clock.advance(0);
    assertEquals(shard.status.state, "live");
  }
  assertEquals(closeCodes(play), [4200]);
  assertEquals(await play.finished, null);
  assertQuiet(play);
});

Deno.test("shard: a shard that is closed stays closed", async () => {
  const play = await new Play().live();
  await play.shard.close();
  const entries = play.discord.journal.entries.length;
  await assertRejects(() => play.shard.send(PRESENCE), CommandNotSentError);
  assertEquals(await play.finished, null);
  await play.clock.advance(3_600_000);
  assertEquals(play.discord.journal.entries.length, entries);
  assert(play.shard.latency === null);
});

Deno.test("shard: closed at any microtask of its start, it is closed for good, and so is what it has opened", async () => {
  const states = new Set<ShardStatus["state"]>();
  for (let turns = 0; !states.has("live"); turns++) {
    const play = new Play().start();
    const stepping = play.clock.advance(0);
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    states.add(play.shard.status.state);
    const closing = play.shard.close();
    await stepping;
    await play.clock.advance(0);
    assertQuiet(play);
    assertEquals(await closing, null);
    assertEquals(play.discord.journal.violations(), []);
  }
  assertEquals([...states], [
    "idle",
    "locating",
    "dialing",
    "awaiting_hello",
    "awaiting_permit",
    "identifying",
    "live",
  ]);
});

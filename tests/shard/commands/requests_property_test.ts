/** Requests in random stories: whatever happens to the connections, each gets all of its own responses, once. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { RequestChannelInfo } from "../../../mod.ts";
import { assertProperty } from "../../property.ts";
import { crowd, everybody, Reading } from "./asking.ts";
import { assertQuiet, type Play } from "../harness.ts";

const channels = [{ name: "general" }, { name: "voice", type: 2 }];
const GUILDS = [{ members: 1_200, channels }, { members: 2_100, channels }];

/** What happens to the connection, if there is one. */
const ACTS: Readonly<Record<string, (play: Play) => void>> = {
  cut: ({ discord }) => discord.connections[0]?.drop(),
  stall: ({ discord }) => discord.connections[0]?.stall(),
  reconnect: ({ discord }) => discord.connections[0]?.reconnect(),
  "close 4000": ({ discord }) => discord.connections[0]?.close(4000),
  "op 9 true": ({ discord }) => discord.connections[0]?.invalidateSession(true),
  "op 9 false": ({ discord }) => discord.connections[0]?.invalidateSession(false),
  expire: ({ discord }) => discord.expireSessions(),
  "cut in the middle": ({ discord }) => void (discord.faults.cutAfterResponses = 1),
  "from behind": ({ discord }) => void (discord.faults.reverseResponses = !discord.faults.reverseResponses),
  "refuse a resume": ({ discord }) => void discord.faults.refuseResumes++,
  chatter: (play) => void play.write(30),
};

const FIELDS: readonly RequestChannelInfo["fields"][] = [
  ["status"],
  ["voice_start_time"],
  ["status", "voice_start_time"],
];

const act = fc.record({
  // A response without a nonce is matched by its guild: more of these.
  what: fc.constantFrom(
    ...["everybody", "some", "sounds", "presence", "info", "info", "info", "info"],
    ...Object.keys(ACTS),
  ),
  guild: fc.integer({ min: 0, max: 1 }),
  fields: fc.constantFrom(...FIELDS),
  priority: fc.constantFrom("low" as const, "high" as const),
  /** Discord never reads the request, because the connection is lost. */
  isLost: fc.nat(5).map((number) => number === 0),
  /** Given up on after so long, if at all. */
  abortAfterMs: fc.option(fc.constantFrom(0, 3_000), { freq: 8 }),
  /** `null` = the next step follows in the same task, if this is a request. */
  pauseMs: fc.oneof(fc.constant(null), fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
});

type Act = typeof act extends fc.Arbitrary<infer Each> ? Each : never;

/** A request, and what it should result in. */
interface Asked {
  readonly what: string;
  readonly reading: Reading<unknown>;
  readonly abort: AbortController;
  /** Fails unless these are all responses. */
  check(): void;
}

const GONE = new Error("the caller left");

/** Longer than a connection can be dead without being found out. */
const DEADLINE_MS = 300_000;

function ask({ shard, discord }: Play, { what, guild, fields, priority }: Act): Asked | null {
  const ids = discord.guilds.map(({ id }) => id);
  const guild_id = ids[guild] ?? "";
  const abort = new AbortController();
  const options = { priority, deadlineMs: DEADLINE_MS, signal: abort.signal };
  const asked = <T>(answers: AsyncIterable<T>, check: (answers: readonly T[]) => void): Asked => {
    const reading = new Reading(answers);
    return { what, reading, abort, check: () => check(reading.responses) };
  };
  switch (what) {
    case "everybody":
      return asked(shard.requestGuildMembers(everybody(guild_id), options), (chunks) => {
        const members = chunks.flatMap((chunk) => chunk.members.map(({ user }) => user?.id));
        const count = 1 + (GUILDS[guild]?.members ?? 0);
        assertEquals([members.length, new Set(members).size], [count, count]);
        assertEquals(new Set(chunks.map((chunk) => chunk.guild_id)), new Set([guild_id]));
      });
    case "some":
      return asked(
        shard.requestGuildMembers({ guild_id, query: "member-1", limit: 3 }, options),
        (chunks) => assertEquals(chunks.map(({ members }) => members.length), [3]),
      );
    case "sounds":
      return asked(
        shard.requestSoundboardSounds(ids, options),
        (sounds) => assertEquals(sounds.map((each) => each.guild_id).toSorted(), ids.toSorted()),
      );
    case "info":
      return asked(oneResponse(shard.requestChannelInfo(guild_id, fields, options)), (infos) => {
        const shown = infos.map((info) => [info.guild_id, ...info.channels.map(Object.keys)].flat());
        assertEquals(shown, [[guild_id, "id", ...fields]]);
      });
    case "presence": {
      const d = { since: null, activities: [], status: "idle", afk: false } as const;
      return asked(oneResponse(shard.send({ op: 3, d }, options)), (outcomes) => {
        assertEquals(outcomes.length, 1);
      });
    }
    default:
      return null;
  }
}

async function tell(story: readonly Act[], jitter: number): Promise<void> {
  const play = await crowd(0, {
    fake: { guilds: GUILDS, identifyLimit: { total: 100_000 } },
    maxQueuedEvents: 20,
  }).live();
  // Parks the session now and then.
  play.onEvent = ({ t }) => t === "MESSAGE_CREATE" ? pause(play, 500) : undefined;
  for (let n = 0; n < jitter; n++) play.clock.random();
  const all: Asked[] = [];
  const gone = new Set<Asked>();
  const giveUp = (asked: Asked) => {
    if (asked.reading.end !== undefined) return;
    gone.add(asked);
    asked.abort.abort(GONE);
  };
  for (const one of story) {
    const { faults, connections: [connection] } = play.discord;
    faults.muteResponses = one.isLost ? 1 : 0;
    const asked = ask(play, one);
    if (!asked) ACTS[one.what]?.(play);
    else {
      all.push(asked);
      if (one.isLost) {
        await play.clock.advance(0);
        connection?.drop();
      }
      if (one.abortAfterMs === 0) giveUp(asked);
      else if (one.abortAfterMs !== null) play.clock.setTimeout(() => giveUp(asked), one.abortAfterMs);
    }
    faults.muteResponses = 0;
    if (one.pauseMs !== null || !asked) await play.clock.advance(one.pauseMs ?? 0);
  }
  await play.clock.runUntil(() => all.every(({ reading }) => reading.end !== undefined));
  for (const asked of all) {
    // A caller that leaves as the response is completed may still have it.
    if (gone.has(asked) && asked.reading.end === GONE) continue;
    assertEquals(asked.reading.end, null, asked.what);
    asked.check();
  }
  assertEquals(play.discord.journal.violations(), []);
  assertEquals(play.shard.commands.waiting, 0);
  await play.shard.close();
  // A consumer in the middle of its last event.
  await play.clock.advance(3_000);
  assertQuiet(play);
}

const usual = {
  guild: 0,
  fields: ["status"],
  priority: "low",
  isLost: true,
  abortAfterMs: null,
  pauseMs: 0,
} as const satisfies Partial<Act>;

/** Once, a command written as the session became usable counted as lost, and was sent again after its response. */
const WRITTEN_FIRST: Act[] = [
  { ...usual, what: "refuse a resume" },
  { ...usual, what: "cut in the middle" },
  { ...usual, what: "op 9 true" },
  { ...usual, what: "everybody" },
  { ...usual, what: "info", fields: ["status", "voice_start_time"] },
  { ...usual, what: "refuse a resume", pauseMs: 7_310 },
  { ...usual, what: "info", isLost: false },
];

Deno.test("shard: over random stories every request ends with its own responses, complete and once, and no rule is broken", async () => {
  await assertProperty(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), fc.nat(6), tell),
    { numRuns: 40, examples: [[WRITTEN_FIRST, 1]] },
  );
});

function pause({ clock }: Play, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, ms));
}

async function* oneResponse<T>(promise: Promise<T>): AsyncGenerator<T, void, void> {
  yield await promise;
}

/** The one rule, in plain steps of time. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  DEFAULT_IDENTIFY_PERIOD_MS,
  exchangeIdentifies,
  type IdentifyLimits,
  type IdentifyReply,
  type IdentifyRequest,
  newIdentifyRecord,
  sessionStartLimit,
} from "../../../ratelimit/mod.ts";
import { applyIdentifyLimits } from "../../../ratelimit/identify/schedule.ts";
import { readIdentifyRecord } from "../../../ratelimit/identify/record.ts";

const DAY_MS = 86_400_000;

/** A record, and questions to it. Tickets are `shardId` or `shardId:any`. */
function scene(limits: IdentifyLimits, now = 0) {
  const record = newIdentifyRecord("record", now);
  applyIdentifyLimits(record, limits, now);
  const exchange = (request: Partial<IdentifyRequest>, now: number): IdentifyReply =>
    exchangeIdentifies(
      record,
      { client: "test", ask: [], keep: [], drop: [], known: null, limits: null, ...request },
      now,
    );
  const ask = (tickets: string, now: number) =>
    exchange({ ask: tickets.split(" ").map((ticket) => ({ ticket, shardId: parseInt(ticket) })) }, now);
  return { record, exchange, ask };
}

Deno.test("identify schedule: one identify per period and key, keys do not touch each other [case 55]", () => {
  const { ask } = scene({ maxConcurrency: 4, periodMs: 5_000 });
  assertEquals(ask("3", 100).granted, ["3"]);
  assertEquals(ask("7 4", 200).granted, ["4"]);
  assertEquals(ask("7", 200).retryAfterMs, 4_900);
  assertEquals(ask("7", 5_099).granted, []);
  assertEquals(ask("7", 5_100).granted, ["7"]);
});

Deno.test("identify schedule: a key rests 5.25 s unless told otherwise", () => {
  const { ask } = scene({});
  ask("0", 0);
  assertEquals(ask("1", 0).retryAfterMs, DEFAULT_IDENTIFY_PERIOD_MS);
});

Deno.test("identify schedule: several processes that wait go in the order of their shards, whoever asks first", () => {
  const { ask } = scene({ maxConcurrency: 2, periodMs: 5_000 });
  ask("0 1", 0);
  ask("6 7", 10);
  ask("2 3", 20);
  const tooEarly = ask("6 7", 5_000);
  assertEquals([tooEarly.granted, tooEarly.retryAfterMs], [[], 1_250], "2 and 3 come first");
  assertEquals(ask("2 3", 5_010).granted, ["2", "3"]);
  assertEquals(ask("6 7", 6_250).retryAfterMs, 5_010 + 5_000 - 6_250);
  assertEquals(ask("6 7", 10_010).granted, ["6", "7"]);
});

Deno.test("identify schedule: a process that dies while it waits delays the others by a quarter of a period", () => {
  const { ask } = scene({ maxConcurrency: 1, periodMs: 4_000 });
  ask("0", 0);
  ask("1 2 3 4", 10);
  ask("9", 20);
  assertEquals(ask("9", 4_000).retryAfterMs, 1_000, "1 to 4 are expected back, and never come");
  assertEquals(ask("9", 4_999).granted, []);
  assertEquals(ask("9", 5_000).granted, ["9"]);
});

Deno.test("identify schedule: however the waiting stack up before they die, others go within a period", () => {
  const { ask } = scene({ maxConcurrency: 1, periodMs: 4_000 });
  ask("0", 0);
  for (let shardId = 1; shardId < 20; shardId++) ask(`${shardId}`, 10);
  // Each finds the one before it missing, and is told to wait for it.
  for (let shardId = 2; shardId < 20; shardId++) ask(`${shardId}`, 4_000);
  assertEquals(ask("50", 4_000).granted, []);
  assertEquals(ask("50", 8_000).granted, ["50"]);
});

Deno.test("identify schedule: a shard that comes back queues behind those that waited when it had its permit", () => {
  const { ask } = scene({ maxConcurrency: 1, periodMs: 5_000 });
  const order: string[] = [];
  let waiting = ["0:a", "1:a", "7:a"];
  for (let now = 0; order.length < 12; now += 5_000) {
    const [first = ""] = ask(waiting.join(" "), now).granted;
    order.push(`${parseInt(first)}`);
    // 0 and 1 identify in a loop, 7 is content with one turn.
    waiting = waiting.filter((ticket) => ticket !== first);
    if (!first.startsWith("7")) waiting.push(`${first}+`);
  }
  assertEquals(order.slice(0, 5), ["0", "1", "7", "0", "1"]);
  assertEquals(order.filter((id) => id === "0").length, 6);
});

Deno.test("identify schedule: a turn that is kept closes its key until a period after the last word of it", () => {
  const { ask, exchange } = scene({ maxConcurrency: 1, periodMs: 5_000 });
  ask("0", 0);
  exchange({ keep: ["0"] }, 3_000);
  assertEquals(ask("1", 7_999).granted, []);
  exchange({ keep: ["unknown"] }, 7_999);
  assertEquals(ask("1", 8_000).granted, ["1"]);
  exchange({ keep: ["0"] }, 8_000);
  assertEquals(ask("2", 13_000).granted, ["2"], "a turn that is over cannot be kept");
});

Deno.test("identify schedule: a turn that was not used is given back, its place and its budget", () => {
  const { ask, exchange, record } = scene({ maxConcurrency: 1, periodMs: 5_000 });
  ask("0", 0);
  assertEquals([record.remaining, record.resetAt], [999, DAY_MS]);
  exchange({ drop: ["0"] }, 1_000);
  assertEquals([record.remaining, record.resetAt], [1_000, null]);
  assertEquals(ask("1", 1_000).granted, ["1"]);
  exchange({ drop: ["0"] }, 1_000);
  assertEquals(record.remaining, 999, "only once");
});

Deno.test("identify schedule: who gives up leaves the order at once", () => {
  const { ask, exchange } = scene({ maxConcurrency: 1, periodMs: 5_000 });
  ask("0", 0);
  ask("1", 10);
  ask("2", 20);
  exchange({ drop: ["1"] }, 30);
  assertEquals(ask("2", 5_000).granted, ["2"]);
});

Deno.test("identify schedule: a request whose reply was lost may be sent again, and costs once", () => {
  const { ask, record } = scene({ maxConcurrency: 1, periodMs: 5_000 });
  ask("0", 0);
  assertEquals(ask("0", 4_000).granted, ["0"]);
  assertEquals(record.remaining, 999);
  assertEquals(ask("1", 5_000).granted, [], "the identify may have gone out at 4 s");
  assertEquals(ask("1", 9_000).granted, ["1"]);
});

Deno.test("identify schedule: the day of a full budget starts with its first identify", () => {
  const { ask, record } = scene({ total: 2, maxConcurrency: 8 });
  assertEquals([record.remaining, record.resetAt], [2, null]);
  ask("0", 1_000);
  ask("1", 2_000);
  assertEquals([record.remaining, record.resetAt], [0, 1_000 + DAY_MS]);
  const { refused, budget, retryAfterMs } = ask("2 3", 3_000);
  assertEquals([refused, budget.resetAfterMs, retryAfterMs], [["2", "3"], DAY_MS - 2_000, null]);
  assertEquals(ask("2", 999 + DAY_MS).refused, ["2"]);
  assertEquals(ask("2", 1_000 + DAY_MS).granted, ["2"]);
  assertEquals([record.remaining, record.resetAt], [1, 1_000 + 2 * DAY_MS]);
});

Deno.test("identify schedule: a budget in use resets after what Discord says, then a day after its first identify", () => {
  const { ask, record } = scene({ total: 10, remaining: 1, resetAfterMs: 60_000 }, 1_000);
  ask("0", 2_000);
  assertEquals(ask("0:again", 10_000).budget.resetAfterMs, 51_000);
  assertEquals(ask("0:again", 61_000).granted, ["0:again"]);
  assertEquals([record.remaining, record.resetAt], [9, 61_000 + DAY_MS]);
});

Deno.test("identify schedule: a budget in use of which the reset is unknown is kept for a whole day", () => {
  const { ask } = scene({ total: 10, remaining: 0 }, 1_000);
  assertEquals(ask("0", 1_000).budget.resetAfterMs, DAY_MS);
});

Deno.test("identify schedule: new limits apply at once, and what is left out stays", () => {
  const { record } = scene({ total: 10, remaining: 5, resetAfterMs: 60_000 });
  const left = (limits: IdentifyLimits) => {
    applyIdentifyLimits(record, limits, 1_000);
    return [record.remaining, record.resetAt];
  };
  assertEquals(left({ remaining: 3 }), [3, 60_000]);
  assertEquals(left({ total: 2 }), [2, null]);
  assertEquals(left({ remaining: 1, resetAfterMs: 9_000 }), [1, 10_000]);
  assertEquals(left({ total: 20 }), [1, 10_000]);
});

Deno.test("identify schedule: during a day the lower number counts, Discord's or ours", () => {
  const { ask, record } = scene({ maxConcurrency: 8, total: 100 });
  ask("0 1 2", 0);
  const tell = (remaining: number, resetAfterMs: number, total = 100) => {
    applyIdentifyLimits(record, { total, remaining, resetAfterMs }, 1_000);
    return [record.remaining, record.resetAt];
  };
  assertEquals(tell(99, DAY_MS - 2_000), [97, DAY_MS - 1_000], "two of ours are under way");
  assertEquals(tell(50, DAY_MS - 2_000), [50, DAY_MS - 1_000], "another program identifies, too");
  assertEquals(tell(100, 0), [50, DAY_MS - 1_000], "a full budget says nothing of a reset");
  assertEquals(tell(200, DAY_MS - 2_000, 200), [150, DAY_MS - 1_000], "the budget has grown");
  assertEquals(tell(180, DAY_MS + 600_000, 200)[0], 177, "another day, less what is under way");
});

Deno.test("identify schedule: keys go on resting under another max_concurrency", () => {
  const { ask, record } = scene({ maxConcurrency: 1, periodMs: 5_000 });
  ask("5", 0);
  applyIdentifyLimits(record, { maxConcurrency: 4 }, 1_000);
  const { granted, retryAfterMs } = ask("1 2", 1_000);
  assertEquals([granted, retryAfterMs], [["2"], 4_000], "5 and 1 share a key of 4");

  applyIdentifyLimits(record, { maxConcurrency: 1 }, 2_000);
  assertEquals(ask("0", 2_000).retryAfterMs, 4_000, "joined keys rest as long as the later one");
});

Deno.test("identify schedule: where the record that a process knew is lost, all keys rest once, and its count goes on", () => {
  const { exchange, record } = scene({}, 100_000);
  const known = {
    id: "lost",
    maxConcurrency: 2,
    total: 100,
    remaining: 40,
    resetAfterMs: 60_000,
    periodMs: 5_000,
  };
  const ask = [{ ticket: "0", shardId: 0 }];
  const { granted, retryAfterMs } = exchange({ known, ask }, 101_000);
  assertEquals([granted, retryAfterMs], [[], 4_000]);
  assertEquals([record.maxConcurrency, record.remaining, record.resetAt], [2, 40, 161_000]);
  assertEquals(exchange({ known: { ...known, id: "record" }, ask }, 105_000).granted, ["0"]);
});

Deno.test("identify schedule: a clock that was set back makes nobody wait for more than a period", () => {
  const { ask } = scene({ maxConcurrency: 1, periodMs: 5_000 }, 3_600_000);
  ask("0", 3_600_000);
  ask("1", 3_600_010);
  assertEquals(ask("2", 0).retryAfterMs, 5_000);
  assertEquals(ask("2", 10_000).granted, ["2"]);
});

Deno.test("identify schedule: the record stays small, however many wait and come back", () => {
  const { ask, record } = scene({ maxConcurrency: 16, periodMs: 1_000, total: 100_000 });
  const everybody = Array.from({ length: 6_000 }, (_, id) => `${id}`);
  const granted: string[] = [];
  for (let now = 0; granted.length < 6_000; now += 1_000) {
    granted.push(...ask(everybody.slice(granted.length).join(" "), now).granted);
    assert(record.waiting.length <= 512 && record.turns.length <= 16 && record.served.length <= 4_096);
  }
  assertEquals(granted, everybody, "bucket by bucket");
});

Deno.test("identify schedule: reads session_start_limit in Discord's own names", () => {
  assertEquals(
    sessionStartLimit({ total: 1_000, remaining: 999, reset_after: 14_400_000, max_concurrency: 16 }),
    {
      maxConcurrency: 16,
      total: 1_000,
      remaining: 999,
      resetAfterMs: 14_400_000,
    },
  );
});

Deno.test("identify schedule: limits out of range are refused and change nothing", () => {
  for (
    const limits of [
      { maxConcurrency: 0 },
      { maxConcurrency: -1 },
      { maxConcurrency: 1.5 },
      { total: 0 },
      { remaining: -1 },
      { periodMs: NaN },
      { resetAfterMs: -1 },
      // As JSON may bring them: what is left out has a default, `null` has none.
      JSON.parse('{"total":null}'),
      JSON.parse('{"maxConcurrency":null}'),
      JSON.parse('{"remaining":null}'),
      JSON.parse('{"periodMs":"5"}'),
      JSON.parse('{"resetAfterMs":null}'),
    ]
  ) {
    const { record } = scene({ total: 7 });
    const before = structuredClone(record);
    assertThrows(
      () => applyIdentifyLimits(record, { total: 5, ...limits }, 0),
      RangeError,
      "Cannot limit identifies",
    );
    assertEquals(record, before);
  }
});

Deno.test("identify schedule: what is no record is told apart from none", () => {
  assertEquals(readIdentifyRecord(null), null);
  assertEquals(readIdentifyRecord(undefined), null);
  const record = newIdentifyRecord("a", 0);
  assertEquals(readIdentifyRecord(structuredClone(record)), record);
  for (const value of ["text", 1, {}, { ...record, version: 2 }]) {
    assertThrows(() => readIdentifyRecord(value), TypeError, "Cannot read the record of identifies");
  }
});

/** The script for Redis against the rule in TypeScript: the same conversation, the same answers, the same record. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Redis } from "ioredis";
import {
  exchangeIdentifies,
  type IdentifyRecord,
  type IdentifyReply,
  type IdentifyRequest,
  newIdentifyRecord,
} from "../../../ratelimit/mod.ts";
import { RedisIdentifyLimiter } from "../../../ratelimit/identify/redis.ts";
import { IDENTIFY_SCRIPT } from "../../../ratelimit/identify/redis_script.ts";
import { VirtualClock } from "../../fake/mod.ts";
import { assertProperty } from "../../property.ts";
import { RedisServer } from "../../runtimes/redis_server.ts";

const noRedis = await RedisServer.missing();
if (noRedis) console.log(`skipped: ${noRedis}`);

/** The script by a clock of ours. */
const SCRIPT = IDENTIFY_SCRIPT.replace("redis.call('TIME')", "{ ARGV[2], ARGV[3] }");

const tickets = fc.array(fc.nat({ max: 30 }), { maxLength: 4 }).map((ids) => [...new Set(ids)]);
const limits = fc.record({
  maxConcurrency: fc.integer({ min: 1, max: 4 }),
  total: fc.integer({ min: 1, max: 30 }),
  remaining: fc.nat({ max: 30 }),
  resetAfterMs: fc.nat({ max: 100_000 }),
  periodMs: fc.integer({ min: 1, max: 2 }).map((seconds) => seconds * 4_000),
}, { requiredKeys: [] });
const step = fc.record({
  after: fc.oneof(fc.nat({ max: 1_500 }), fc.constantFrom(0, 1_000, 4_000, 8_000, 90_000_000)),
  ask: fc.array(fc.nat({ max: 30 }), { maxLength: 8 }).map((ids) => [...new Set(ids)]),
  keep: tickets,
  drop: tickets,
  isLost: fc.nat({ max: 19 }).map((number) => number === 0),
  limits: fc.option(limits, { freq: 6 }),
});

Deno.test({
  name: "identify script: says what the rule says, whatever is asked in whatever order",
  ignore: noRedis !== null,
  fn: async () => {
    assert(SCRIPT !== IDENTIFY_SCRIPT);
    await using server = await RedisServer.start();
    const redis = new Redis(server.url);
    let conversations = 0;
    let grants = 0;
    try {
      await assertProperty(
        fc.asyncProperty(fc.array(step, { maxLength: 30, size: "max" }), async (steps) => {
          const key = `conversation ${conversations++}`;
          const record = newIdentifyRecord("one@1700000000000", 1_700_000_000_000);
          let known: IdentifyReply["budget"] | null = null;
          let now = record.createdAt;
          for (const step of steps) {
            // The first question makes the record, at the same instant in both.
            if (known !== null) now += step.after;
            const request: IdentifyRequest = {
              client: "one",
              // 31 shards, so that a shard may come with another ticket while its last one is known.
              ask: step.ask.map((number) => ({ ticket: `t${number}`, shardId: number % 23 })),
              keep: step.keep.map((number) => `t${number}`),
              drop: step.drop.map((number) => `t${number}`),
              known: known && { ...known, ...(step.isLost && { id: "another" }) },
              limits: step.limits,
            };
            const expected = exchangeIdentifies(record, request, now);
            const time = [`${Math.floor(now / 1_000)}`, `${now % 1_000 * 1_000}`];
            const answer = await redis.call("EVAL", SCRIPT, "1", key, JSON.stringify(request), ...time);
            assertEquals(answer, asReply(expected));
            assertEquals(tidy(JSON.parse(await redis.get(key) ?? "")), tidy(record));
            known = expected.budget;
            grants += expected.granted.length;
          }
        }),
        { numRuns: 150 },
      );
      assert(grants > 1_000, `the conversations are about something: ${grants} turns`);
    } finally {
      redis.disconnect();
    }
  },
});

Deno.test({
  name: "identify script: goes by the server's own clock, runs by its hash, and expires after two days",
  ignore: noRedis !== null,
  fn: async () => {
    await using server = await RedisServer.start();
    const redis = new Redis(server.url);
    const commands: string[] = [];
    try {
      const limiter = new RedisIdentifyLimiter((...command) => {
        commands.push(command[0] ?? "");
        return redis.call(...command as [string, ...string[]]);
        // By the clock of the machine a reply could be slow, and something more to say.
      }, { key: "a bot", maxConcurrency: 4, clock: new VirtualClock() });
      await limiter.take(0);
      await limiter.take(1);
      assertEquals(commands, ["EVALSHA", "EVAL", "EVALSHA"]);
      const [seconds] = await redis.time();
      const record: IdentifyRecord = JSON.parse(await redis.get("a bot") ?? "");
      assert(Math.abs(Number(seconds) * 1_000 - record.createdAt) < 60_000);
      assertEquals([record.remaining, record.turns.length], [998, 2]);
      const left = await redis.pttl("a bot");
      assert(left > 172_700_000 && left <= 172_800_000, `${left} ms`);
    } finally {
      redis.disconnect();
    }
  },
});

function asReply({ granted, refused, retryAfterMs, budget }: IdentifyReply): unknown[] {
  return [
    [...granted],
    [...refused],
    Math.ceil(retryAfterMs ?? -1),
    budget.id,
    budget.maxConcurrency,
    budget.total,
    budget.remaining,
    budget.resetAfterMs ?? -1,
    budget.periodMs,
  ];
}

/** Lua writes an empty list as an empty object. */
function tidy(record: IdentifyRecord): unknown {
  const { turns, waiting, served, ...rest } = record;
  return {
    ...rest,
    turns: [...Object.values(turns)],
    waiting: [...Object.values(waiting)],
    served: [...Object.values(served)],
  };
}

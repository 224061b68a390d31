/** The contract of identify limiters, on a real Redis, and each of the usual clients. */

import { assertEquals, assertRejects } from "@std/assert";
import { Redis } from "ioredis";
import { createClient } from "redis";
import { IdentifyLimiterError } from "../../ratelimit/mod.ts";
import { type RedisClient, RedisIdentifyLimiter } from "../../ratelimit/identify/redis.ts";
import { identifyContract } from "../ratelimit/identify/contract.ts";
import { RedisServer } from "../runtimes/redis_server.ts";

const missing = await RedisServer.missing();

identifyContract("Redis", async () => {
  const server = await RedisServer.start();
  const client = new Redis(server.url);
  return {
    limiter: (options) => new RedisIdentifyLimiter(client, options),
    [Symbol.asyncDispose]: async () => {
      client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}, { missing });

/** The two from npm as they are, and what has the shape of Deno's, of Upstash's and of Bun's. */
const CLIENTS: Readonly<
  Record<string, (io: Redis, node: Awaited<ReturnType<typeof nodeRedis>>) => RedisClient>
> = {
  "ioredis": (io) => io,
  "node-redis": (_io, node) => node,
  "of the shape of Deno's and Upstash's": (io) => ({
    eval: (script, keys, args) => io.call("EVAL", script, `${keys.length}`, ...keys, ...args),
    evalsha: (sha1, keys, args) => io.call("EVALSHA", sha1, `${keys.length}`, ...keys, ...args),
  }),
  "a function": (_io, node) => (...command) => node.sendCommand(command),
};

for (const [name, pick] of Object.entries(CLIENTS)) {
  Deno.test({
    name: `identify limiter in Redis: the client may be ${name}`,
    ignore: missing !== null,
    fn: async () => {
      await using server = await RedisServer.start();
      const io = new Redis(server.url);
      const node = await nodeRedis(server.url);
      try {
        const limiter = new RedisIdentifyLimiter(pick(io, node), { maxConcurrency: 2, periodMs: 300 });
        const order: number[] = [];
        await Promise.all([3, 2, 1, 0].map(async (shardId) => {
          await limiter.take(shardId);
          order.push(shardId);
        }));
        assertEquals(order, [0, 1, 2, 3]);
        await io.set("another key", "no record");
        const other = new RedisIdentifyLimiter(pick(io, node), { key: "another key" });
        const error = await assertRejects(() => other.take(0), IdentifyLimiterError);
        assertEquals(
          `${error.cause}`.includes("Cannot read the record of identifies"),
          true,
          `${error.cause}`,
        );
      } finally {
        io.disconnect();
        node.destroy();
      }
    },
  });
}

async function nodeRedis(url: string) {
  return await createClient({ url }).connect();
}

/** The contract of identify limiters, on a real Redis, by each of the usual clients. */

import { Redis } from "ioredis";
import { createClient } from "redis";
import { type RedisClient, RedisIdentifyLimiter } from "../../ratelimit/identify_redis.ts";
import { identifyContract } from "../ratelimit/identify_contract.ts";
import { RedisServer } from "../runtimes/redis_server.ts";

/** A client, and how it is let go of. */
type Connect = (url: string) => Promise<readonly [client: RedisClient, disconnect: () => void]>;

/** The two from npm as they are; their other shapes are what Deno's, Upstash's and Bun's clients look like. */
const CLIENTS: Readonly<Record<string, Connect>> = {
  "ioredis": (url) => {
    const client = new Redis(url);
    return Promise.resolve([client, () => client.disconnect()]);
  },
  "node-redis": async (url) => {
    const client = await createClient({ url }).connect();
    return [client, () => client.destroy()];
  },
};

/** So many of the suite's tests for a client would be too many: one is enough for each other shape. */
const missing = await RedisServer.missing();

for (const [name, connect] of Object.entries(CLIENTS)) {
  identifyContract(`Redis, by ${name}`, async () => {
    const server = await RedisServer.start();
    const [client, disconnect] = await connect(server.url);
    return {
      limiter: (options) => new RedisIdentifyLimiter(client, options),
      [Symbol.asyncDispose]: async () => {
        disconnect();
        await server[Symbol.asyncDispose]();
      },
    };
  }, { missing });
}

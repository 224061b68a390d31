/** An identify limiter whose store is out of reach: the shard says so, backs off, and never identifies without a permit. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { IdentifyLimiterError, Shard, type ShardDisconnected, systemPlatform } from "../../mod.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { RedisServer } from "../runtimes/redis_server.ts";
import { BotProcess } from "./bot_process.ts";
import { type Backend, connectLimiter } from "./identify_backends.ts";
import { until } from "./until.ts";

const missingRedis = await RedisServer.missing();
if (missingRedis) console.log(`skipped: an outage of Redis: ${missingRedis}`);

Deno.test({
  name: "identify limiter in Redis: a server that dies is told of, and nobody identifies until it is back",
  ignore: missingRedis !== null,
  fn: async () => {
    await using server = await RedisServer.start();
    await playOutage("Redis", server.url, {
      begin: () => server.kill(),
      // Everything that it knew is gone.
      end: () => server.restart(),
    });
  },
});

Deno.test("identify limiter in Deno KV: a file that is locked is told of, and nobody identifies until it is free", async () => {
  const folder = await Deno.makeTempDir();
  let lock: BotProcess | null = null;
  try {
    await playOutage("Deno KV", `${folder}/kv`, {
      begin: async () => {
        lock = new BotProcess("locking_process.ts", {}, [`${folder}/kv`]);
        await lock.printed("locked");
      },
      end: async () => {
        lock?.kill("SIGKILL");
        await lock?.ended;
      },
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Two shards of one key: the first is live, the second waits for its permit when the store goes. */
async function playOutage(
  backend: Backend,
  address: string,
  outage: { begin(): Promise<void>; end(): Promise<void> },
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const discord = stack.use(new FakeDiscord({ identifyPeriod: 2_000 }));
  const { gatewayUrl } = await discord.listen();
  const limits = { periodMs: 3_000, deadlineMs: 500 };
  const { limiter } = stack.use(await connectLimiter({ backend, address, limits }));
  const told: ShardDisconnected[] = [];
  const start = (id: number) => {
    const shard = new Shard({
      token: discord.token,
      url: gatewayUrl,
      shard: [id, 2],
      intents: 0,
      // Short waits, and none in a tight loop.
      platform: { ...systemPlatform, random: () => 0.2 },
      identifyLimiter: limiter,
      onStatus: (status) => {
        if (status.state === "disconnected") told.push(status);
      },
    });
    const running = shard.run(() => {});
    stack.defer(async () => {
      await shard.close();
      await running;
    });
    return shard;
  };

  const first = start(0);
  await until("the first shard is live", () => first.status.state === "live");
  const second = start(1);
  await until("the second waits", () => second.status.state === "awaiting_permit");
  await outage.begin();
  await until("the second has tried again and again", () => told.length >= 3);
  assertEquals(discord.journal.identifies().length, 1, "nobody identifies without a permit");
  assertEquals(first.status.state, "live", "a session that lives needs no limiter");
  for (const { cause, why, error, action, delayMs } of told) {
    assertEquals([cause, why, action], [
      "identify_limiter_failed",
      "The identify limiter could not be asked",
      "identify",
    ]);
    assertInstanceOf(error, IdentifyLimiterError);
    assertEquals([error.code, error.shardId], ["ERR_IDENTIFY_LIMITER", 1]);
    assertInstanceOf(error.cause, Error);
    assert(delayMs > 0, "it backs off");
  }

  await outage.end();
  await until("the second shard is live", () => second.status.state === "live");
  assertEquals(discord.journal.identifies().length, 2);
  assertEquals(discord.journal.violations(), []);
  // What was asked during the outage may still be carried out, and is given back.
  await limiter.update({});
}

/**
 * Several processes of a bot, one identify limiter, and neither Redis nor Deno KV nor Durable Objects at hand: one
 * process keeps the limiter in memory and lends it out over HTTP.
 *
 * The two functions are all there is to it, to be copied. The rest plays the story: three bots with four shards each
 * start against a fake Discord that lets two shards identify at once, and one of them dies while it waits.
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type IdentifyLimiter,
  IdentifyRefusedError,
  MemoryIdentifyLimiter,
  Shard,
  systemPlatform,
} from "@discordgateway/edge";
import { FakeDiscord } from "@discordgateway/edge/testing";

/** The one process: answers when it is the shard's turn. A caller that hangs up gives its place away. */
function lend(limiter: MemoryIdentifyLimiter): Server {
  return createServer(async (request, response) => {
    const hungUp = new AbortController();
    response.once("close", () => hungUp.abort());
    try {
      await limiter.take(Number(request.url?.slice(1)), { signal: hungUp.signal });
      response.writeHead(204).end();
    } catch (error) {
      const refused = error instanceof IdentifyRefusedError;
      response.writeHead(refused ? 429 : 500).end(refused ? `${error.resetAfterMs}` : `${error}`);
    }
  });
}

/** The others: what each shard takes as its `identifyLimiter`. */
function borrow(url: string): IdentifyLimiter {
  return {
    async take(shardId, { signal } = {}) {
      const response = await fetch(`${url}/${shardId}`, { ...(signal && { signal }) });
      const text = await response.text();
      if (response.status === 429) throw new IdentifyRefusedError(shardId, { resetAfterMs: Number(text) });
      if (response.status !== 204) throw new Error(`Cannot borrow a turn: ${response.status}: ${text}`);
      return true;
    },
  };
}

await play();

async function play(): Promise<void> {
  // Half a second instead of five, so that the story is short.
  const discord = new FakeDiscord({ shards: 12, maxConcurrency: 2, identifyPeriod: 500 });
  const { api } = await discord.listen();
  const server = lend(
    new MemoryIdentifyLimiter({ clock: systemPlatform, maxConcurrency: 2, total: 1_000, periodMs: 750 }),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  console.log(`one limiter at ${url}, a fake Discord at ${api}: two shards may identify at once`);

  const startedAt = performance.now();
  const bots = ["red", "green", "blue"].map((name, number) =>
    [0, 1, 2, 3].map((index) => {
      const id = number * 4 + index;
      const shard = new Shard({
        token: discord.token,
        api,
        shard: [id, 12],
        intents: 0,
        identifyLimiter: borrow(url),
        onStatus: ({ state }) => {
          const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
          if (state === "identifying") console.log(`${seconds} s: ${name} identifies shard ${id}`);
        },
      });
      return { shard, stopped: shard.run(() => {}) };
    })
  );
  const [red = [], green = [], blue = []] = bots;
  const areLive = (bot: typeof red) => bot.every(({ shard }) => shard.status.state === "live");
  await until(() => areLive(red));
  console.log("green gives up while it waits");
  for (const { shard } of green) await shard.close();
  await until(() => areLive(blue));

  const identifies = discord.journal.identifies().length;
  const broken = discord.journal.violations().length;
  console.log(`all of red and blue are live after ${identifies} identifies, with ${broken} broken rules`);
  for (const { shard, stopped } of bots.flat()) {
    await shard.close();
    await stopped;
  }
  await discord.close();
  server.closeAllConnections();
  server.close();
  if (broken > 0 || identifies < 8) throw new Error("The limiter let somebody in too early, or not at all");
}

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3_000; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("The story got stuck: shards did not go live within thirty seconds");
}

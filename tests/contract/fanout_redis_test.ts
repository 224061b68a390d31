/** The fan-out example under fire: gateways and consumers are killed in the middle of a flood, and nothing is lost. */

import { assert, assertEquals } from "@std/assert";
import { createClient } from "@redis/client";
import { FakeDiscord } from "../fake/mod.ts";
import { RedisServer } from "../runtimes/redis_server.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

const COUNT = 100_000;
const EXAMPLE = "../../../examples/fanout_redis.ts";
const STREAM = "{fanout-test}:events";
const POSITION = "{fanout-test}:position";

const noRedis = await RedisServer.missing();
if (noRedis) console.log(`skipped: fan-out: ${noRedis}`);

/** The example's world: a Discord and a Redis. */
async function openWorld() {
  const server = await RedisServer.start();
  const discord = new FakeDiscord();
  const { api } = await discord.listen();
  const redis = createClient({ url: server.url, socket: { reconnectStrategy: false } });
  redis.on("error", () => {});
  await redis.connect();
  const environment = {
    DISCORD_TOKEN: discord.token,
    DISCORD_API: api,
    REDIS_URL: server.url,
    FANOUT_KEY: "fanout-test",
  };
  return {
    discord,
    redis,
    environment,
    start: (...args: string[]) => new BotProcess(EXAMPLE, environment, args),
    [Symbol.asyncDispose]: async () => {
      await redis.close();
      await discord.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** The numbers of the messages that a consumer has handled. */
function handledBy({ lines }: BotProcess): number[] {
  return lines.flatMap((line) => {
    const number = /^handled MESSAGE_CREATE \d+: (\d+) /.exec(line)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** What the client leaves untyped. */
interface Entry {
  readonly id: string;
  readonly message: Record<string, string>;
}

/** What is in the stream, as names of events or texts of messages. */
async function inStream({ redis }: World): Promise<string[]> {
  const entries = await redis.xRange(STREAM, "-", "+") ?? [];
  return entries.map(({ message }) => {
    const { t, d } = JSON.parse(message.event ?? "");
    return t === "MESSAGE_CREATE" ? d.content : t;
  });
}

/** Another group on the same stream: reads everything in order, whoever dies meanwhile. */
async function audit({ redis }: World, seen: { t: string; s: number | null; content: number }[]) {
  const reader = redis.duplicate();
  reader.on("error", () => {});
  await reader.connect();
  await reader.xGroupCreate(STREAM, "audit", "0", { MKSTREAM: true });
  while (seen.at(-1)?.content !== COUNT) {
    const fresh = { key: STREAM, id: ">" };
    const streams = await reader.xReadGroup("audit", "auditor", fresh, { COUNT: 1_000, BLOCK: 120_000 });
    const entries: Entry[] = streams?.[0]?.messages ?? [];
    if (entries.length === 0) break;
    for (const { message } of entries) {
      const { t, s, d } = JSON.parse(message.event ?? "");
      seen.push({ t, s, content: parseInt(d.content) });
    }
    await reader.xAck(STREAM, "audit", entries.map(({ id }) => id));
    // In bigger bites: an auditor who wakes up for each event takes the time of those whom he audits.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await reader.close();
}

/** Stops the consumer while it has something in hand, and kills it. Returns how much that was. */
async function killInTheMiddle({ redis }: World, consumer: BotProcess, name: string): Promise<number> {
  for (let tries = 0; tries < 200; tries++) {
    consumer.kill("SIGSTOP");
    const consumers = await redis.xInfoConsumers(STREAM, "workers");
    const inHand = consumers.find((one) => one.name === name)?.pending ?? 0;
    if (inHand > 0) {
      consumer.kill("SIGKILL");
      await consumer.ended;
      return inHand;
    }
    consumer.kill("SIGCONT");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`${name} never has anything in hand`);
}

/** As `until`, for what has to be asked for. */
async function eventually(what: string, condition: () => Promise<boolean>): Promise<void> {
  const giveUpAt = performance.now() + 120_000;
  while (!await condition()) {
    if (performance.now() > giveUpAt) throw new Error(`Nothing came of it: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

Deno.test({
  name: "fan-out: 100,000 events, two gateways and two consumers killed: all arrive, in the stream once each",
  ignore: noRedis !== null,
  fn: async () => {
    await using world = await openWorld();
    const { discord, redis, start } = world;
    const seen: { t: string; s: number | null; content: number }[] = [];
    const audited = audit(world, seen);
    audited.catch(() => {}); // Heard of below; if the test fails before, that is what counts.
    /** However slow the machine is: nothing at all for half a minute is a failure. */
    const seenMoreThan = async (count: number) => {
      for (let last = 0; seen.length <= count; last = seen.length) {
        await until("more events in Redis", () => seen.length > last);
      }
    };

    await using anna = start("consumer", "anna");
    await using ben = start("consumer", "ben");
    await using first = start("gateway");
    await until("READY", () => discord.sessions.length === 1);
    discord.flood(COUNT);

    await seenMoreThan(COUNT / 8);
    const inHand = [await killInTheMiddle(world, ben, "ben")];
    await seenMoreThan(COUNT / 4);
    first.kill();
    await first.ended;
    await using second = start("gateway");
    await seenMoreThan(COUNT / 2);
    inHand.push(await killInTheMiddle(world, anna, "anna"));
    await using carl = start("consumer", "carl");
    await using dora = start("consumer", "dora");
    await seenMoreThan(COUNT * 3 / 4);
    second.kill();
    await second.ended;
    assert(seen.length < COUNT, "the flood was over before the last kill");
    await using third = start("gateway");

    await audited;
    // The consumers remove what every group has acknowledged: all but the last entry.
    await eventually("everything is acknowledged and removed", async () => {
      const groups = await redis.xInfoGroups(STREAM);
      return groups.every(({ pending, lag }) => pending === 0 && lag === 0) && await redis.xLen(STREAM) === 1;
    });
    for (const one of [third, carl, dora]) one.kill("SIGTERM");
    for (const one of [third, carl, dora]) assertEquals((await one.ended).code, 0, one.stderr);
    for (const one of [first, second, third, anna, ben, carl, dora]) assertEquals(one.stderr, "");

    // In the stream: READY and each message, once, in order.
    assertEquals(seen.shift()?.t, "READY");
    assertEquals(seen.length, COUNT);
    assertEquals(
      seen.findIndex(({ t, content }, index) => t !== "MESSAGE_CREATE" || content !== index + 1),
      -1,
    );

    // At the consumers: each message at least once; again came at most what the dead had in hand.
    const handled = [anna, ben, carl, dora].map(handledBy);
    const all = handled.flat();
    assertEquals(new Set(all).size, COUNT);
    const again = all.length - COUNT;
    const mayComeAgain = inHand.reduce((sum, count) => sum + count, 0);
    assert(again <= mayComeAgain, `${again} came again, ${mayComeAgain} were in hand`);
    for (const numbers of handled) assert(numbers.length > 0, "a consumer had nothing to do");

    // At Discord: one session. Besides the two new runs, a gateway resumes when Redis cannot keep up with the flood.
    const resumes = discord.journal.resumes().length;
    assertEquals(discord.journal.identifies().length, 1);
    assert(resumes >= 2, `${resumes}`);
    assertEquals(discord.journal.violations(), []);
    const { session } = JSON.parse(await redis.get(POSITION) ?? "");
    assertEquals(session.sequence, seen.at(-1)?.s);
    console.log(
      `${COUNT} written, ${seen.length} in the stream, ${
        handled.map((numbers) => numbers.length).join(" + ")
      } ` +
        `handled by anna, ben, carl and dora; ${
          inHand.join(" and ")
        } were in dead hands, ${again} came again; 1 identify, ${resumes} resumes`,
    );
  },
});

Deno.test({
  name: "fan-out: a session that Discord has dropped is a SESSION_GAP in the stream, once",
  ignore: noRedis !== null,
  fn: async () => {
    await using world = await openWorld();
    const { discord, start } = world;
    await using first = start("gateway");
    await until("READY", () => discord.sessions.length === 1);
    discord.sendMessage({ content: "before" });
    await eventually("the message is written", async () => (await inStream(world)).length === 2);
    first.kill();
    await first.ended;
    discord.expireSessions();
    discord.sendMessage({ content: "lost" });

    await using second = start("gateway");
    await eventually("the new session", async () => (await inStream(world)).length === 4);
    second.kill();
    await second.ended;
    discord.sendMessage({ content: "after" });

    await using third = start("gateway");
    await eventually("the rest", async () => (await inStream(world)).length === 5);
    third.kill("SIGTERM");
    assertEquals((await third.ended).code, 0, third.stderr);
    assertEquals(await inStream(world), ["READY", "before", "SESSION_GAP", "READY", "after"]);
    const changes = discord.journal.of("session").map(({ change }) => change);
    const taken = changes.filter((change) => change === "started" || change === "resumed");
    assertEquals(taken, ["started", "started", "resumed"]);
  },
});

Deno.test({
  name: "fan-out: a gateway that wakes up after another has taken over writes nothing more, and ends",
  ignore: noRedis !== null,
  fn: async () => {
    await using world = await openWorld();
    const { discord, start } = world;
    await using sleeper = start("gateway");
    await until("READY", () => discord.sessions.length === 1);
    discord.sendMessage({ content: "one" });
    await eventually("one is written", async () => (await inStream(world)).length === 2);
    sleeper.kill("SIGSTOP");
    discord.sendMessage({ content: "two" });

    await using successor = start("gateway");
    await eventually("two is written", async () => (await inStream(world)).length === 3);
    sleeper.kill("SIGCONT");
    discord.sendMessage({ content: "three" });
    assertEquals((await sleeper.ended).code, 1);
    assert(sleeper.stderr.includes("MOVED_ON"), sleeper.stderr);
    await eventually("three is written", async () => (await inStream(world)).length === 4);
    assertEquals(await inStream(world), ["READY", "one", "two", "three"]);
    assertEquals(successor.end, null);
  },
});

Deno.test({
  name: "fan-out: a gateway and a consumer that lose Redis end with an error, and go on when started again",
  ignore: noRedis !== null,
  fn: async () => {
    await using world = await openWorld();
    const { discord, redis, start } = world;
    await using gateway = start("gateway");
    await using consumer = start("consumer", "anna");
    await until("READY is handled", () => consumer.lines.length === 1);
    await redis.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    discord.flood(50);
    for (const one of [gateway, consumer]) assertEquals((await one.ended).code, 1, one.stderr);

    await using gatewayAgain = start("gateway");
    await using consumerAgain = start("consumer", "anna");
    await until("all are handled", () => consumerAgain.lines.length === 50);
    const numbers = Array.from({ length: 50 }, (_, index) => index + 1);
    assertEquals(handledBy(consumerAgain), numbers);
    for (const one of [gatewayAgain, consumerAgain]) {
      one.kill("SIGTERM");
      assertEquals((await one.ended).code, 0, one.stderr);
    }
    assertEquals(discord.journal.identifies().length, 1);
  },
});

Deno.test({
  name: "fan-out: the token is neither in Redis nor in what the programs print [case 37]",
  ignore: noRedis !== null,
  fn: async () => {
    await using world = await openWorld();
    const { discord, redis, environment, start } = world;
    await using stranger = new FakeDiscord({ token: "another token" });
    const { api } = await stranger.listen();
    const elsewhere = { ...environment, DISCORD_API: api, FANOUT_KEY: "refused" };
    await using refused = new BotProcess(EXAMPLE, elsewhere, ["gateway"]);
    await using gateway = start("gateway");
    await using consumer = start("consumer", "anna");
    await until("READY", () => discord.sessions.length === 1);
    discord.sendMessage({ content: "hello" });
    await until("both are handled", () => consumer.lines.length === 2);
    assertEquals((await refused.ended).code, 1);
    assert(refused.stderr.includes("401"), refused.stderr);

    const entries = JSON.stringify(await redis.xRange(STREAM, "-", "+"));
    assert(entries.includes("hello"));
    const printed = [gateway, consumer, refused].flatMap(({ lines, stderr }) => [...lines, stderr]);
    for (const text of [entries, await redis.get(POSITION), ...printed]) {
      assert(text !== null && !text.includes(discord.token), `${text}`);
    }
  },
});

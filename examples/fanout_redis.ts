/**
 * A gateway process that writes every event into a Redis stream, and consumers that share the work. Kill any of them at any
 * time: nothing is lost.
 *
 * `fanout_redis.ts gateway` and `fanout_redis.ts consumer NAME` are the two programs; they take DISCORD_TOKEN and
 * REDIS_URL. Without an argument it is the director, who plays both against a fake Discord, on a Redis of his own.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createClient } from "@redis/client";
import { GatewayIntent, parseSessionRecord, type SessionRecord, Shard } from "@discordgateway/edge";

/** One of each per shard. The braces keep both on one node of a Redis cluster. */
const KEY = process.env.FANOUT_KEY ?? "discord:0";
const STREAM = `{${KEY}}:events`;
const POSITION = `{${KEY}}:position`;
const GROUP = "workers";
const BATCH = 100;
/** Longer than a batch may take: after this a consumer counts as dead, and its batch goes to another. */
const DEAD_AFTER_MS = 3_000;

/** Adds an event and moves the position in one step, if the position is still where this gateway left it. */
const APPEND = `
  if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then
    return redis.error_reply('MOVED_ON another gateway has written to this stream')
  end
  redis.call('SET', KEYS[2], ARGV[2])
  return redis.call('XADD', KEYS[1], '*', 'event', ARGV[3])`;

const [role, name = "consumer"] = process.argv.slice(2);
if (role === "gateway") await gateway(process.env.DISCORD_TOKEN ?? "");
else if (role === "consumer") await consumer(name);
else await direct();

// The gateway's program.

async function gateway(token: string): Promise<void> {
  const redis = await connect();
  let position = await redis.get(POSITION) ?? "";
  const shard = new Shard({
    token,
    session: sessionIn(position),
    guildEvents: ["MESSAGE_CREATE"],
    events: ["READY"],
    intents: GatewayIntent.MESSAGE_CONTENT,
  });
  process.once("SIGTERM", () => shard.close({ keepSession: true }));

  // The next event is pulled when this one is written: until Redis has it, it is not handled.
  await shard.events.pipeTo(
    new WritableStream({
      async write(event) {
        // The shard's record ends before the event in hand; Redis is to hold the one that ends with it.
        const next = JSON.stringify(
          event.t === "SESSION_GAP"
            ? { lost: event.d.sessionId }
            : { session: { ...shard.session, sequence: event.s } },
        );
        await redis.eval(APPEND, {
          keys: [STREAM, POSITION],
          arguments: [position, next, JSON.stringify(event)],
        });
        position = next;
      },
    }),
  );
  await redis.close();
}

/** After a lost session there is none: the next gateway starts a new one. */
function sessionIn(position: string): SessionRecord | null {
  if (position === "") return null;
  const { session = null } = JSON.parse(position);
  return session && parseSessionRecord(session);
}

// The consumer's program.

async function consumer(name: string): Promise<void> {
  const redis = await connect();
  let stopped = false;
  process.once("SIGTERM", () => stopped = true);
  await redis.xGroupCreate(STREAM, GROUP, "0", { MKSTREAM: true }).catch((error: Error) => {
    if (!error.message.startsWith("BUSYGROUP")) throw error;
  });
  let lookedAt = 0;
  while (!stopped) {
    // Once a second: has a dead consumer left something, and what is everybody done with?
    const look = Date.now() - lookedAt > 1_000;
    let batch = look ? await leftBehind(redis, name) : [];
    if (look) await trim(redis);
    if (batch.length === 0) {
      if (look) lookedAt = Date.now();
      const fresh = { key: STREAM, id: ">" };
      const streams = await redis.xReadGroup(GROUP, name, fresh, { COUNT: BATCH, BLOCK: 1_000 });
      batch = streams?.[0]?.messages ?? [];
    }
    for (const { message } of batch) await handle(JSON.parse(message.event ?? ""));
    // Killed before this line, the batch comes again, here or elsewhere.
    if (batch.length > 0) await redis.xAck(STREAM, GROUP, batch.map(({ id }) => id));
  }
  await redis.close();
}

async function leftBehind(redis: Redis, name: string) {
  const { messages } = await redis.xAutoClaim(STREAM, GROUP, name, DEAD_AFTER_MS, "0", { COUNT: BATCH });
  return messages.filter((entry) => entry !== null);
}

/** Whatever is to be done with an event. It may come twice. */
function handle(event: { t: string; s: number | null; d: { content?: string } }): void | Promise<void> {
  console.log(`handled ${event.t} ${event.s}: ${event.d.content?.slice(0, 20) ?? ""}`);
}

/** Removes what every group has acknowledged. A bound by length would also remove what nobody has read yet. */
async function trim(redis: Redis): Promise<void> {
  const done = await Promise.all((await redis.xInfoGroups(STREAM)).map(async (group) => {
    const { firstId } = await redis.xPending(STREAM, group.name);
    return firstId ?? group["last-delivered-id"];
  }));
  const [oldest] = done.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  if (oldest) await redis.xTrim(STREAM, "MINID", oldest);
}

// Both.

type Redis = Awaited<ReturnType<typeof connect>>;

/** Without Redis neither program can do anything: it ends, and whoever watches over it starts it again. */
async function connect(url = process.env.REDIS_URL ?? "redis://127.0.0.1:6379") {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on("error", () => {}); // The command that was under way rejects with it.
  return await client.connect();
}

// The director's story.

async function direct(): Promise<void> {
  const MESSAGES = 3_000;
  const server = process.env.REDIS_URL ? null : await startRedis();
  const url = process.env.REDIS_URL ?? server?.url;
  if (!url) {
    return console.log("[director] no redis-server on this machine, and no REDIS_URL: nothing to show");
  }
  const redis = await connect(url);
  const { FakeDiscord } = await import("@discordgateway/edge/testing");
  const discord = new FakeDiscord();
  const { api } = await discord.listen();
  const key = `fanout-story-${process.pid}`;
  console.log(`[director] a fake Discord plays on ${api}; Redis is at ${url}`);

  const handled = new Map<string, number>();
  const start = (...args: string[]) => {
    const flags = "Deno" in globalThis ? ["run", "--allow-net", "--allow-env"] : [];
    const child = spawn(process.execPath, [...flags, fileURLToPath(import.meta.url), ...args], {
      env: {
        ...process.env,
        DISCORD_TOKEN: discord.token,
        DISCORD_API: api,
        REDIS_URL: url,
        FANOUT_KEY: key,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: child.stdout }).on("line", (line) => {
      const content = /^handled MESSAGE_CREATE \d+: (.*)/.exec(line)?.[1];
      if (content) handled.set(content, (handled.get(content) ?? 0) + 1);
    });
    endWithUs(child);
    const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
    console.log(`[director] starts ${args.join(" ")}`);
    return async (signal: "SIGKILL" | "SIGTERM") => {
      console.log(`[director] ${signal === "SIGKILL" ? "kills" : "stops"} ${args.join(" ")}`);
      child.kill(signal);
      await gone;
    };
  };

  let endGateway = start("gateway");
  const [endAnna, endBen] = [start("consumer", "anna"), start("consumer", "ben")];
  await until("READY", () => discord.connections.some((connection) => connection.session));
  console.log(`[director] members write ${MESSAGES} messages, without a pause`);
  let written = 0;
  const writing = setInterval(() => {
    for (let burst = 0; burst < 5 && written < MESSAGES; burst++) {
      discord.sendMessage({ content: `message ${++written}` });
    }
  }, 2);
  await until("some messages are handled", () => handled.size > 500);
  await endBen("SIGKILL");
  const endCarl = start("consumer", "carl");
  await until("more messages are handled", () => handled.size > 1_000);
  await endGateway("SIGKILL");
  endGateway = start("gateway");
  await until("all messages are handled", () => handled.size === MESSAGES);
  clearInterval(writing);
  for (const end of [endGateway, endAnna, endCarl]) await end("SIGTERM");

  const twice = [...handled.values()].filter((count) => count > 1).length;
  const [identifies, resumes] = [discord.journal.identifies().length, discord.journal.resumes().length];
  const broken = discord.journal.violations().length;
  console.log(`[director] of ${written} messages ${handled.size} were handled, ${twice} of them twice`);
  console.log(`[director] ${identifies} identify, ${resumes} resume, ${broken} broken rules`);
  await redis.del([`{${key}}:events`, `{${key}}:position`]);
  await redis.close();
  server?.stop();
  await discord.close();
  if (identifies !== 1 || broken > 0) throw new Error("The gateway did not resume");
}

/** Starts one with nothing in it, on a free port; `null` where the program is missing. */
async function startRedis(): Promise<{ url: string; stop(): void } | null> {
  const port = await new Promise<number>((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
  const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"];
  const child = spawn("redis-server", args, { stdio: "ignore" });
  endWithUs(child);
  const missing = await new Promise<boolean>((resolve) => {
    child.once("spawn", () => resolve(false));
    child.once("error", () => resolve(true));
  });
  if (missing) return null;
  const url = `redis://127.0.0.1:${port}`;
  let answers = false;
  await until("Redis answers", () => {
    if (!answers) connect(url).then((redis) => redis.close()).then(() => answers = true, () => {});
    return answers;
  });
  return { url, stop: () => void child.kill() };
}

/** A story that gets stuck leaves nobody behind. */
function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3_000; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`The story got stuck: ${what} did not happen within thirty seconds`);
}

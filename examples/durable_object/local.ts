/**
 * The whole bot on this machine: the Worker in workerd, a fake Discord, and a story of typical failures.
 *
 * In a terminal it runs until Ctrl-C, so that you can open the status page; elsewhere it ends after the story.
 */

import process from "node:process";
import type { FleetHostStatus } from "@discordgateway/edge/durable-object";
import { FakeDiscord } from "@discordgateway/edge/testing";
import { LocalWorker } from "./local_worker.ts";

/** One guild per shard of the final set: the guild's id determines its shard. */
const GUILDS = Array.from({ length: 8 }, (_, shard) => ({
  id: `${BigInt(250_000_000_000 + shard) << 22n}`,
  channels: Array.from({ length: 32 }, (_, place) => `room-${place}`),
}));
const secret = crypto.randomUUID();
const tell = (line: string) => console.log(`[story] ${line}`);

const discord = new FakeDiscord({ shards: 4, maxConcurrency: 16, heartbeatInterval: 2_000, guilds: GUILDS });
const { journal } = discord;
const { api } = await discord.listen();
const worker = await LocalWorker.start({
  DISCORD_TOKEN: discord.token,
  CONTROL_SECRET: secret,
  DISCORD_API: api,
  // Shorter than in a deployment, where each alarm costs money.
  ALARM_EVERY_MS: "2000",
  OVERLAP_MS: "1000",
});
// A story that is interrupted also cleans up.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void end(0));
console.log(`[local] the fake Discord listens on ${api}`);
console.log(`[local] the Worker runs in workerd on ${worker.url.origin}`);
console.log(`[local] the status page, signed in: ${worker.url}#${secret}`);

const pinged = new Set<string>();
let written = 0;
let writing: ReturnType<typeof setInterval> | undefined;
try {
  await play();
  if (process.stdout.isTTY) console.log(`[local] Ctrl-C ends it; until then: ${worker.url}#${secret}`);
  else await end(0);
} catch (error) {
  console.error(error);
  await end(1);
}

async function play(): Promise<void> {
  const refused = await fetch(new URL("start", worker.url), { method: "POST" });
  await refused.body?.cancel();
  tell(`a start without the secret is rejected with status ${refused.status}`);

  await order("start", {});
  await until("four shards are live", () => discord.sessions.length === 4);
  tell(
    "with the secret: the coordinator has asked how many shards Discord recommends, and four shards are live",
  );
  writing = setInterval(write, 100);
  await until("!ping is answered", () => answered(pinged).length > 0);
  tell("members write all the time, one in five messages is a !ping; the first pong has arrived");

  const shard2 = discord.connections.find(({ shard }) => shard?.[0] === 2);
  shard2?.drop();
  await until("shard 2 resumes", () => journal.resumes().length === 1);
  tell("the connection of shard 2 is cut; it resumes");

  await worker.kill();
  await until("nobody is connected", () => discord.connections.length === 0);
  tell("workerd is killed; members continue to write");
  await worker.boot();
  await until("all four resume", () => journal.resumes().length === 5);
  tell("workerd starts again without a request to the Worker: alarms restart all four shards, which resume");

  await order("reshard", { shards: 8 });
  tell("the coordinator receives the order to reshard from four to eight");
  await until("the new set has taken over", async () => (await status()).shardCount === 8);
  tell("both sets have delivered together for a second; the new eight shards continue alone");
  await until("the old shards are gone", () => discord.connections.length === 8);

  // Messages from the time of the kill are answered, too.
  const pings = [...pinged];
  await until("every !ping is answered", () => answered(pings).length === pings.length);
  const [identifies, resumes] = [journal.identifies().length, journal.resumes().length];
  const broken = journal.violations().map(({ rule }) => rule);
  tell(`each of ${pings.length} pings has its pong; ${identifies} identifies, ${resumes} resumes`);
  tell(`the fake Discord saw ${broken.length} broken rules`);
  if (identifies !== 12 || resumes !== 5 || broken.length > 0) {
    throw new Error(`The story has an unexpected result: ${identifies}, ${resumes}, ${broken.join("; ")}`);
  }
}

/** A member writes, in each guild in turn; each ping has its own channel, so that its pong can be identified. */
function write(): void {
  const isPing = ++written % 5 === 0;
  const channels = discord.guilds[written % GUILDS.length]?.channels ?? [];
  const channelId = channels[Math.floor(pinged.size / GUILDS.length) % channels.length]?.id ?? "";
  if (isPing) pinged.add(channelId);
  discord.sendMessage({ channelId, content: isPing ? "!ping" : "hello" });
}

/** The channels, out of these, in which the bot has answered. */
function answered(channels: Iterable<string>): string[] {
  const posted = journal.of("rest").filter(({ method, status }) => method === "POST" && status === 200);
  const paths = new Set(posted.map(({ path }) => path));
  return [...channels].filter((id) => paths.has(`/api/v10/channels/${id}/messages`));
}

async function order(path: string, body: unknown): Promise<void> {
  const response = await fetch(new URL(path, worker.url), {
    method: "POST",
    headers: { authorization: `Bearer ${secret}` },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`The Worker refuses to ${path}: ${text}`);
}

async function status(): Promise<FleetHostStatus> {
  const headers = { authorization: `Bearer ${secret}` };
  const response = await fetch(new URL("status", worker.url), { headers });
  return await response.json();
}

async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The story got stuck: ${what} did not happen within thirty seconds`);
}

async function end(code: number): Promise<never> {
  clearInterval(writing);
  await worker.kill();
  await discord.close();
  // Miniflare leaves timers open.
  process.exit(code);
}

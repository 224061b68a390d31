/**
 * A bot that survives its own restart: the session record is on disk, and the next process resumes from it.
 *
 * With DISCORD_TOKEN set this is the bot. Without, it is the director: it starts a fake Discord, runs the bot in a process
 * of its own, kills it in the middle, and runs it again.
 */

import { spawn } from "node:child_process";
import * as files from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { GatewayIntent } from "@discordgateway/edge";
import { FileSessionStore, restoreShard } from "@discordgateway/edge/stores";

if (process.env.DISCORD_TOKEN) await runBot(process.env.DISCORD_TOKEN);
else await direct();

async function runBot(token: string): Promise<void> {
  const store = new FileSessionStore(process.env.SESSION_FILE ?? "session.json", files);
  const shard = await restoreShard(store, {
    token,
    guildEvents: ["MESSAGE_CREATE"],
    events: ["READY", "RESUMED"],
    intents: GatewayIntent.MESSAGE_CONTENT,
  });
  console.log(
    shard.session
      ? `resuming after event ${shard.session.sequence}`
      : "no session on disk: starting a new one",
  );
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => shard.close({ keepSession: true }));
  }

  await shard.run(async (event) => {
    if (event.t !== "MESSAGE_CREATE") return console.log(event.t);
    console.log(`handled ${event.d.id}: ${event.d.content}`);
    // By itself the store follows every 5 s, and what was handled meanwhile comes again. This bot wants nothing twice: should
    // it die from here on, the event is done with.
    shard.acknowledge();
    await shard.save();
  });
  console.log("closed, the session is kept");
}

async function direct(): Promise<void> {
  const { FakeDiscord } = await import("@discordgateway/edge/testing");
  const folder = await files.mkdtemp(join(tmpdir(), "discordgateway-"));
  const discord = new FakeDiscord();
  const { api } = await discord.listen();
  const environment = {
    DISCORD_TOKEN: discord.token,
    DISCORD_API: api,
    SESSION_FILE: join(folder, "session.json"),
  };
  console.log(`[director] a fake Discord plays on ${api}`);

  const handled = new Map<string, number>();
  const startBot = (name: string) => {
    console.log(`[director] starting ${name}`);
    const flags = "Deno" in globalThis
      ? ["run", "--allow-net", "--allow-env", "--allow-read", "--allow-write"]
      : [];
    const bot = spawn(process.execPath, [...flags, fileURLToPath(import.meta.url)], {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "inherit"],
    });
    createInterface({ input: bot.stdout }).on("line", (line) => {
      console.log(`[${name}] ${line}`);
      const id = /^handled (\d+)/.exec(line)?.[1];
      if (id) handled.set(id, (handled.get(id) ?? 0) + 1);
    });
    return { bot, gone: new Promise<void>((resolve) => bot.once("close", () => resolve())) };
  };
  const written: string[] = [];
  const write = (content: string) => void written.push(discord.sendMessage({ author: "alice", content }).id);
  const allHandled = () => written.every((id) => handled.has(id));

  const first = startBot("first process");
  await until("READY", () => discord.connections.some((connection) => connection.session));
  ["one", "two", "three"].forEach(write);
  await until("three messages handled", allHandled);

  console.log("[director] killing the first process (SIGKILL), and writing on");
  first.bot.kill("SIGKILL");
  await first.gone;
  ["four", "five", "six"].forEach(write);

  const second = startBot("second process");
  await until("the rest handled", allHandled);
  second.bot.kill("SIGTERM");
  await second.gone;

  const identifies = discord.journal.identifies().length;
  const resumes = discord.journal.resumes().length;
  const twice = [...handled.values()].filter((count) => count > 1).length;
  console.log(`[director] ${written.length} messages, ${handled.size} handled, ${twice} of them twice`);
  console.log(
    `[director] ${identifies} identify, ${resumes} resume, ${discord.journal.violations().length} broken rules`,
  );
  await discord.close();
  await files.rm(folder, { recursive: true });
  if (!allHandled() || identifies !== 1 || resumes !== 1) throw new Error("The restart did not resume");
}

async function until(what: string, condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`The story got stuck: ${what} did not happen within twenty seconds`);
}

/** A whole `Shard` over real sockets and real HTTP, against the fake on a port. */

import { assert, assertEquals } from "@std/assert";
import { dial } from "../../shard/dial.ts";
import { type Host, systemHost } from "../../shard/host.ts";
import { Shard, type ShardOptions } from "../../shard/shard.ts";
import type { ShardStatus } from "../../shard/status.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { RecordedSockets } from "./recorded_sockets.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

/** The machine's own clock and timers; the jitter is gone, so a reconnect need not wait. */
const HASTY: Host = { ...systemHost, random: () => 0.001 };

let bots = 0;
/** Shards of one token share their identify limiter: with tokens of their own no test waits for another. */
function anotherToken(): string {
  return `bot.${++bots}`;
}

/** A shard that consumes, and what came of it. */
class Play {
  readonly heard: string[] = [];
  readonly statuses: ShardStatus[] = [];
  readonly shard: Shard<"MESSAGE_CREATE", never, "READY" | "RESUMED">;
  readonly over: Promise<void>;

  constructor(sockets: RecordedSockets, options: ShardOptions) {
    this.shard = new Shard({
      host: HASTY,
      dial: (url, dialOptions) => dial(url, { ...dialOptions, WebSocket: sockets.WebSocket }),
      ...options,
      guildEvents: ["MESSAGE_CREATE"],
      events: ["READY", "RESUMED"],
      intents: 1 << 15,
      onStatus: (status) => this.statuses.push(status),
    });
    this.over = this.shard.run((event) => {
      this.heard.push(event.t === "MESSAGE_CREATE" ? event.d.content : event.t);
    });
  }

  /** The causes of every end, in order. */
  get causes(): string[] {
    return this.statuses.flatMap((status) => status.state === "disconnected" ? [status.cause] : []);
  }
}

Deno.test("shard socket: over a full story close() gets nothing but 1000 and 3000-4999", async () => {
  await using discord = new FakeDiscord({ token: anotherToken(), heartbeatInterval: 1_000 });
  const { api } = await discord.listen();
  await using sockets = new RecordedSockets();
  let pause: Promise<void> | null = null;
  let goOn = () => {};
  const heard: string[] = [];
  const causes: string[] = [];
  const shard = new Shard({
    token: discord.token,
    api,
    host: HASTY,
    // Not the default limiter: the story identifies again, and need not wait five seconds for it.
    identifyLimiter: { take: () => true },
    guildEvents: ["MESSAGE_CREATE"],
    events: ["READY", "RESUMED"],
    maxQueuedEvents: 100,
    dial: (url, dialOptions) => dial(url, { ...dialOptions, WebSocket: sockets.WebSocket }),
    onStatus: (status) => { console.log(Math.round(performance.now()), JSON.stringify(status).slice(0,150));
      if (status.state === "disconnected") causes.push(status.cause);
      if (status.state === "draining") causes.push("draining");
    },
  });
  const over = shard.run(async (event) => {
    await pause;
    heard.push(event.t);
  });
  const count = (name: string) => heard.filter((t) => t === name).length;

  try { await until("READY", () => count("READY") === 1);
  pause = new Promise((resolve) => goOn = resolve);
  discord.flood(500);
  await until("an overflow", () => causes.includes("draining"));
  pause = null;
  goOn();
  await until("the flood", () => count("MESSAGE_CREATE") === 500);

  console.log("CONN", discord.connections.map((c) => [c.id, c.open, c.session?.sequence])); discord.connections[0]?.reconnect();
  await until("op 7", () => causes.includes("reconnect"));
  const resumed = count("RESUMED");
  await until("RESUMED", () => count("RESUMED") > resumed);

  const stalled = discord.connections.at(-1);
  stalled?.stall();
  await until("a zombie", () => causes.includes("zombie"));
  stalled?.drop();
  await until("RESUMED again", () => count("RESUMED") > resumed + 1);

  discord.connections.at(-1)?.invalidateSession(true);
  await until("op 9 true", () => causes.includes("invalid_session_resumable"));
  await until("RESUMED once more", () => count("RESUMED") > resumed + 2);

  discord.connections.at(-1)?.sendRaw("not JSON");
  await until("a frame error", () => causes.includes("frame_error"));
  await until("RESUMED a last time", () => count("RESUMED") > resumed + 3);
  await shard.close();
  await over; } catch (e) { console.log(e.message, discord.journal.entries.filter((e) => e.kind !== "heartbeat").map((e) => JSON.stringify(e)).join("\n"), shard.queued, count("MESSAGE_CREATE"), heard.length); Deno.exit(1); }

  const codes = sockets.closeCalls.map(({ code }) => code);
  assert(codes.length >= 6, `${codes}`);
  for (const code of codes) {
    assert(code !== undefined && (code === 1000 || code >= 3000 && code <= 4999), `${codes}`);
  }
  assertEquals(codes.filter((code) => code === 1000).length, 1, "only the end of it all ends the session");
  assertEquals(discord.journal.identifies().length, 1);
});

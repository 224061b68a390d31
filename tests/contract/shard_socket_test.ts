/** A whole `Shard` over real sockets and real HTTP, against the fake on a port. */

import { assert, assertEquals } from "@std/assert";
import {
  dial,
  type Platform,
  Shard,
  type ShardOptions,
  type ShardStatus,
  systemPlatform,
} from "../../shard/mod.ts";
import { type FakeConnection, FakeDiscord } from "../fake/mod.ts";
import { RecordedSockets } from "./recorded_sockets.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

/** The machine's own clock and timers; the jitter is gone, so a reconnect need not wait. */
const HASTY: Platform = { ...systemPlatform, random: () => 0.001 };

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
      platform: HASTY,
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

Deno.test("shard socket: REST, READY, events, a cut, RESUMED: each exactly once", async () => {
  await using discord = new FakeDiscord({ token: anotherToken() });
  const { api, gatewayUrl } = await discord.listen();
  await using sockets = new RecordedSockets();
  const { shard, heard, over, statuses } = new Play(sockets, { token: discord.token, api });
  await until("READY", () => heard.length === 1);
  const written = ["one", "two", "three", "four", "five"];
  discord.sendMessage({ content: "one" });
  discord.sendMessage({ content: "two" });
  await until("two messages", () => heard.length === 3);
  discord.connections[0]?.drop();
  discord.sendMessage({ content: "three" });
  discord.sendMessage({ content: "four" });
  await until("RESUMED", () => heard.includes("RESUMED"));
  discord.sendMessage({ content: "five" });
  await until("five messages", () => heard.length === 7);
  await shard.close();
  await over;

  assertEquals(heard, ["READY", "one", "two", "three", "four", "RESUMED", "five"]);
  assertEquals(
    heard.filter((content) => written.includes(content)).length,
    discord.journal.sent("MESSAGE_CREATE"),
  );
  assertEquals(discord.journal.of("rest").map(({ path, status }) => [path, status]), [
    ["/api/v10/gateway/bot", 200],
  ]);
  assertEquals(discord.journal.dials().map(({ url }) => url), [
    `${gatewayUrl}/?v=10&encoding=json`,
    `${gatewayUrl}/resume?v=10&encoding=json`,
  ]);
  assertEquals([discord.journal.identifies().length, discord.journal.resumes().length], [1, 1]);
  assertEquals(discord.journal.violations(), []);
  assertEquals(statuses.at(-1), { state: "closed", error: null });
  await until("the fake has heard of the end", () => discord.sessions.length === 0);
});

Deno.test("shard socket: a silent peer is found out by its heartbeats, and replaced", async () => {
  await using discord = new FakeDiscord({ token: anotherToken(), heartbeatInterval: 1_000 });
  const { api } = await discord.listen();
  await using sockets = new RecordedSockets();
  const play = new Play(sockets, { token: discord.token, api });
  const { shard, heard, over } = play;
  await until("READY", () => heard.length === 1);
  await until("a heartbeat", () => discord.journal.heartbeats().length > 0);
  const [stalled] = discord.connections;
  stalled?.stall();
  discord.sendMessage({ content: "into the void" });
  await until("RESUMED", () => heard.includes("RESUMED"));
  assert(play.causes.includes("zombie"), `${play.causes}`);
  assertEquals(heard.filter((content) => content === "into the void").length, 1);
  assertEquals(discord.journal.identifies().length, 1);
  await shard.close();
  await over;
  // Its socket waits for the dead peer until that one is gone; the shard has long gone on.
  stalled?.drop();
  await discord.close();
});

Deno.test("shard socket: any host and port through `url`, with plain ws://, without REST", async () => {
  await using discord = new FakeDiscord({ token: anotherToken() });
  const { gatewayUrl } = await discord.listen({ hostname: "127.0.0.2" });
  assert(gatewayUrl.startsWith("ws://127.0.0.2:"));
  await using sockets = new RecordedSockets();
  const { shard, heard, over } = new Play(sockets, { token: discord.token, url: `${gatewayUrl}/?proxied=1` });
  await until("READY", () => heard.length === 1);
  await shard.close();
  await over;
  assertEquals(discord.journal.of("rest"), []);
  assertEquals(discord.journal.dials().map(({ url }) => url), [
    `${gatewayUrl}/?proxied=1&v=10&encoding=json`,
  ]);
});

Deno.test("shard socket: DISCORD_API points a shard that was told nothing to another server", async () => {
  await using discord = new FakeDiscord({ token: anotherToken() });
  const { api } = await discord.listen();
  await using bot = new BotProcess("plain_bot.ts", { DISCORD_TOKEN: discord.token, DISCORD_API: api });
  await until("READY", () => bot.lines.includes("READY"));
  discord.sendMessage({ content: "hello" });
  await until("the message", () => bot.lines.includes("MESSAGE_CREATE"));
  assertEquals(discord.journal.of("rest").map(({ path }) => path), ["/api/v10/gateway/bot"]);
});

Deno.test("shard socket: outages of REST and gateway are waited out, the session survives them", async () => {
  await using discord = new FakeDiscord({ token: anotherToken() });
  const { api } = await discord.listen();
  discord.faults.rejectRequests.push(502, 500);
  discord.faults.rejectDials.push(503);
  await using sockets = new RecordedSockets();
  const play = new Play(sockets, { token: discord.token, api });
  const { shard, heard, over } = play;
  await until("READY", () => heard.length === 1);
  assertEquals(play.causes, ["gateway_bot_failed", "gateway_bot_failed", "dial_failed"]);
  discord.faults.rejectDials.push(520, 503);
  discord.connections[0]?.drop();
  discord.sendMessage({ content: "missed" });
  await until("RESUMED", () => heard.includes("RESUMED"));
  assertEquals(heard, ["READY", "missed", "RESUMED"]);
  assertEquals([discord.journal.identifies().length, discord.journal.violations()], [1, []]);
  await shard.close();
  await over;
});

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
    platform: HASTY,
    // Not the default limiter: the story identifies again, and need not wait five seconds for it.
    identifyLimiter: { take: () => true },
    guildEvents: ["MESSAGE_CREATE"],
    events: ["READY", "RESUMED"],
    maxQueuedEvents: 100,
    dial: (url, dialOptions) => dial(url, { ...dialOptions, WebSocket: sockets.WebSocket }),
    onStatus: (status) => {
      if (status.state === "disconnected") causes.push(status.cause);
      if (status.state === "draining") causes.push("draining");
    },
  });
  const over = shard.run(async (event) => {
    await pause;
    heard.push(event.t);
  });
  const count = (name: string) => heard.filter((t) => t === name).length;

  /** Does something to the present connection, and waits until a resume has made up for it. */
  const mishap = async (cause: string, happen: (connection: FakeConnection) => void) => {
    await until("live", () => shard.status.state === "live" && shard.queued.now === 0);
    const [connection] = discord.connections;
    assert(connection?.session, "the shard is live on it");
    const resumed = count("RESUMED");
    happen(connection);
    await until(cause, () => causes.includes(cause));
    await until(`RESUMED after ${cause}`, () => count("RESUMED") > resumed);
    connection.drop();
  };

  await until("READY", () => count("READY") === 1);
  pause = new Promise((resolve) => goOn = resolve);
  discord.flood(500);
  await until("an overflow", () => causes.includes("draining"));
  pause = null;
  goOn();
  await until("the flood", () => count("MESSAGE_CREATE") === 500);
  await mishap("reconnect", (connection) => connection.reconnect());
  await mishap("zombie", (connection) => connection.stall());
  await mishap("invalid_session_resumable", (connection) => connection.invalidateSession(true));
  await mishap("frame_error", (connection) => connection.sendRaw("not JSON"));
  await until("live", () => shard.status.state === "live");
  await shard.close();
  await over;

  const codes = sockets.closeCalls.map(({ code }) => code);
  assert(codes.length >= 6, `${codes}`);
  for (const code of codes) {
    assert(code !== undefined && (code === 1000 || code >= 3000 && code <= 4999), `${codes}`);
  }
  assertEquals(codes.filter((code) => code === 1000).length, 1, "only the end of it all ends the session");
  assertEquals(discord.journal.identifies().length, 1);
});

Deno.test("shard socket: members, sounds and channel info are asked for and answered", async () => {
  await using discord = new FakeDiscord({ token: anotherToken(), guilds: [{ members: 3_500 }] });
  const { api } = await discord.listen();
  await using sockets = new RecordedSockets();
  const { shard, heard, over } = new Play(sockets, { token: discord.token, api });
  await until("READY", () => heard.length === 1);
  const guild = discord.guilds[0]?.id ?? "";
  const byName = { guild_id: guild, query: "member-35", limit: 50 };
  const byId = {
    guild_id: guild,
    user_ids: discord.guilds[0]!.members.slice(0, 40).map(({ user }) => user.id),
  };
  const [sounds, info, named, known] = await Promise.all([
    Array.fromAsync(shard.requestSoundboardSounds([guild])),
    shard.requestChannelInfo(guild, ["status"]),
    Array.fromAsync(shard.requestGuildMembers(byName)),
    Array.fromAsync(shard.requestGuildMembers(byId)),
  ]);
  assertEquals([sounds.length, info.guild_id], [1, guild]);
  assertEquals([named, known].map((chunks) => chunks.flatMap(({ members }) => members).length), [12, 40]);
  await shard.close();
  await over;
  assertEquals(discord.journal.violations(), []);
});

Deno.test("shard socket: all members of a guild come through a cut in the middle of the chunks", async () => {
  await using discord = new FakeDiscord({ token: anotherToken(), guilds: [{ members: 3_500 }] });
  const { api } = await discord.listen();
  const { token } = discord;
  const shard = new Shard({
    token,
    api,
    platform: HASTY,
    guildEvents: ["GUILD_MEMBER_ADD"],
    events: ["READY"],
  });
  const heard: string[] = [];
  const over = shard.run(({ t }) => void heard.push(t));
  await until("READY", () => heard.length === 1);
  discord.faults.cutAfterResponses = 2;
  const everybody = { guild_id: discord.guilds[0]?.id ?? "", query: "", limit: 0 };
  const chunks = await Array.fromAsync(shard.requestGuildMembers(everybody));
  assertEquals(chunks.map(({ chunk_index }) => chunk_index), [0, 1, 2, 3]);
  assertEquals(new Set(chunks.flatMap(({ members }) => members.map(({ user }) => user?.id))).size, 3_501);
  assertEquals([heard, discord.journal.resumes().length], [["READY"], 1]);
  await shard.close();
  await over;
  assertEquals(discord.journal.violations(), []);
});

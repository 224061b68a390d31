/**
 * The token shows nowhere: not in an error or anything below it, not in what inspection prints, not in a status, not in
 * the fake's journal, not in what the examples print.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { inspect } from "node:util";
import { GatewayState } from "../../gateway/mod.ts";
import {
  dial,
  fetchGatewayBot,
  type Platform,
  Shard,
  type ShardOptions,
  sharedIdentifyLimiter,
  systemPlatform,
} from "../../shard/mod.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { BotProcess } from "./bot_process.ts";
import { RawServer } from "./raw_server.ts";
import { RecordedSockets } from "./recorded_sockets.ts";
import { until } from "./until.ts";

/** Its third part alone would do for a thief. */
const SECRET = "S3cr3tS3cr3tS3cr3tS3cr3tS3cr3t";
const TOKEN = `MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.${SECRET}`;

/** Everything that can be seen of a value: by both inspections, as JSON, as a string, and key by key below it. */
function seen(value: unknown, visited = new Set<unknown>()): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  if (visited.has(value)) return [];
  visited.add(value);
  const texts = [
    Deno.inspect(value, { depth: 100, iterableLimit: 10_000, strAbbreviateSize: 1e6, showHidden: true }),
    Deno.inspect(value, { depth: 100, getters: true }),
    inspect(value, { depth: 100, showHidden: true, maxArrayLength: null, maxStringLength: null }),
  ];
  // message, stack and cause are among the keys of an error.
  for (const key of Reflect.ownKeys(value)) {
    texts.push(String(key), ...seen(Reflect.get(value, key), visited));
  }
  if (value instanceof Error) texts.push(String(value), value.stack ?? "");
  return texts;
}

/** Asserts that the secret is not seen. */
function assertSecret(what: string, ...values: unknown[]): void {
  const text = values.flatMap((value) => seen(value)).join("\n");
  assert(!text.includes(SECRET), `the token shows in ${what}: ${text.replaceAll(SECRET, "<SECRET>")}`);
}

/** A shard with the secret token whose every status is kept. */
function secretShard(sockets: RecordedSockets, options: Omit<ShardOptions, "token">) {
  const statuses: unknown[] = [];
  // Without jitter a reconnect need not wait; with a clock of its own nobody waits for another's identify.
  const platform: Platform = { ...systemPlatform, random: () => 0.001 };
  const shard = new Shard({
    platform,
    dial: (url, dialOptions) => dial(url, { ...dialOptions, WebSocket: sockets.WebSocket }),
    ...options,
    token: TOKEN,
    guildEvents: ["MESSAGE_CREATE"],
    events: ["READY", "RESUMED"],
    onStatus: (status) => statuses.push(status),
  });
  return { shard, statuses, platform };
}

Deno.test("token: the search finds a token that shows", () => {
  const cause = new Error(`in a cause: ${TOKEN}`);
  for (
    const value of [TOKEN, { deep: [{ er: TOKEN }] }, new Error("outer", { cause }), new Map([[TOKEN, 1]])]
  ) {
    assertThrows(() => assertSecret("this", value), Error, "<SECRET>");
  }
});

Deno.test("token: not in a run with events, a cut, failed commands and a close [case 37]", async () => {
  await using discord = new FakeDiscord({ token: TOKEN });
  const { api } = await discord.listen();
  await using sockets = new RecordedSockets();
  const { shard, statuses, platform } = secretShard(sockets, { api });
  assertSecret("a shard that is new", shard);
  const events: unknown[] = [];
  const over = shard.run((event) => void events.push(event));
  await until("READY", () => events.length === 1);
  assertSecret("a shard that is live", shard, shard.status, shard.session, shard.latency);
  assertSecret("its sockets", sockets.sockets);

  const voiceState = { guild_id: "1", channel_id: null, self_mute: false, self_deaf: false };
  assertSecret(
    "an error of send()",
    await assertRejects(() => {
      const activities = [{ name: "x".repeat(5_000), type: 0 as const }];
      return shard.send({ op: 3, d: { since: null, status: "online", afk: false, activities } });
    }),
  );
  discord.connections[0]?.drop();
  discord.sendMessage({ content: "missed" });
  await until("RESUMED", () => events.length === 3);
  discord.faults.blackHoleDials = 1;
  discord.connections[0]?.drop();
  await until("a dial into nowhere", () => discord.journal.dials().length === 3);
  const waiting = assertRejects(() => shard.send({ op: 4, d: voiceState }));
  assertSecret("the record that is saved", await shard.close({ keepSession: true }));
  await over;
  assertSecret("a command that was not sent", await waiting);
  assertSecret("a shard that is closed", shard, statuses, events);
  assertSecret("the identify limiter", sharedIdentifyLimiter(TOKEN, platform));
  assertSecret("the fake's journal", discord.journal, discord.journal.entries);
  assertSecret("the fake's connections", discord.connections, discord.sessions);
  assertEquals(discord.journal.identifies().length, 1);
  assertSecret("the state", new GatewayState({ token: TOKEN, intents: 0, now: 0, random: () => 0 }));
});

Deno.test("token: not in the error of a fatal close, of REST, of the network [case 37]", async () => {
  await using discord = new FakeDiscord({ token: "another token" });
  const { api, gatewayUrl } = await discord.listen();
  using proxy = new RawServer(async (connection) => {
    // A proxy that shows the request for debugging.
    const page = `<pre>${await connection.request()}</pre>`;
    await connection.write(new TextEncoder().encode(`HTTP/1.1 502 X\r\nConnection: close\r\n\r\n${page}`));
    connection.end();
  });
  const proxied = proxy.url.replace(/^ws/, "http").replace(/\/\?.*/, "");
  const gone = "http://127.0.0.1:1/api";
  await using sockets = new RecordedSockets();

  for (const options of [{ url: gatewayUrl }, { api }]) {
    const { shard, statuses } = secretShard(sockets, options);
    const error = await assertRejects(() => shard.run(() => {}), Error, "Cannot go on");
    assertSecret("why a shard stopped", error, statuses, shard);
  }
  for (const options of [{ api: gone }, { api: proxied }, { url: "ws://127.0.0.1:1/" }]) {
    const { shard, statuses } = secretShard(sockets, options);
    const over = shard.run(() => {});
    await until("some failures", () => statuses.length >= 6);
    await shard.close();
    await over;
    assertSecret("statuses of a shard that cannot connect", statuses, shard);
  }
  for (
    const [token, base] of [[TOKEN, api], [TOKEN, gone], [TOKEN, proxied], [`${TOKEN}\nx`, api]] as const
  ) {
    assertSecret("errors of REST", await assertRejects(() => fetchGatewayBot(token, { api: base })));
  }
  assertSecret("the journal of the one that refused it", discord.journal.entries);
});

for (const example of ["ping", "own_event_loop", "resume_after_restart"]) {
  Deno.test(`token: not in what the example ${example} prints, whether Discord takes it or not [case 37]`, async () => {
    const folder = await Deno.makeTempDir();
    await using discord = new FakeDiscord({ token: TOKEN });
    await using stranger = new FakeDiscord({ token: "another token" });
    const [{ api }, { api: refusing }] = await Promise.all([discord.listen(), stranger.listen()]);
    // A session file of its own: with the other's it would not need the REST API that refuses it.
    const environment = (name: string, api: string) => {
      return { DISCORD_TOKEN: TOKEN, DISCORD_API: api, SESSION_FILE: `${folder}/${name}.json` };
    };
    const program = `../../../examples/${example}.ts`;
    await using refused = new BotProcess(program, environment("refused", refusing));
    await using bot = new BotProcess(program, environment("bot", api));
    await until("live", () => discord.sessions.length === 1 || bot.end !== null);
    discord.sendMessage({ content: "!ping" });
    await until("at work", () => bot.lines.some((line) => line.includes("!ping")) || bot.end !== null);
    bot.kill(example === "resume_after_restart" ? "SIGTERM" : "SIGINT");
    assertEquals({ code: (await bot.ended).code, stderr: bot.stderr }, { code: 0, stderr: "" });
    assertEquals((await refused.ended).code, 1);
    assert(refused.stderr.length > 0);
    assertSecret("what it prints", bot.lines, refused.lines, refused.stderr);
    for await (const { name } of Deno.readDir(folder)) {
      assertSecret("what it saves", await Deno.readTextFile(`${folder}/${name}`));
    }
    await Deno.remove(folder, { recursive: true });
  });
}

/** A whole `Fleet` over real sockets and real HTTP, against the fake on a port. */

import { assert, assertEquals } from "@std/assert";
import { Fleet, type FleetEvent, type FleetOptions } from "../../shard/fleet/mod.ts";
import { GatewayIntent } from "../../gateway/mod.ts";
import { dial } from "../../shard/mod.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { RecordedSockets } from "./recorded_sockets.ts";
import { until } from "./until.ts";

type GuildName = "MESSAGE_CREATE" | "MESSAGE_REACTION_ADD";
type Item = FleetEvent<GuildName | "READY">;

/** A fleet that consumes, on sockets that are watched to their end. */
function makeFleet(
  sockets: RecordedSockets,
  options: Pick<FleetOptions, "token" | "api" | "shards">,
): Fleet<GuildName, never, "READY"> {
  return new Fleet({
    ...options,
    guildEvents: ["MESSAGE_CREATE", "MESSAGE_REACTION_ADD"],
    events: ["READY"],
    // The guilds tell the reshard when a new shard is complete, and the content is what is numbered.
    intents: GatewayIntent.GUILDS | GatewayIntent.MESSAGE_CONTENT,
    dial: (url, dialOptions) => dial(url, { ...dialOptions, WebSocket: sockets.WebSocket }),
  });
}

Deno.test("fleet: 64 shards with max_concurrency 16 come up in one process without an op 9", async () => {
  await using discord = new FakeDiscord({
    token: "fleet.of.64",
    shards: 64,
    maxConcurrency: 16,
    guilds: Array.from({ length: 128 }, () => ({})),
  });
  const { api } = await discord.listen();
  await using sockets = new RecordedSockets();
  const fleet = makeFleet(sockets, { token: discord.token, api });
  const ready: number[] = [];
  const heard: number[] = [];
  const startedAt = performance.now();
  const running = fleet.run(({ shardId, event }) => {
    if (event.t === "READY") ready.push(shardId);
    if (event.t === "MESSAGE_CREATE") heard.push(shardId);
  });
  await until("64 shards are live", () => fleet.status.counts.live === 64);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);

  for (const { id: guildId } of discord.guilds) discord.sendMessage({ guildId, content: "hello" });
  await until("every guild is heard", () => heard.length === 128);
  await fleet.close();
  await running;

  assertEquals(discord.journal.violations(), []);
  assertEquals(discord.journal.of("session").filter(({ change }) => change === "refused"), []);
  assertEquals(discord.journal.of("sent").filter(({ op }) => op === 9), []);
  assertEquals([discord.journal.identifies().length, discord.journal.of("rest").length], [64, 1]);
  // Bucket order: 0-15 first, then 16-31, …; within a wave whoever's socket is first.
  const waves = [0, 1, 2, 3].map((wave) => ready.slice(wave * 16, wave * 16 + 16).sort((a, b) => a - b));
  assertEquals(waves.flat(), Array.from({ length: 64 }, (_, id) => id));
  assertEquals([...new Set(heard)].length, 64);
  console.log(`64 shards were live after ${seconds} s; op 9: 0, identifies: 64, GET /gateway/bot: 1`);
});

Deno.test("fleet: a reshard 16 -> 32 under a stream of numbered events leaves no gap", async () => {
  await using discord = new FakeDiscord({
    token: "fleet.resharding",
    shards: 16,
    maxConcurrency: 16,
    heartbeatInterval: 3_000,
    guilds: Array.from({ length: 96 }, () => ({})),
  });
  const { api } = await discord.listen();
  await using sockets = new RecordedSockets();
  const fleet = makeFleet(sockets, { token: discord.token, api });
  const log = new NumberLog();
  const running = fleet.run((item) => log.take(item));
  await until("16 shards are live", () => fleet.status.counts.live === 16);

  const stream = new NumberStream(discord);
  const report = await fleet.reshard(32, { overlapMs: 1_000 });
  const during = stream.written;
  await until("events after the reshard", () => stream.written > during + 500);
  stream.stop();
  await until("every event", () => log.size === stream.written);
  assertEquals([fleet.status.shardCount, fleet.status.counts.live, fleet.status.next], [32, 32, null]);
  const ended = discord.journal.of("close").filter(({ by, code }) => by === "client" && code === 1000).length;
  await fleet.close();
  await running;

  const missing = stream.numbers.filter((number) => !log.has(number));
  assertEquals(missing, [], "a gap of zero");
  assertEquals(log.disorder, [], "in every guild's order, but for one step back");
  assertEquals(discord.journal.violations(), []);
  assertEquals(discord.journal.of("sent").filter(({ op }) => op === 9), []);
  assertEquals([discord.journal.identifies().length, ended], [48, 16], "the old sessions were ended");

  // Messages have ids of their own, reactions have none.
  const { dropped, repeated } = report.duplicates;
  assertEquals(log.duplicates("MESSAGE_CREATE"), 0);
  assert(dropped > 0 && log.duplicates("MESSAGE_REACTION_ADD") > 0, "the sets overlapped");
  assert(log.duplicates("MESSAGE_REACTION_ADD") <= repeated, "the report counts every duplicate");
  console.log(
    `${stream.written} numbered events, ${missing.length} missing; overlap ${
      Math.round(report.overlapMs)
    } ms: ` +
      `${dropped} copies dropped, ${
        log.duplicates("MESSAGE_REACTION_ADD")
      } delivered twice (at most ${repeated} reported)`,
  );
});

/** Events with numbers, one after the other, in all guilds: every second one a message, the others reactions. */
class NumberStream {
  readonly numbers: number[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(discord: FakeDiscord) {
    this.#timer = setInterval(() => this.#write(discord), 4);
  }

  get written(): number {
    return this.numbers.length;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #write(discord: FakeDiscord): void {
    const number = this.numbers.length;
    // Two of a kind to each guild in turn, so that both kinds reach all of them.
    const guild = discord.guilds[(number >> 1) % discord.guilds.length]!;
    if (number % 2 === 0) discord.sendMessage({ guildId: guild.id, content: `${number}` });
    else {
      discord.dispatch("MESSAGE_REACTION_ADD", {
        guild_id: guild.id,
        channel_id: guild.channels[0]?.id,
        message_id: guild.id,
        user_id: guild.members[1]?.user.id,
        emoji: { id: null, name: `${number}` },
        burst: false,
        type: 0,
      });
    }
    this.numbers.push(number);
  }
}

/** What came, how often, and whether in order. */
class NumberLog {
  readonly disorder: string[] = [];
  readonly #times = new Map<number, { t: string; count: number }>();
  readonly #lastOf = new Map<string, { shardCount: number; number: number }>();

  get size(): number {
    return this.#times.size;
  }

  has(number: number): boolean {
    return this.#times.has(number);
  }

  duplicates(t: string): number {
    return [...this.#times.values()].reduce((sum, one) => sum + (one.t === t ? one.count - 1 : 0), 0);
  }

  take({ event, shardCount }: Item): void {
    if (event.t !== "MESSAGE_CREATE" && event.t !== "MESSAGE_REACTION_ADD") return;
    const guildId = event.d.guild_id ?? "";
    const number = Number(event.t === "MESSAGE_CREATE" ? event.d.content : event.d.emoji.name);
    const times = this.#times.get(number) ?? { t: event.t, count: 0 };
    this.#times.set(number, { ...times, count: times.count + 1 });
    const last = this.#lastOf.get(guildId);
    // The new set's first event of a guild may be an earlier one; nothing else goes back, and the old set never returns.
    if (last && (shardCount < last.shardCount || shardCount === last.shardCount && number <= last.number)) {
      this.disorder.push(`${guildId}: ${number} of ${shardCount} after ${last.number} of ${last.shardCount}`);
    }
    this.#lastOf.set(guildId, { shardCount, number });
  }
}

/** `fleet.joinVoice()`: the guild's shard, and what becomes of a voice connection when its shard restarts, or goes in a reshard. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import { Fleet, type FleetOptions, ReshardError, ShardNotHereError } from "../../shard/fleet/mod.ts";
import { MissingOptionError } from "../../shard/mod.ts";
import {
  type Voice,
  voice,
  VoiceClosedError,
  type VoiceConnection,
  type VoiceOptions,
} from "../../voice/mod.ts";
import { Call, frames, GUILD, OTHER, VOICE } from "./call.ts";

/** GUILDS and GUILD_VOICE_STATES. */
const INTENTS = 1 | 1 << 7;
/** The second guild of the fake, on shard 1 of 2, 3 of 4 and 0 of 1. */
const SECOND = { guildId: `${3n << 22n}`, channelId: "77" } as const;
const SECOND_OTHER = "78";
const SECOND_GUILD = {
  id: SECOND.guildId,
  channels: [
    { name: "voice", type: 2, id: SECOND.channelId },
    { name: "other", type: 2, id: SECOND_OTHER },
  ],
};

/** A fleet with voice, live, on a call's clock. */
class FleetCall {
  readonly call: Call;
  readonly fleet: Fleet<never, never, never, Voice>;
  /** Where the bot was, as the consumer heard of it. */
  readonly channels: (string | null)[] = [];
  readonly #running: Promise<void>;

  private constructor(call: Call, options: Partial<FleetOptions> & { readonly way?: VoiceOptions }) {
    this.call = call;
    const { way, ...fleetOptions } = options;
    const { token, dial, fetch } = call.discord;
    this.fleet = new Fleet({
      token,
      intents: INTENTS,
      dial,
      fetch,
      platform: call.clock,
      shards: 2,
      ...fleetOptions,
      voice: voice({ ...call.providerOptions, ...way }),
    });
    this.#running = this.fleet.run(({ event }) => {
      if (event.t !== "VOICE_STATE_UPDATE" || event.d.user_id !== call.discord.user.id) return;
      this.channels.push(event.d.channel_id);
    });
  }

  static async live(
    call: Call,
    options: Partial<FleetOptions> & { readonly way?: VoiceOptions } = {},
  ): Promise<FleetCall> {
    const play = new FleetCall(call, options);
    await call.clock.runUntil(() => {
      const { counts, shards } = play.fleet.status;
      return shards.length > 0 && counts.live === shards.length;
    });
    return play;
  }

  /** Op 4 as the fake got it: which session asked for which channel. */
  get asked(): string[] {
    const { journal } = this.call.discord;
    const shardOf = new Map<number, string>();
    for (const { connectionId, d } of journal.of("frame").filter(({ op }) => op === 2)) {
      shardOf.set(connectionId, (d as { shard: [number, number] }).shard.join("/"));
    }
    return journal.of("frame").filter(({ op }) => op === 4).map(({ connectionId, d }) => {
      const { channel_id } = d as { channel_id: string | null };
      return `${shardOf.get(connectionId)} ${channel_id}`;
    });
  }

  /** Splits the bot anew, and lets time pass until that is done. */
  async reshard(to: number): Promise<void> {
    await this.call.arrive(this.fleet.reshard(to, { overlapMs: 1_000 }));
  }

  async close(): Promise<void> {
    await this.call.arrive(this.fleet.close());
    await this.#running;
    assertEquals([this.fleet.status.state, this.call.discord.connections.length], ["closed", 0]);
  }
}

Deno.test("fleet.joinVoice: op 4 goes out on the guild's shard, for a move and a leave too", async () => {
  await using call = await Call.open({}, { guilds: [SECOND_GUILD] });
  const play = await FleetCall.live(call);
  const first = await call.arrive(play.fleet.joinVoice(GUILD, VOICE));
  const second = await call.arrive(play.fleet.joinVoice(SECOND.guildId, SECOND.channelId));
  assertEquals([first.channelId, second.channelId], [VOICE, SECOND.channelId]);
  first.move(OTHER);
  await call.clock.runUntil(() => first.channelId === OTHER && first.status.state === "live");
  await call.arrive(Promise.all([first.close(), second.close()]));
  const of = { first: "0/2", second: "1/2" };
  assertEquals(play.asked, [
    `${of.first} ${VOICE}`,
    `${of.second} ${SECOND.channelId}`,
    `${of.first} ${OTHER}`,
    `${of.first} null`,
    `${of.second} null`,
  ]);
  assertEquals(call.violations, []);
  await play.close();
});

/** Is checked, not called. */
function compiles(_: () => unknown): void {}

/** Capacity for every identify of a test at once. */
const ROOMY = { guilds: [SECOND_GUILD], maxConcurrency: 16 };

for (const to of [3, 1, 2]) {
  Deno.test(`fleet.joinVoice: after a reshard 2 -> ${to} the voice connection goes on through the guild's new shard`, async () => {
    await using call = await Call.open({}, ROOMY);
    const play = await FleetCall.live(call);
    const before = "1/2";
    const after = `${3 % to}/${to}`;
    const statuses: string[] = [];
    const joining = play.fleet.joinVoice(SECOND.guildId, SECOND.channelId, {
      onStatus: ({ state }) => void statuses.push(state),
    });
    const connection = await call.arrive(joining);
    const [session] = call.voice.sessions;
    const playing = connection.play(frames(3_000));
    await play.reshard(to);
    await call.clock.runUntil(() => connection.status.state === "live");
    // One request through the new shard, and a new voice session: the bot never left the channel.
    assertEquals(play.asked, [`${before} ${SECOND.channelId}`, `${after} ${SECOND.channelId}`]);
    assertEquals([play.channels.includes(null), statuses.includes("closed")], [false, false]);
    assertEquals([call.voice.sessions.length, call.voice.sessions[0] === session], [1, false]);
    // What was played goes on.
    await call.arrive(playing);

    connection.move(SECOND_OTHER);
    await call.clock.runUntil(() =>
      connection.channelId === SECOND_OTHER && connection.status.state === "live"
    );
    await call.arrive(connection.close());
    assertEquals(play.asked.slice(2), [`${after} ${SECOND_OTHER}`, `${after} null`]);
    assertEquals(call.violations, []);
    await play.close();
  });
}

Deno.test("fleet.joinVoice: while two sets are up, a voice connection receives and speaks through the shard that it was joined by", async () => {
  await using call = await Call.open({}, ROOMY);
  const play = await FleetCall.live(call);
  const connection = await call.arrive(play.fleet.joinVoice(SECOND.guildId, SECOND.channelId));
  const giveUp = new AbortController();
  const resharding = play.fleet.reshard(3, { overlapMs: 60_000, signal: giveUp.signal });
  await call.clock.runUntil(() => play.fleet.status.next?.counts.live === 3);
  await call.clock.advance(20_000);
  connection.move(SECOND_OTHER);
  await call.clock.runUntil(() =>
    connection.channelId === SECOND_OTHER && connection.status.state === "live"
  );
  assertEquals(play.asked, [`1/2 ${SECOND.channelId}`, `1/2 ${SECOND_OTHER}`]);
  giveUp.abort();
  await assertRejects(() => call.arrive(resharding), ReshardError);
  await call.clock.advance(1_000);
  assertEquals([play.asked.length, connection.status.state, play.channels.includes(null)], [
    2,
    "live",
    false,
  ]);
  await call.arrive(connection.close());
  await play.close();
});

Deno.test("fleet.joinVoice: joined by a new set that is then given up, a voice connection goes on through the old one", async () => {
  await using call = await Call.open({}, ROOMY);
  const play = await FleetCall.live(call);
  const giveUp = new AbortController();
  const resharding = play.fleet.reshard(3, { overlapMs: 60_000, signal: giveUp.signal });
  await call.clock.runUntil(() => play.fleet.status.next?.counts.live === 3);
  await call.clock.advance(20_000);
  const connection = await call.arrive(play.fleet.joinVoice(SECOND.guildId, SECOND.channelId));
  giveUp.abort();
  await assertRejects(() => call.arrive(resharding), ReshardError);
  await call.clock.runUntil(() => connection.status.state === "live");
  await call.clock.advance(1_000);
  assertEquals(play.asked, [`0/3 ${SECOND.channelId}`, `1/2 ${SECOND.channelId}`]);
  assertEquals([connection.status.state, play.channels.includes(null)], ["live", false]);
  await call.arrive(connection.close());
  assertEquals([play.asked.at(-1), call.violations], ["1/2 null", []]);
  await play.close();
});

Deno.test("fleet.joinVoice: a shard restarted with its session leaves the voice connection alone; with another it joins anew", async () => {
  await using call = await Call.open({}, ROOMY);
  const play = await FleetCall.live(call);
  const connection = await call.arrive(play.fleet.joinVoice(GUILD, VOICE));
  const [session] = call.voice.sessions;
  const restarted = async (resume: boolean) => {
    await call.arrive(play.fleet.restart(0, { resume }));
    await call.clock.runUntil(() => play.fleet.status.counts.live === 2);
    await call.clock.runUntil(() => connection.status.state === "live");
    await call.clock.advance(1_000);
  };
  await restarted(true);
  assertEquals([play.asked, call.voice.sessions[0] === session], [[`0/2 ${VOICE}`], true]);
  // And is heard through the new shard.
  call.voice.move(call.discord.user.id, { channelId: OTHER });
  await call.clock.runUntil(() => connection.channelId === OTHER && connection.status.state === "live");
  await restarted(false);
  assertEquals(play.asked, [`0/2 ${VOICE}`, `0/2 ${OTHER}`]);
  assertEquals([connection.status.state, connection.channelId], ["live", OTHER]);
  await call.arrive(connection.close());
  await play.close();
});

Deno.test("fleet.joinVoice: a join without a response delays a reshard only for a moment", async () => {
  await using call = await Call.open({}, ROOMY);
  const play = await FleetCall.live(call);
  const connection = await call.arrive(play.fleet.joinVoice(SECOND.guildId, SECOND.channelId));
  call.discord.faults.muteResponses = 1;
  await play.reshard(3);
  await call.clock.runUntil(() => connection.status.state === "closed");
  assert(connection.status.state === "closed");
  assertInstanceOf(connection.status.error, VoiceClosedError);
  assertEquals(play.fleet.status.counts, { live: 3 });
  await play.close();
});

Deno.test("fleet.joinVoice: a fleet that closes in a reshard leaves no timer behind", async () => {
  await using call = await Call.open({}, ROOMY);
  const play = await FleetCall.live(call);
  const connection = await call.arrive(play.fleet.joinVoice(SECOND.guildId, SECOND.channelId));
  call.discord.faults.muteResponses = 1;
  const resharding = play.fleet.reshard(3, { overlapMs: 1_000 }).catch((error: unknown) => error);
  await call.clock.runUntil(() => play.asked.length === 2);
  await play.close();
  assertInstanceOf(await resharding, ReshardError);
  await call.arrive(connection.close());
  assertEquals([connection.status.state, call.clock.pending], ["closed", 0]);
});

Deno.test("fleet.joinVoice: before the fleet has started, a join waits for its shard", async () => {
  await using call = await Call.open();
  const userId = call.discord.user.id;
  const { token, dial, fetch } = call.discord;
  const provider = voice(call.providerOptions);
  const fleet = new Fleet({ token, intents: INTENTS, dial, fetch, platform: call.clock, voice: provider });
  const joining = fleet.joinVoice(GUILD, VOICE, { userId });
  const running = fleet.run(() => {});
  const connection = await call.arrive(joining);
  assertEquals([connection.status.state, call.violations], ["live", []]);
  await call.arrive(connection.close());
  await fleet.close();
  await running;
});

Deno.test("fleet.joinVoice: a guild of another process, a fleet that closes first, and one without a voice provider", async () => {
  await using call = await Call.open({}, ROOMY);
  const play = await FleetCall.live(call, { shards: { ids: [0], count: 2 } });
  const options = { userId: call.discord.user.id };
  const error = await call.arrive(
    play.fleet.joinVoice(SECOND.guildId, SECOND.channelId, options).catch((error: unknown) => error),
  );
  assertInstanceOf(error, ShardNotHereError);
  assertEquals([error.shardId, error.shardCount], [1, 2]);
  await play.close();

  const { token, dial, fetch } = call.discord;
  const idle = new Fleet({
    token,
    intents: INTENTS,
    dial,
    fetch,
    platform: call.clock,
    voice: play.fleet.voice,
  });
  const joining = idle.joinVoice(GUILD, VOICE, options).catch((error: unknown) => error);
  await idle.close();
  assertInstanceOf(await call.arrive(joining), Error);

  const without = new Fleet({ token, intents: INTENTS, dial, fetch });
  // @ts-expect-error the compiler says so as well
  const missing: unknown = await without.joinVoice(GUILD, VOICE).catch((error: unknown) => error);
  assertInstanceOf(missing, MissingOptionError);
});

Deno.test("types: a fleet's joinVoice gives a VoiceConnection, and is there where a voice provider was given", () => {
  const fleet = new Fleet({ token: "token", guildEvents: ["MESSAGE_CREATE"], voice: voice() });
  assertType<IsExact<typeof fleet, Fleet<"MESSAGE_CREATE", never, never, Voice>>>(true);
  compiles(async () => {
    const connection = await fleet.joinVoice("1", "2", { selfDeaf: true });
    assertType<IsExact<typeof connection, VoiceConnection>>(true);
    // @ts-expect-error the guild is named once
    await fleet.joinVoice("1", "2", { guildId: "3" });
  });
});

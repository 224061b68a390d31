/** `shard.joinVoice()`: the voice provider that a shard is given, and a shard that was given none. */

import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { assertType, type IsExact } from "@std/testing/types";
import { MissingOptionError, Shard } from "../../shard/mod.ts";
import { joinVoice, type Voice, voice, VoiceClosedError, type VoiceConnection } from "../../voice/mod.ts";
import { Call, CLOSED, GUILD, OTHER, STAGE, VOICE } from "./call.ts";

const TOKEN = "token";

/** Is checked, not called. */
function compiles(_: () => unknown): void {}

Deno.test("shard.joinVoice: op 4 on the shard carries the options of the join, and the connection those of the provider", async () => {
  await using call = await Call.open();
  const shard = await call.shard();
  const connection = await call.arrive(shard.joinVoice(GUILD, OTHER, { selfDeaf: true, selfMute: true }));
  assertEquals([connection.status.state, connection.channelId], ["live", OTHER]);
  const commands = () => call.discord.journal.of("frame").filter(({ op }) => op === 4).map(({ d }) => d);
  const d = { guild_id: GUILD, channel_id: OTHER, self_mute: true, self_deaf: true };
  assertEquals(commands(), [d]);
  await call.arrive(connection.close());
  assertEquals(commands().slice(1), [{ ...d, channel_id: null }]);
  assertEquals(call.violations, []);
});

Deno.test("shard.joinVoice: the options of the join override those of the provider", async () => {
  await using call = await Call.open();
  const { token, dial, fetch } = call.discord;
  const said: string[] = [];
  const provider = voice({ ...call.providerOptions, selfDeaf: true, onStatus: () => void said.push("way") });
  const shard = new Shard({ token, intents: 1 << 7, voice: provider, dial, fetch, platform: call.clock });
  const running = shard.run(() => {});
  await call.clock.runUntil(() => shard.status.state === "live");
  const joining = shard.joinVoice(GUILD, STAGE, { dave: null, onStatus: () => void said.push("join") });
  const connection = await call.arrive(joining);
  assertEquals([connection.dave?.phase, said.includes("way"), said.includes("join")], ["plain", false, true]);
  const [op4] = call.discord.journal.of("frame").filter(({ op }) => op === 4);
  assertEquals(op4?.d, { guild_id: GUILD, channel_id: STAGE, self_mute: false, self_deaf: true });
  await call.arrive(connection.close());
  await shard.close();
  await running;
});

Deno.test("shard.joinVoice: a signal cancels the join, and the bot leaves", async () => {
  await using call = await Call.open();
  const shard = await call.shard();
  const giveUp = new AbortController();
  const joining = shard.joinVoice(GUILD, CLOSED, { signal: giveUp.signal }).catch((error: unknown) => error);
  await call.clock.advance(0);
  giveUp.abort("enough");
  assertEquals(await call.arrive(joining), "enough");
  // And can join again.
  const connection = await call.arrive(shard.joinVoice(GUILD, VOICE));
  assertEquals(connection.channelId, VOICE);
  await call.arrive(connection.close());
});

Deno.test("shard.joinVoice: one voice connection in a guild, by the method or by the function", async () => {
  await using call = await Call.open();
  const shard = await call.shard();
  const connection = await call.arrive(shard.joinVoice(GUILD, VOICE));
  await assertRejects(() => shard.joinVoice(GUILD, OTHER), TypeError, "in voice in this guild already");
  await assertRejects(() => joinVoice(shard, call.options), TypeError, "in voice in this guild already");
  await call.arrive(connection.close());
});

Deno.test("shard.joinVoice: no voice connection waits for a shard that is closed", async () => {
  await using call = await Call.open();
  const shard = await call.shard();
  const connection = await call.arrive(shard.joinVoice(GUILD, VOICE));
  await shard.close({ keepSession: true });
  assertEquals(connection.status.state, "live");
  call.voice.connections[0]?.close(4014);
  await call.clock.runUntil(() => connection.status.state === "closed");
  assert(connection.status.state === "closed");
  assertInstanceOf(connection.status.error, VoiceClosedError);
  assertEquals(connection.status.error.end, { cause: "disconnected", channelId: VOICE });
});

Deno.test("shard.joinVoice: without the intent, and without a voice provider, a typed error says what to do", async () => {
  const deaf = new Shard({ token: TOKEN, intents: 1, voice: voice({ media: false }) });
  await assertRejects(() => deaf.joinVoice("1", "2"), MissingOptionError, "GUILD_VOICE_STATES");
  const without = new Shard({ token: TOKEN, intents: 1 << 7 });
  // @ts-expect-error the compiler says so as well
  const error: unknown = await without.joinVoice("1", "2").catch((error: unknown) => error);
  assertInstanceOf(error, MissingOptionError);
  assertEquals([error.code, error.name], ["ERR_MISSING_VOICE", "MissingOptionError"]);
  assertEquals(error.message.includes("voice: voice()"), true, error.message);
});

Deno.test("types: joinVoice gives a VoiceConnection, and is there where a voice provider was given", () => {
  const provider = voice();
  const shard = new Shard({ token: TOKEN, guildEvents: ["MESSAGE_CREATE"], voice: provider });
  assertType<IsExact<typeof shard, Shard<"MESSAGE_CREATE", never, never, Voice>>>(true);
  assertType<IsExact<typeof shard.voice, Voice>>(true);
  compiles(async () => {
    const connection = await shard.joinVoice("1", "2", { selfDeaf: true, signal: AbortSignal.timeout(1) });
    assertType<IsExact<typeof connection, VoiceConnection>>(true);
    // @ts-expect-error the guild is named once
    await shard.joinVoice("1", "2", { guildId: "3" });
    // @ts-expect-error a channel is missing
    await shard.joinVoice("1");
    const perhaps = (voice: Voice | undefined) => new Shard({ token: TOKEN, intents: 0, voice });
    // @ts-expect-error perhaps it was given none
    await perhaps(way).joinVoice("1", "2");
    // A function that does not care takes either.
    const watch = (one: Shard<"MESSAGE_CREATE">) => one.status;
    watch(shard);
    watch(new Shard({ token: TOKEN, guildEvents: ["MESSAGE_CREATE"] }));
    // @ts-expect-error and does not get at voice
    const join = (one: Shard<"MESSAGE_CREATE">) => one.joinVoice("1", "2");
    join(shard);
  });
});

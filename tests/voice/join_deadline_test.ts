/** `joinVoice()` where sound never becomes possible: how long it tries, what it names as missing, and that the bot leaves. */

import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { DialError } from "../../shard/mod.ts";
import {
  joinVoice,
  type JoinVoiceOptions,
  VoiceClosedError,
  VoiceMediaError,
  type VoiceMissing,
  VoiceTimeoutError,
} from "../../voice/mod.ts";
import { Call, CLOSED, GUILD, STAGE, VOICE } from "./call.ts";

/** How each thing that a join waits for can be missing for ever. The group's keys are no part of a join. */
const FAULTS: { readonly [Missing in Exclude<VoiceMissing, "dave_keys">]: (call: Call) => void } = {
  voice_server: () => {},
  connection: ({ voice }) => {
    voice.faults.rejectDials = new Array(1_000).fill(503);
  },
  ready: ({ voice }) => {
    voice.faults.silentReady = Infinity;
  },
  address: ({ voice }) => {
    voice.faults.silentDiscovery = Infinity;
  },
  session_description: ({ voice }) => {
    voice.faults.silentDescription = Infinity;
  },
};

/** A main gateway that never responds, and whose own deadline is later. */
const SILENT: Partial<JoinVoiceOptions> = { channelId: CLOSED, joinTimeoutMs: 600_000 };

for (const [missing, fail] of Object.entries(FAULTS)) {
  Deno.test(`join: rejects after a minute, names what was missing, and leaves: ${missing}`, async () => {
    await using call = await Call.open();
    fail(call);
    const options = missing === "voice_server" ? SILENT : {};
    const { joined, gateway, statuses } = call.joining("alice", options);
    const error = await call.arrive(joined.catch((error: unknown) => error));
    assertInstanceOf(error, VoiceTimeoutError);
    assertEquals([error.code, error.missing], ["ERR_VOICE_TIMEOUT", missing]);
    assertEquals(error.message.startsWith("Cannot join voice: within 60000 ms nothing may leave: "), true);
    assertEquals(call.clock.now(), 60_000);
    // Nothing of the voice connection is left.
    assertEquals(statuses.at(-1), { state: "closed", error });
    const sent = gateway.commands.length;
    assertEquals([gateway.commands.at(-1), gateway.listening], [null, 0]);
    await call.clock.advance(600_000);
    assertEquals(gateway.commands.length, sent);
    assertEquals(call.voice.connections.length, 0);
    // The guild can be joined again.
    const { faults } = call.voice;
    Object.assign(faults, { rejectDials: [], silentReady: 0, silentDiscovery: 0, silentDescription: 0 });
    const { connection } = await call.join("alice");
    assertEquals(connection.channelId, VOICE);
  });
}

Deno.test("join: whenever the deadline passes, it names the step at which the attempts fail", async () => {
  const missing = new Set<VoiceMissing>();
  for (let deadlineMs = 12_000; deadlineMs < 60_000; deadlineMs += 1_000) {
    await using call = await Call.open();
    FAULTS.address(call);
    const { joined } = call.joining("alice", { deadlineMs });
    const error = await call.arrive(joined.catch((error: unknown) => error));
    assertInstanceOf(error, VoiceTimeoutError);
    missing.add(error.missing);
  }
  assertEquals([...missing], ["address"]);
});

Deno.test("join: the error of the last attempt is the cause", async () => {
  await using call = await Call.open();
  FAULTS.address(call);
  const dead = call.joining("alice").joined.catch((error: unknown) => error);
  const { cause } = await call.arrive(dead) as VoiceTimeoutError;
  assertInstanceOf(cause, VoiceMediaError);
  assertEquals(cause.code, "ERR_VOICE_MEDIA_DISCOVERY");
  FAULTS.connection(call);
  const refused = call.joining("alice").joined.catch((error: unknown) => error);
  assertInstanceOf((await call.arrive(refused) as VoiceTimeoutError).cause, DialError);
});

Deno.test("join: a server that Discord takes away between two attempts is what is missing then", async () => {
  await using call = await Call.open();
  FAULTS.address(call);
  const { joined, gateway, statuses } = call.joining("alice");
  const failed = joined.catch((error: unknown) => error);
  await call.clock.runUntil(() => statuses.at(-1)?.state === "disconnected");
  gateway.tellServer(GUILD, { token: "t", endpoint: null });
  const error = await call.arrive(failed);
  assertInstanceOf(error, VoiceTimeoutError);
  assertEquals([error.missing, error.cause], ["voice_server", undefined]);
});

Deno.test("join: success just before the deadline counts, and a voice connection has no deadline", async () => {
  await using call = await Call.open();
  call.voice.faults.silentDiscovery = 3;
  const { connection } = await call.join("alice", { channelId: STAGE, deadlineMs: 3_001 });
  await call.clock.advance(600_000);
  assertEquals(connection.status.state, "live");
  // Nor when it has to join anew.
  FAULTS.address(call);
  for (const one of call.voice.connections) one.close(4006);
  await call.clock.advance(600_000);
  call.voice.faults.silentDiscovery = 0;
  await call.clock.runUntil(() => connection.status.state === "live");
});

Deno.test("join: with Infinity there is no limit", async () => {
  await using call = await Call.open();
  FAULTS.session_description(call);
  const { joined } = call.joining("alice", { deadlineMs: Infinity });
  let over = false;
  const speaker = joined.finally(() => over = true);
  await call.clock.advance(600_000);
  assertEquals(over, false);
  call.voice.faults.silentDescription = 0;
  assertEquals((await call.arrive(speaker)).connection.status.state, "live");
});

Deno.test("join: no response for the channel ends it before, and is no VoiceTimeoutError", async () => {
  await using call = await Call.open();
  const { joined } = call.joining("alice", { channelId: CLOSED });
  const error = await call.arrive(joined.catch((error: unknown) => error));
  assertInstanceOf(error, VoiceClosedError);
  assertEquals([error.end.cause, call.clock.now()], ["timeout", 15_000]);
});

Deno.test("join: through a shard, the provider's deadline holds where the join has none, and the bot leaves by op 4", async () => {
  await using call = await Call.open();
  const shard = await call.shard({ deadlineMs: 5_000 });
  FAULTS.ready(call);
  const begun = call.clock.now();
  const joining = (options?: { readonly deadlineMs: number }) =>
    call.arrive(shard.joinVoice(GUILD, VOICE, options).catch((error: unknown) => error));
  assertInstanceOf(await joining(), VoiceTimeoutError);
  assertEquals(call.clock.now() - begun, 5_000);
  assertInstanceOf(await joining({ deadlineMs: 2_000 }), VoiceTimeoutError);
  assertEquals(call.clock.now() - begun, 7_000);
  await call.clock.advance(1_000);
  const commands = call.discord.journal.of("frame").filter(({ op }) => op === 4);
  const channels = commands.map(({ d }) => (d as { readonly channel_id: string | null }).channel_id);
  assertEquals(channels, [VOICE, null, VOICE, null]);
});

Deno.test("join and play: an invalid deadline is rejected at once", async () => {
  await using call = await Call.open();
  for (const deadlineMs of [NaN, -1, -Infinity]) {
    const gateway = call.voice.gatewayOf("alice");
    const options = { ...call.options, deadlineMs };
    const says = `Cannot join voice: deadlineMs must be 0 or more: ${deadlineMs}`;
    await assertRejects(() => joinVoice(gateway, options), RangeError, says);
    assertEquals(gateway.commands, []);
  }
  const { connection } = await call.join("alice", { channelId: STAGE });
  for (const deadlineMs of [NaN, -1]) {
    const says = `Cannot play: deadlineMs must be 0 or more: ${deadlineMs}`;
    await assertRejects(() => connection.play([], { deadlineMs }), RangeError, says);
  }
});

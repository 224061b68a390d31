/** What a voice connection recovers from: cuts, crashes, moves, other servers; and what ends it. */

import { assert, assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import {
  joinVoice,
  VoiceClosedError,
  type VoiceConnection,
  VoiceMediaError,
  type VoiceStatus,
} from "../../voice/mod.ts";
import { MissingOptionError, Shard } from "../../shard/mod.ts";
import { Call, CLOSED, frames, GUILD, OTHER, record, sound, type Speaker, STAGE, VOICE } from "./call.ts";

/** An endless source of frames that can be told apart. */
function* endless(): Generator<Uint8Array> {
  for (let at = 0;; at++) yield new Uint8Array([0xfc, at >> 8 & 0xff, at & 0xff, 1]);
}

function states(statuses: readonly VoiceStatus[]): string {
  return statuses.map(({ state }) => state).join(" ");
}

/** Two in a call, with the group's keys. */
async function pair(call: Call): Promise<[Speaker, Speaker]> {
  const [alice, bob] = [await call.join("alice"), await call.join("bob")];
  await call.secured(alice, bob);
  return [alice, bob];
}

/** Both hear each other within a second. */
async function assertHear(call: Call, ...speakers: readonly Speaker[]): Promise<void> {
  for (const from of speakers) {
    const others = speakers.filter((one) => one !== from);
    const streams = others.map(({ connection }) => connection.receive(from.id));
    const heard = streams.map((stream) => record(stream));
    const begun = call.clock.now();
    const stop = new AbortController();
    const playing = from.connection.play(endless(), { signal: stop.signal }).catch(() => {});
    await call.clock.runUntil(() => heard.every(({ packets }) => sound(packets).length >= 5), {
      limitMs: 1_000,
    });
    assert(call.clock.now() - begun <= 1_000);
    stop.abort();
    await call.arrive(playing);
    await Promise.all(heard.map(({ stop }) => stop()));
  }
}

Deno.test("voice connection: the statuses up to live", async () => {
  await using call = await Call.open();
  const alice = await call.join("alice");
  assertEquals(
    states(alice.statuses),
    "joining dialing awaiting_hello identifying discovering selecting live",
  );
  assertEquals(alice.gateway.commands, [VOICE]);
  await call.arrive(alice.connection.close());
  assertEquals([alice.gateway.commands, alice.gateway.listening], [[VOICE, null], 0]);
  assertEquals([alice.statuses.at(-1), call.violations], [{ state: "closed", error: null }, []]);
  await call.arrive(alice.connection.close());
  assertEquals(alice.gateway.commands.length, 2);
});

Deno.test("voice connection: a cut is resumed, nothing played is lost, and the group is the same", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  const heard = record(bob.connection.receive(alice.id));
  const epoch = alice.connection.dave?.epoch;
  const playing = alice.connection.play(frames(500));
  await call.clock.advance(2_000);
  call.voice.connections.find(({ session }) => session?.credentials.userId === alice.id)?.drop();
  await call.clock.advance(1_000);
  call.voice.connections.find(({ session }) => session?.credentials.userId === bob.id)?.drop();
  await call.arrive(playing);
  await call.clock.advance(1_000);
  assertEquals(sound(heard.packets), frames(500).map((frame) => frame.join()));
  assertEquals([alice.connection.dave?.epoch, alice.connection.status.state], [epoch, "live"]);
  assertEquals(call.voice.journal.of("session").filter(({ change }) => change === "resumed").length, 2);
  assertEquals([call.voice.media.plain, call.violations], [0, []]);
  const disconnected = alice.statuses.find((status) => status.state === "disconnected");
  assert(disconnected?.state === "disconnected");
  assertEquals([disconnected.cause, disconnected.action], ["connection_lost", "resume"]);
});

Deno.test("voice connection: all servers crash, everybody resumes", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  call.voice.crash();
  await call.clock.advance(5_000);
  await assertHear(call, alice, bob);
  assertEquals([call.voice.media.plain, call.violations], [0, []]);
});

Deno.test("voice connection: a rejected resume leads to a new join, and playing goes on", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  const heard = record(bob.connection.receive(alice.id));
  const playing = alice.connection.play(frames(1_000));
  await call.clock.advance(1_000);
  call.voice.faults.refuseResumes = 1;
  call.voice.connections.find(({ session }) => session?.credentials.userId === alice.id)?.drop();
  await call.arrive(playing);
  await call.clock.advance(1_000);
  assertEquals(alice.gateway.commands, [VOICE, VOICE]);
  const last = frames(1_000).at(-1)?.join();
  assertEquals([sound(heard.packets).at(-1), call.voice.media.plain], [last, 0]);
  assertEquals(call.violations, []);
});

Deno.test("voice connection: the bot moves, and is moved; playing goes on there", async () => {
  await using call = await Call.open();
  const bob = await call.join("bob", { channelId: OTHER });
  const alice = await call.join("alice");
  const heard = record(bob.connection.receive(alice.id));
  const stop = new AbortController();
  const playing = alice.connection.play(endless(), { signal: stop.signal }).catch(() => {});
  await call.clock.advance(500);
  assertEquals(heard.packets.length, 0);
  alice.connection.move(OTHER);
  await call.clock.runUntil(() => sound(heard.packets).length > 10);
  assertEquals([alice.connection.channelId, alice.events.filter(({ type }) => type === "moved")], [OTHER, [
    { type: "moved", channelId: OTHER },
  ]]);
  alice.gateway.tell(call.voice.move("alice", { channelId: VOICE }));
  await call.clock.runUntil(() => alice.connection.channelId === VOICE);
  await call.clock.runUntil(() => alice.connection.status.state === "live");
  stop.abort();
  await call.arrive(playing);
  assertEquals(call.violations, []);
});

Deno.test("voice connection: another voice server takes over", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  const changing = call.voice.changeRegion({ afterMs: 2_000 });
  for (const { gateway } of [alice, bob]) gateway.tellServer(GUILD, { token: "", endpoint: null });
  await call.clock.advance(1_000);
  assertEquals([alice.connection.status, bob.connection.status], [{ state: "joining" }, {
    state: "joining",
  }]);
  const found = await call.arrive(changing);
  for (const { gateway, id } of [alice, bob]) {
    const credentials = found.get(id);
    assert(credentials);
    gateway.tellServer(GUILD, credentials);
  }
  await call.clock.advance(500);
  await call.secured(alice, bob);
  await assertHear(call, alice, bob);
  assertEquals(call.violations, []);
});

Deno.test("voice connection: a kick ends it, and everything that waits for it", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  const heard = record(alice.connection.receive(bob.id));
  const playing = alice.connection.play(endless()).then(() => null, (error) => error);
  await call.clock.advance(100);
  call.voice.kick("alice");
  alice.gateway.tellState(GUILD, null);
  const error = await call.arrive(playing);
  assertInstanceOf(error, VoiceClosedError);
  assertEquals([error.code, error.end], ["ERR_VOICE_CLOSED", { cause: "kicked", channelId: VOICE }]);
  assertStrictEquals(await heard.end, error);
  const status = alice.connection.status;
  assert(status.state === "closed");
  assertStrictEquals(status.error, error);
  assertStrictEquals(await alice.connection.play([]).catch((error) => error), error);
  assertEquals(alice.gateway.commands, [VOICE]);
  await call.arrive(bob.connection.close());
  assertEquals(call.violations, []);
});

Deno.test("voice connection: while a group gives no keys, requests for it become rarer, until it does", async () => {
  await using call = await Call.open();
  const alice = await call.join("alice");
  call.voice.faults.dave.emptyWelcomes = Infinity;
  const bob = await call.join("bob");
  const recoveries = () => bob.events.filter(({ type }) => type === "dave_recovery").length;
  await call.clock.advance(10_000);
  // After 0, 1, 3 and 7 seconds.
  assertEquals([recoveries(), bob.connection.dave?.phase], [4, "joining"]);
  await call.clock.advance(50_000);
  // After 15 and 31 seconds.
  assertEquals([recoveries(), bob.connection.status.state], [6, "live"]);
  call.voice.faults.dave.emptyWelcomes = 0;
  await call.secured(alice, bob);
  await assertHear(call, alice, bob);
  assertEquals([recoveries(), call.violations], [7, []]);
});

Deno.test("voice connection: for a channel that is closed to the bot no response comes", async () => {
  await using call = await Call.open();
  const { joined, gateway } = call.joining("alice", { channelId: CLOSED, joinTimeoutMs: 3_000 });
  const error = await call.arrive(joined.then(() => null, (error) => error));
  assertInstanceOf(error, VoiceClosedError);
  assertEquals([error.end.cause, call.clock.now(), gateway.commands], ["timeout", 3_000, [CLOSED, null]]);
  assertEquals(call.clock.pending, 0);
  // The guild can be joined again.
  await call.join("alice");
});

Deno.test("voice connection: a signal cancels a join", async () => {
  await using call = await Call.open();
  const stop = new AbortController();
  const { joined, gateway } = call.joining("alice", { channelId: CLOSED, signal: stop.signal });
  const failed = joined.catch((error) => error);
  await call.clock.advance(100);
  stop.abort("changed my mind");
  assertEquals([await call.arrive(failed), gateway.commands], ["changed my mind", [CLOSED, null]]);
  assertEquals(call.clock.pending, 0);
});

Deno.test("voice connection: without DAVE a call rejects the bot for good, a stage does not", async () => {
  await using call = await Call.open();
  const { joined } = call.joining("alice", { dave: null });
  const error = await call.arrive(joined.catch((error) => error));
  assertInstanceOf(error, VoiceClosedError);
  assertEquals(error.end.cause, "stopped");
  const speaker = await call.join("alice", { dave: null, channelId: STAGE });
  const listener = await call.join("bob", { channelId: STAGE });
  assertEquals(listener.connection.dave?.phase, "plain");
  await assertHear(call, speaker, listener);
});

Deno.test("voice connection: the discovery is repeated, and given up", async () => {
  await using call = await Call.open();
  call.voice.faults.silentDiscovery = 3;
  await call.join("alice");
  assertEquals(call.clock.now(), 3_000);
  call.voice.faults.silentDiscovery = Infinity;
  const { joined, statuses } = call.joining("bob", { discovery: { retryMs: 100, timeoutMs: 1_000 } });
  void joined.catch(() => {});
  await call.clock.runUntil(() => statuses.at(-1)?.state === "disconnected");
  const last = statuses.at(-1);
  assert(last?.state === "disconnected");
  assertInstanceOf(last.error, VoiceMediaError);
  assertEquals([last.cause, last.action, last.error.code], [
    "media_failed",
    "rejoin",
    "ERR_VOICE_MEDIA_DISCOVERY",
  ]);
  call.voice.faults.silentDiscovery = 0;
  await call.arrive(joined);
  assertEquals(call.violations, []);
});

Deno.test("voice connection: a socket without permission ends the join, and its error is the cause", async () => {
  await using call = await Call.open();
  const refused = new VoiceMediaError("no", { code: "ERR_VOICE_MEDIA_PERMISSION" });
  const { joined, gateway } = call.joining("alice", { openUdp: () => Promise.reject(refused) });
  const error = await call.arrive(joined.catch((error) => error));
  assertInstanceOf(error, VoiceClosedError);
  assertStrictEquals(error.cause, refused);
  assertEquals(gateway.commands, [VOICE, null]);
});

Deno.test("voice connection: without media the voice gateway alone is joined", async () => {
  await using call = await Call.open();
  const bob = await call.join("bob");
  const alice = await call.join("alice", { media: false });
  assertEquals([alice.connection.status.state, alice.connection.userIds], ["live", [bob.id]]);
  const error = await alice.connection.play([]).catch((error) => error);
  assertInstanceOf(error, VoiceMediaError);
  assertEquals(error.code, "ERR_VOICE_MEDIA_UNSUPPORTED");
  try {
    alice.connection.receive(bob.id);
    throw new Error("unreachable");
  } catch (error) {
    assertInstanceOf(error, VoiceMediaError);
  }
});

Deno.test("voice connection: a wrong option of a join is reported before op 4 is sent", async () => {
  await using call = await Call.open();
  const { token, dial, fetch } = call.discord;
  const deaf = new Shard({ token, intents: 1, dial, fetch, platform: call.clock });
  await assertRejects(
    () => joinVoice(deaf, call.options),
    MissingOptionError,
    "Cannot join voice: VOICE_STATE_UPDATE needs an intent that the shard has not: GUILD_VOICE_STATES",
  );
  const idle = new Shard({ token, intents: 1 << 7, dial, fetch, platform: call.clock });
  await assertRejects(() => joinVoice(idle, call.options), TypeError, "user id is not known");
  const alice = await call.join("alice");
  await assertRejects(() => joinVoice(alice.gateway, call.options), TypeError, "already, move it: 4000");
  const aborted = joinVoice(call.voice.gatewayOf("bob"), {
    ...call.options,
    signal: AbortSignal.abort("no"),
  });
  assertEquals(await aborted.catch((error) => error), "no");
});

Deno.test("voice connection: a shard that resumes does not disturb it, one with a new session joins again", async () => {
  await using call = await Call.open();
  const shard = await call.shard();
  const statuses: VoiceStatus[] = [];
  const bot: VoiceConnection = await call.arrive(
    joinVoice(shard, { ...call.options, onStatus: (status) => void statuses.push(status) }),
  );
  const alice = await call.join("alice");
  await call.secured(alice);
  assert(shard.userId);
  const heard = record(alice.connection.receive(shard.userId));
  const playing = bot.play(frames(300));
  await call.clock.advance(1_000);
  const before = statuses.length;
  call.discord.connections[0]?.drop();
  await call.arrive(playing);
  await call.clock.advance(1_000);
  assertEquals([call.discord.journal.resumes().length, statuses.length], [1, before]);
  assertEquals(sound(heard.packets), frames(300).map((frame) => frame.join()));

  call.discord.connections[0]?.invalidateSession(false);
  await call.clock.runUntil(() => call.discord.journal.identifies().length === 2);
  await call.clock.runUntil(() => bot.status.state === "live" && statuses.length > before);
  await call.clock.runUntil(() => bot.dave?.phase === "secured", { limitMs: 5_000 });
  const again = bot.play(frames(20, 9));
  await call.arrive(again);
  await call.clock.advance(1_000);
  assertEquals(sound(heard.packets).slice(300), frames(20, 9).map((frame) => frame.join()));
  await call.arrive(bot.close());
  assertEquals([bot.status.state, call.violations], ["closed", []]);
});

Deno.test("voice connection: an error in a callback ends it with that error", async () => {
  await using call = await Call.open();
  const thrown = new Error("a bug");
  const bob = await call.join("bob", {
    onEvent: ({ type }) => {
      if (type === "connected") throw thrown;
    },
  });
  await call.join("alice");
  const { status } = bob.connection;
  assert(status.state === "closed");
  assertStrictEquals(status.error, thrown);
  assertEquals(bob.gateway.commands, [VOICE, null]);
});

Deno.test("voice connection: it plays one source at a time, and gives one stream for each user", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  const playing = alice.connection.play(frames(10));
  await assertRejects(() => alice.connection.play(frames(1)), TypeError, "something is being played already");
  await call.arrive(playing);
  await call.arrive(alice.connection.play(frames(1)));
  const stream = bob.connection.receive(alice.id);
  try {
    bob.connection.receive(alice.id);
    throw new Error("unreachable");
  } catch (error) {
    assertInstanceOf(error, TypeError);
  }
  await stream.cancel();
  await bob.connection.receive(alice.id).cancel();
});

Deno.test("voice connection: a slow reader loses the oldest packets, and the next one says how many", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  const stream = bob.connection.receive(alice.id, { maxQueued: 10 });
  await call.arrive(alice.connection.play(frames(100)));
  await call.clock.advance(1_000);
  const reader = stream.getReader();
  const { value } = await reader.read();
  assertEquals([value?.lost, value?.frame.join()], [95, frames(100)[95]?.join()]);
  await reader.cancel();
});

Deno.test("voice connection: a bad network is survived: every packet is heard, or marked as lost", async () => {
  await using call = await Call.open();
  const [alice, bob] = await pair(call);
  Object.assign(call.voice.uplink, { loss: 0.05, reordering: 0.1, duplicates: 0.1, jitterMs: 15 });
  Object.assign(call.voice.downlink, { loss: 0.05, corruption: 0.02, truncation: 0.02, reordering: 0.1 });
  const heard = record(bob.connection.receive(alice.id));
  await call.arrive(alice.connection.play(frames(1_500)));
  await call.clock.advance(1_000);
  const positions = heard.packets.map(({ sequence }) => sequence);
  let next = positions[0] ?? 0;
  for (const { sequence, lost } of heard.packets) {
    assertEquals(sequence, (next + lost) % 65_536);
    next = (sequence + 1) % 65_536;
  }
  const missing = heard.packets.reduce((sum, { lost }) => sum + lost, 0);
  assert(missing > 50 && heard.packets.length > 1_200, `${missing} of ${heard.packets.length}`);
  const dropped = bob.connection.counters.media?.dropped;
  assert(dropped && dropped.forged > 0 && dropped.replayed + dropped.short >= 0);
  assertEquals(call.voice.media.plain, 0);
});

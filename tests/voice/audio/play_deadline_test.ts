/** `play()` while nothing may be sent: how long it waits, and what it names as missing. */

import davey from "@snazzah/davey";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import {
  type DaveProvider,
  daveyProvider,
  type VoiceMissing,
  VoiceTimeoutError,
} from "../../../voice/mod.ts";
import { Call, frames, GUILD, type Speaker, STAGE, VOICE } from "../call.ts";

/** What `play` rejects with. */
async function timedOut(
  call: Call,
  { connection }: Speaker,
  deadlineMs?: number,
): Promise<VoiceTimeoutError> {
  const options = deadlineMs === undefined ? {} : { deadlineMs };
  const error = await call.arrive(connection.play(frames(3), options).catch((error: unknown) => error));
  assertInstanceOf(error, VoiceTimeoutError);
  assertEquals(error.code, "ERR_VOICE_TIMEOUT");
  return error;
}

/** How each thing that sound waits for can be missing. */
const FAULTS: { readonly [Missing in VoiceMissing]: (call: Call, speaker: Speaker) => void } = {
  voice_server: (_, { gateway }) => {
    gateway.tellServer(GUILD, { token: "t", endpoint: null });
  },
  connection: ({ voice }) => {
    voice.faults.rejectDials = new Array(1_000).fill(503);
    for (const connection of voice.connections) connection.drop();
  },
  ready: ({ voice }) => {
    voice.faults.silentReady = Infinity;
    voice.faults.refuseResumes = Infinity;
    for (const connection of voice.connections) connection.close(4006);
  },
  address: ({ voice }) => {
    voice.faults.silentDiscovery = Infinity;
    for (const connection of voice.connections) connection.close(4006);
  },
  session_description: ({ voice }) => {
    voice.faults.silentDescription = Infinity;
    for (const connection of voice.connections) connection.close(4006);
  },
  dave_keys: ({ voice }) => {
    for (const connection of voice.connections.slice(0, 1)) connection.close(4006);
  },
};

/** Gives keys to the first session only: a client that joins later hears of the group, and is not added to it. */
function keysOnce(): DaveProvider {
  const provider = daveyProvider(davey);
  let sessions = 0;
  return {
    maxVersion: provider.maxVersion,
    create: (options) => {
      const session = provider.create(options);
      if (sessions++ === 0) return session;
      const ignored = { outcome: "ignored", reason: "not here" } as const;
      session.processWelcome = () => ignored;
      session.processCommit = () => ignored;
      return session;
    },
  };
}

for (const [missing, fail] of Object.entries(FAULTS)) {
  Deno.test(`play: rejects after its deadline, and names what was missing: ${missing}`, async () => {
    await using call = await Call.open();
    const alice = await call.join("alice", { dave: keysOnce() });
    const bob = await call.join("bob");
    await call.secured(alice, bob);
    fail(call, alice);
    // A moment later it stands where it will stand.
    await call.clock.advance(2_000);
    const error = await timedOut(call, alice, 3_000);
    assertEquals(error.missing, missing);
    assert(error.message.startsWith("Cannot play: within 3000 ms nothing may leave: "), error.message);
    // The voice connection is not over by that.
    assert(alice.connection.status.state !== "closed");
  });
}

Deno.test("play: success before the deadline counts, and the next attempt has a full deadline", async () => {
  await using call = await Call.open();
  const alice = await call.join("alice", { channelId: STAGE });
  await call.join("bob", { channelId: STAGE });
  call.voice.faults.rejectDials = [503, 503];
  call.voice.connections[0]?.close(4006);
  await timedOut(call, alice, 1);
  await call.arrive(alice.connection.play(frames(3)));
  assertEquals([alice.connection.status.state, alice.connection.counters.sent], ["live", 8]);
});

Deno.test("play: without keys it waits a minute by default, and with Infinity as long as the voice connection lasts", async () => {
  await using call = await Call.open();
  const alice = await call.join("alice", { dave: keysOnce() });
  const bob = await call.join("bob");
  await call.secured(alice, bob);
  FAULTS.dave_keys(call, alice);
  await call.clock.advance(2_000);
  const { message } = await timedOut(call, alice);
  assert(message.includes("within 60000 ms"), message);
  let over = false;
  const playing = alice.connection.play(frames(3), { deadlineMs: Infinity }).catch((error: unknown) => error);
  playing.then(() => over = true);
  await call.clock.advance(600_000);
  assertEquals([over, alice.connection.channelId], [false, VOICE]);
  await call.arrive(alice.connection.close());
  await call.arrive(playing);
});

/** A transport key whose nonces are used up: nothing more leaves under it, and a new voice session brings another. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { VoiceConnection } from "../../../voice/connection.ts";
import { VoiceMediaError, type VoiceStatus } from "../../../voice/mod.ts";
import { createTransportCipher } from "../../../voice/core.ts";
import { Call, frames, record, sound } from "../call.ts";

/** Packets that the first key has nonces for. */
const LEFT = 7;

Deno.test("voice connection: when a key has no nonce left, a new session brings a new key, and playing goes on", async () => {
  await using call = await Call.open();
  const alice = await call.join("alice");
  const statuses: VoiceStatus[] = [];
  const keys: string[] = [];
  const userId = call.idOf("bob");
  const gateway = call.voice.gatewayOf("bob");
  const { dial, openUdp } = call.voice;
  const bob = new VoiceConnection({
    options: { ...call.options, onStatus: (status) => void statuses.push(status) },
    gateway,
    userId,
    dial,
    openUdp,
    platform: call.clock,
    createCipher: (options) => {
      keys.push(options.key.join());
      return createTransportCipher(keys.length === 1 ? { ...options, firstNonce: 2 ** 32 - LEFT } : options);
    },
    onClosed: () => {},
  });
  await call.arrive(bob.start(Infinity));
  await call.clock.runUntil(() =>
    bob.dave?.phase === "secured" && alice.connection.dave?.phase === "secured"
  );
  const heard = record(alice.connection.receive(userId));
  const played = frames(200);
  await call.arrive(bob.play(played));
  await call.clock.advance(1_000);

  const ends = statuses.flatMap((status) => status.state === "disconnected" ? [status] : []);
  assertEquals(ends.map(({ cause, action }) => [cause, action]), [["media_failed", "rejoin"]]);
  const error = ends[0]?.error;
  assertInstanceOf(error, VoiceMediaError);
  assertEquals(error.code, "ERR_NONCE_EXHAUSTED");
  assertEquals([bob.status.state, gateway.commands.length, new Set(keys).size], ["live", 2, 2]);

  // Seven left under the first key, and the rest under the second, but for the one that found no nonce.
  const came = sound(heard.packets);
  const sent = played.map((frame) => frame.join());
  assertEquals(came.slice(0, LEFT), sent.slice(0, LEFT));
  assert(came.length > LEFT, "it goes on");
  assertEquals(came.at(-1), sent.at(-1));
  assertEquals(came.length, new Set(came).size, "no frame twice");
  assertEquals(call.voice.media.plain, 0);
  assertEquals(call.violations, []);
  await call.arrive(bob.close());
});

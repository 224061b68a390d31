/** Streams of what users say: whose a packet is, in which order, and who reads it when. */

import { assertEquals, assertThrows } from "@std/assert";
import type { DaveReceived } from "../../../voice/core.ts";
import { ReceiveStreams } from "../../../voice/audio/receive_streams.ts";
import { VirtualClock } from "../../fake/mod.ts";
import { record } from "../call.ts";

interface Stage {
  readonly clock: VirtualClock;
  readonly streams: ReceiveStreams;
  readonly users: Map<number, string>;
  /** Frames that were decrypted, by user. */
  readonly decrypted: string[];
  say(ssrc: number, sequence: number, byte?: number): void;
}

function stage(): Stage {
  const clock = new VirtualClock();
  const users = new Map<number, string>();
  const decrypted: string[] = [];
  const streams = new ReceiveStreams({
    clock,
    userOf: (ssrc) => users.get(ssrc) ?? null,
    decrypt: (user, frame): DaveReceived => {
      decrypted.push(`${user}: ${frame}`);
      return frame[0] === 0 ? { frame: null, dropped: "undecryptable" } : { frame, dropped: null };
    },
  });
  const say = (ssrc: number, sequence: number, byte = sequence) =>
    streams.packet({ ssrc, sequence, timestamp: sequence * 960, payload: Uint8Array.of(byte) });
  return { clock, streams, users, decrypted, say };
}

Deno.test("receive streams: packets that come before the message that names their sender wait for it", async () => {
  const { clock, streams, users, say } = stage();
  const alice = record(streams.stream("alice"));
  const bob = record(streams.stream("bob"));
  say(1, 10);
  say(2, 20);
  say(1, 11);
  users.set(1, "alice");
  streams.named();
  await clock.advance(0);
  assertEquals([alice.packets.map(({ sequence }) => sequence), bob.packets.length], [[10, 11], 0]);
  users.set(2, "bob");
  await clock.advance(2_001);
  streams.named();
  await clock.advance(0);
  assertEquals(bob.packets, []);
  await Promise.all([alice.stop(), bob.stop()]);
});

Deno.test("receive streams: where no message came, the next packet with a known sender delivers those that wait", async () => {
  const { clock, streams, users, say } = stage();
  const alice = record(streams.stream("alice"));
  say(1, 10);
  say(1, 11);
  users.set(1, "alice");
  say(1, 12);
  await clock.advance(0);
  assertEquals(alice.packets.map(({ sequence, lost }) => [sequence, lost]), [[10, 0], [11, 0], [12, 0]]);
  await alice.stop();
});

Deno.test("receive streams: frames of a user without a stream are not decrypted", async () => {
  const { clock, streams, users, decrypted, say } = stage();
  users.set(1, "alice").set(2, "bob");
  say(1, 1);
  const alice = record(streams.stream("alice"));
  say(1, 2);
  say(2, 3);
  await clock.advance(0);
  assertEquals([decrypted, alice.packets.length], [["alice: 2"], 1]);
  await alice.stop();
  say(1, 4);
  assertEquals(decrypted.length, 1);
});

Deno.test("receive streams: a gap is marked after 60 ms; a frame that does not decrypt is a gap", async () => {
  const { clock, streams, users, say } = stage();
  users.set(1, "alice");
  const alice = record(streams.stream("alice"));
  say(1, 1);
  say(1, 2, 0);
  say(1, 3);
  await clock.advance(59);
  assertEquals(alice.packets.length, 1);
  await clock.advance(1);
  assertEquals(alice.packets.map(({ sequence, lost }) => [sequence, lost]), [[1, 0], [3, 1]]);
  assertEquals(clock.pending, 0);
  await alice.stop();
});

Deno.test("receive streams: each gap gets 60 ms, also after another one", async () => {
  const { clock, streams, users, say } = stage();
  users.set(1, "alice");
  const alice = record(streams.stream("alice"));
  say(1, 1);
  say(1, 3);
  await clock.advance(50);
  say(1, 2);
  say(1, 5);
  await clock.advance(50);
  say(1, 4);
  await clock.advance(0);
  assertEquals(alice.packets.map(({ sequence, lost }) => [sequence, lost]), [
    [1, 0],
    [2, 0],
    [3, 0],
    [4, 0],
    [5, 0],
  ]);
  assertEquals(clock.pending, 0);
  await alice.stop();
});

Deno.test("receive streams: a new source of the same user begins without a mark", async () => {
  const { clock, streams, users, say } = stage();
  users.set(1, "alice").set(9, "alice");
  const alice = record(streams.stream("alice"));
  say(1, 100);
  say(1, 102);
  say(9, 5);
  await clock.advance(0);
  assertEquals(alice.packets.map(({ sequence, lost }) => [sequence, lost]), [[100, 0], [102, 1], [5, 0]]);
  await alice.stop();
  assertEquals(clock.pending, 0);
});

Deno.test("receive streams: the end comes after the packets that wait, with its error or without", async () => {
  for (const error of [null, new Error("kicked")]) {
    const { clock, streams, users, say } = stage();
    users.set(1, "alice");
    const alice = record(streams.stream("alice"));
    const late = streams.stream("bob");
    say(1, 1);
    say(1, 3);
    streams.close(error);
    assertEquals([await alice.end, alice.packets.length, clock.pending], [error, 2, 0]);
    assertEquals([await record(late).end, await record(streams.stream("alice")).end], [error, error]);
  }
});

Deno.test("receive streams: one stream of a user at a time, with capacity for at least one packet", () => {
  const { streams } = stage();
  streams.stream("alice");
  assertThrows(() => streams.stream("alice"), TypeError, "the user is listened to already: alice");
  assertThrows(() => streams.stream("bob", { maxQueued: 0 }), RangeError, "at least one packet");
});

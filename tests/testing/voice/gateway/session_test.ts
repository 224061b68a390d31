import { assertEquals } from "@std/assert";
import { VoiceSession } from "../../../fake/voice/gateway/session.ts";

const CREDENTIALS = {
  endpoint: "a:1",
  token: "t",
  sessionId: "s",
  guildId: "1",
  channelId: "2",
  userId: "3",
};

function session(firstSequence: number, replayLimit = 3): VoiceSession {
  const key = new Uint8Array(32);
  return new VoiceSession({
    credentials: CREDENTIALS,
    ssrc: 1,
    key,
    maxDaveVersion: 1,
    firstSequence,
    replayLimit,
  });
}

Deno.test("voice session: JSON and binary messages count in one sequence of 16 bits, which goes around", () => {
  const one = session(65_535);
  assertEquals(one.sequence, -1);
  assertEquals(JSON.parse(String(one.number(13, { user_id: "1" }).frame)), {
    op: 13,
    d: { user_id: "1" },
    seq: 65_535,
  });
  assertEquals([...one.numberBinary(27, Uint8Array.of(9)).frame], [0, 0, 27, 9]);
  assertEquals(one.sequence, 0);
});

Deno.test("voice session: what was missed is kept up to a limit, and known across the turn of the sequence", () => {
  const one = session(65_535);
  for (let op = 0; op < 3; op++) one.number(op, null);
  const missed = (sequence: number) => one.after(sequence)?.map(({ op }) => op) ?? null;
  assertEquals([missed(-1), missed(65_534), missed(65_535), missed(1)], [[0, 1, 2], [0, 1, 2], [1, 2], []]);
  assertEquals([missed(2), missed(4711)], [null, null]);
  one.number(3, null);
  assertEquals([missed(-1), missed(65_534), missed(65_535), missed(0)], [null, null, null, [2, 3]]);
});

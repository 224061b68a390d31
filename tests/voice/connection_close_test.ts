/** What a voice connection makes of each close code: the verdict table, carried out. */

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { VoiceClosedError } from "../../voice/mod.ts";
import { VOICE_CLOSE_CODES } from "../../voice/core.ts";
import { Call, VOICE } from "./call.ts";

const RESUMED = [1001, 1006, 4013, 4015];
const WAITED = [4014, 4021, 4022];
const STOPPED = [4017];

for (const code of [...new Set([1001, 4321, ...VOICE_CLOSE_CODES.map((row) => row.code)])]) {
  Deno.test(`voice connection: close code ${code}`, async () => {
    await using call = await Call.open();
    const { connection, gateway, statuses } = await call.join("alice");
    await call.clock.advance(1_000);
    const [peer] = call.voice.connections;
    assert(peer);
    const before = statuses.length;
    peer.close(code);
    await call.clock.runUntil(() => statuses.length > before);
    const status = statuses[before];
    assert(status?.state === "disconnected");
    assertEquals(status.closeCode, code);
    if (STOPPED.includes(code) || WAITED.includes(code)) {
      await call.clock.runUntil(() => connection.status.state === "closed");
      const { error } = connection.status.state === "closed" ? connection.status : { error: null };
      assertInstanceOf(error, VoiceClosedError);
      assertEquals(error.end, {
        cause: STOPPED.includes(code) ? "stopped" : "disconnected",
        channelId: VOICE,
      });
      // The main gateway gets five seconds to say what follows.
      assertEquals([call.clock.now(), gateway.commands], [WAITED.includes(code) ? 6_000 : 1_000, [
        VOICE,
        null,
      ]]);
      return;
    }
    await call.clock.runUntil(() => connection.status.state === "live");
    assertEquals(gateway.commands, RESUMED.includes(code) ? [VOICE] : [VOICE, VOICE]);
    const changes = call.voice.journal.of("session").map(({ change }) => change);
    assertEquals(changes.includes("resumed"), RESUMED.includes(code));
    assert(call.clock.now() <= 2_000, `${call.clock.now()}`);
    await call.arrive(connection.close());
    assertEquals([connection.status.state, call.clock.pending <= 1], ["closed", true]);
  });
}

Deno.test("voice connection: after repeated rejections the pauses between attempts grow", async () => {
  await using call = await Call.open();
  const alice = await call.join("alice");
  call.voice.faults.rejectDials = Array.from({ length: 12 }, () => 503);
  call.voice.connections[0]?.drop();
  await call.clock.runUntil(() => call.voice.faults.rejectDials.length === 0);
  await call.clock.runUntil(() => alice.connection.status.state === "live");
  const waits = alice.statuses.flatMap((status) => status.state === "disconnected" ? [status.delayMs] : []);
  assertEquals(waits.length, 13);
  assert(Math.max(...waits) > 8_000 && Math.max(...waits) <= 60_000, `${waits}`);
  const actions = alice.statuses.flatMap((status) => status.state === "disconnected" ? [status.action] : []);
  assertEquals(actions.slice(0, 4), ["resume", "resume", "resume", "rejoin"]);
  await call.arrive(alice.connection.close());
});

Deno.test("voice connection: a keepalive datagram is sent every five seconds", async () => {
  await using call = await Call.open();
  const alice = await call.join("alice");
  await call.clock.advance(60_000);
  assertEquals(call.voice.media.keepAlives, 12);
  assertEquals(alice.connection.counters.media?.dropped.foreign, 12);
  await call.arrive(alice.connection.close());
  assertEquals([call.clock.pending, call.violations], [0, []]);
});

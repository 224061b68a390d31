import { assertEquals } from "@std/assert";
import { binary, hello, inPhase, json, VoiceDriver } from "../harness.ts";

interface Heartbeat {
  op: number;
  d: { t: number; seq_ack: number };
}

const heartbeats = (driver: VoiceDriver) => driver.sentFor("heartbeat") as Heartbeat[];
const acks = (driver: VoiceDriver) => heartbeats(driver).map((heartbeat) => heartbeat.d.seq_ack);

Deno.test("voice heartbeat: every interval of HELLO from HELLO on, with an integer and the last sequence", () => {
  const driver = inPhase("live");
  driver.advance(41_250);
  assertEquals(driver.sent.filter((sent) => sent.what === "heartbeat").map((sent) => sent.at), [
    13_750,
    27_500,
    41_250,
  ]);
  for (const { op, d } of heartbeats(driver)) {
    assertEquals([op, Object.keys(d), Number.isInteger(d.t)], [3, ["t", "seq_ack"], true]);
  }
  assertEquals(acks(driver), [1, 1, 1]);
});

Deno.test("voice heartbeat: -1 before the first number, and 0 is one", () => {
  const driver = inPhase("discovering");
  driver.advance(13_750);
  driver.receive(json(11, { user_ids: ["7"] }, 0));
  driver.advance(13_750);
  assertEquals(acks(driver), [-1, 0]);
});

Deno.test("voice heartbeat: JSON and bytes count in one sequence, which goes around; the last counts", () => {
  const driver = inPhase("live");
  driver.receive(json(18, {}, 65_534));
  driver.advance(13_750);
  driver.receive(binary(65_535, 99));
  driver.advance(13_750);
  driver.receive(json(18, {}, 0));
  driver.advance(13_750);
  driver.receive(binary(1, 99), json(6, { t: 0 }));
  driver.advance(13_750);
  assertEquals(acks(driver), [65_534, 65_535, 0, 1]);
});

Deno.test("voice heartbeat: an acknowledgement by the heartbeat's own nonce measures, any other does not", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  driver.advance(13_750);
  driver.advance(30);
  driver.receive(json(6, { t: 1 }));
  assertEquals(driver.state.latency.acknowledged, 0);
  driver.receive(json(6, { t: heartbeats(driver)[0]?.d.t }));
  driver.receive(json(6, { t: heartbeats(driver)[0]?.d.t }));
  assertEquals(driver.state.latency, { meanMs: 30, recentMs: [30], acknowledged: 1 });
});

Deno.test("voice heartbeat: nothing at all between two heartbeats is a zombie, the session kept [case 65]", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  driver.advance(13_750);
  assertEquals(driver.state.phase, "live");
  driver.advance(13_750);
  assertEquals([driver.end.cause, driver.now], ["zombie", 27_500]);
  assertEquals(driver.end.session?.sequence, 1);
});

Deno.test("voice heartbeat: whatever comes is a sign of life", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  for (let heartbeat = 0; heartbeat < 20; heartbeat++) {
    driver.advance(13_000);
    driver.receive(json(18, { flags: 0 }));
  }
  assertEquals(driver.state.phase, "live");
});

Deno.test("voice heartbeat: a live call is quiet for a day and stays [case 65]", () => {
  const driver = inPhase("live");
  driver.advance(86_400_000);
  assertEquals(driver.state.phase, "live");
  assertEquals(heartbeats(driver).length, Math.floor(86_400_000 / 13_750));
});

Deno.test("voice heartbeat: HELLO of a resume starts the schedule anew", () => {
  const driver = inPhase("live");
  driver.advance(13_000);
  driver.ended(1006);
  const next = new VoiceDriver({ session: driver.session, now: driver.now });
  next.receive(hello(41_250), json(9));
  assertEquals(next.state.deadline, { at: 13_000 + 41_250, reason: "heartbeat" });
});

Deno.test("voice heartbeat: HELLO twice on one connection changes the interval and nothing else", () => {
  const driver = inPhase("live");
  assertEquals(driver.receive(hello(5_000)), []);
  assertEquals(driver.state.deadline, { at: 5_000, reason: "heartbeat" });
  assertEquals(driver.sentFor("identify").length, 1);
});

Deno.test("voice heartbeat: one that the server asks for goes at once, and the next an interval later", () => {
  const driver = inPhase("live");
  driver.advance(5_000);
  driver.receive(json(3, { t: 5 }));
  assertEquals(acks(driver), [1]);
  assertEquals(driver.state.deadline.at, 5_000 + 13_750);
  assertEquals(inPhase("awaiting_hello").receive(json(3)), []);
});

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { StateClosedError } from "../../../gateway/mod.ts";
import { hello, inPhase, json, OPEN_PHASES, VoiceDriver } from "../harness.ts";

for (const phase of OPEN_PHASES) {
  Deno.test(`voice state: closed by the program when ${phase}: 1000, and no second end`, () => {
    const driver = inPhase(phase);
    assertEquals(driver.input((state) => state.close()), [{ type: "close", code: 1000, reason: "closed" }]);
    driver.input((state) => state.connectionEnded({ code: 4006, reason: "late" }));
    assertEquals([driver.end.cause, driver.end.phase, driver.end.closeCode], ["closed", phase, null]);
    assertEquals(driver.state.deadline, { at: Infinity, reason: "none" });
  });

  Deno.test(`voice state: after its end in ${phase} every input throws, and getters still answer`, () => {
    const { state, now } = inPhase(phase);
    state.connectionEnded({ code: null, reason: "" });
    const inputs: (() => unknown)[] = [
      () => state.receive(hello(), now),
      () => state.tick(now),
      () => state.selectProtocol({ address: "1.2.3.4", port: 1 }, now),
      () => state.mediaFailed(new Error("x")),
      () => state.speaking(1),
      () => state.writeFailed(new Error("x")),
      () => state.close(),
    ];
    for (const input of inputs) {
      const error = assertThrows(input, StateClosedError, "connection_lost");
      assertStrictEquals(error.end, state.end);
    }
    assertEquals([state.phase, state.latency.acknowledged], ["closed", 0]);
    const lives = phase === "live" || phase === "resuming";
    assertEquals([state.session !== null, state.end?.session !== null], [lives, lives]);
  });

  Deno.test(`voice state: a failed write when ${phase} ends it, keeping the error and the session`, () => {
    const driver = inPhase(phase);
    const error = new Error("broken pipe");
    driver.input((state) => state.writeFailed(error));
    assertStrictEquals(driver.end.error, error);
    assertEquals(driver.outputs.at(-1), { type: "close", code: 4200, reason: "write failed" });
  });

  const early = phase === "awaiting_hello" || phase === "identifying";
  Deno.test(`voice state: a failed media connection when ${phase} ${early ? "is refused" : "ends it"}`, () => {
    const driver = inPhase(phase);
    const fail = () => driver.input((state) => state.mediaFailed(new Error("no response")));
    if (early) {
      assertThrows(fail, TypeError, phase);
      assertEquals(driver.state.end, null);
    } else {
      fail();
      assertEquals([driver.end.cause, driver.end.error?.message], ["media_failed", "no response"]);
    }
  });

  for (const [what, message] of [["no JSON", "{"], ["two bytes", new Uint8Array(2)]] as const) {
    Deno.test(`voice state: ${what} when ${phase} ends it as a frame error, the session kept [case 65]`, () => {
      const driver = inPhase(phase);
      driver.receive(message);
      assertEquals([driver.end.cause, driver.end.error?.name], ["frame_error", "FrameError"]);
      assertEquals(driver.end.session !== null, phase === "live" || phase === "resuming");
    });
  }
}

Deno.test("voice state: what nobody knows is ignored, and what is numbered counts", () => {
  const driver = inPhase("live");
  for (const op of [10, 14, 15, 16, 17, 18, 19, 20, 23, 26, 28, 31, 32, 99]) {
    assertEquals(driver.receive(json(op, { any: "thing" }, 100 + op)), [], `op ${op}`);
    assertEquals(driver.session.sequence, 100 + op);
  }
  assertEquals(driver.receive(Uint8Array.from([1, 0, 99, 1, 2])), []);
  assertEquals([driver.session.sequence, driver.state.phase], [256, "live"]);
});

Deno.test("voice state: proven once a heartbeat was acknowledged in a live session", () => {
  const fresh = inPhase("live");
  assertEquals(fresh.ended(null).proven, false);
  const beaten = inPhase("live");
  beaten.advance(14_000);
  assertEquals(beaten.ended(null).proven, true);
  const early = inPhase("discovering");
  early.advance(14_000);
  assertEquals(early.ended(null).proven, false);
  const silent = new VoiceDriver();
  assertEquals(silent.ended(1006).proven, false);
});

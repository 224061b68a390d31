/** After the end: the first cause stays, every input is refused with it, and getters answer. */

import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type GatewayState, StateClosedError } from "../../gateway/mod.ts";
import { ACK, frame, inPhase, OPEN_PHASES, SESSION } from "./harness.ts";

Deno.test("state: the first end stays, whatever ends after it [case 8] [case 18]", () => {
  const driver = inPhase("live");
  driver.input((state) => state.close({ keepSession: true }));
  const { end } = driver;
  for (const code of [1006, 4200, 1000, null]) {
    driver.input((state) => state.connectionEnded({ code, reason: "late", error: new Error("late") }));
  }
  assertStrictEquals(driver.state.end, end);
  assertEquals([end.cause, end.closeCode, end.error], ["closed_keeping_session", null, null]);
});

const INPUTS: Record<string, (state: GatewayState) => unknown> = {
  receive: (state) => state.receive(ACK, 1),
  "receive (broken)": (state) => state.receive("{", 1),
  tick: (state) => state.tick(1),
  identify: (state) => state.identify(1),
  identifyRefused: (state) => state.identifyRefused(new Error("no")),
  send: (state) => state.send({ op: 31, d: { guild_ids: [] } }, 1),
  writeFailed: (state) => state.writeFailed(new Error("no")),
  close: (state) => state.close({ keepSession: false }),
};

for (const [name, input] of Object.entries(INPUTS)) {
  Deno.test(`state: ${name} after the end throws StateClosedError with the first cause`, () => {
    for (const phase of OPEN_PHASES) {
      const driver = inPhase(phase);
      driver.receive(frame(7));
      const error = assertThrows(() => input(driver.state), StateClosedError);
      assertStrictEquals(error.end, driver.end);
      assertEquals(error.message, "Cannot use the state: its connection has ended: reconnect");
    }
  });
}

Deno.test("state: getters answer after the end", () => {
  const { state } = inPhase("live");
  state.connectionEnded({ code: 4000, reason: "" });
  assertEquals([state.phase, state.end?.cause, state.session], ["closed", "close_4000", {
    ...SESSION,
    sequence: 1,
  }]);
  assertEquals(state.deadline, { at: Infinity, reason: "none" });
  assertEquals(state.latency, { meanMs: null, recentMs: [], acknowledged: 0 });
  assertEquals([state.availableCommands(1), state.nextCommandAt(1)], [0, Infinity]);
});

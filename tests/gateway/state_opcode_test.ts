/** Every opcode as the state treats it on receipt, in every phase. */

import { assertEquals } from "@std/assert";
import type { StateEndCause } from "../../gateway/mod.ts";
import { ACK, type Driver, frame, inPhase, OPEN_PHASES } from "./harness.ts";

/** What we do about a frame. */
type Does = "hands it out" | "heartbeats" | "starts the heartbeat" | "measures" | "ignores it" | {
  ends: StateEndCause;
};

/** Discord's table of opcodes, a second time: with the body that each carries, and what it makes the state do. */
const OPCODES: readonly [op: number, name: string, d: unknown, does: Does][] = [
  [0, "Dispatch", {}, "hands it out"],
  [1, "Heartbeat", null, "heartbeats"],
  [2, "Identify", { token: "x" }, "ignores it"],
  [3, "Presence Update", {}, "ignores it"],
  [4, "Voice State Update", {}, "ignores it"],
  [6, "Resume", {}, "ignores it"],
  [7, "Reconnect", null, { ends: "reconnect" }],
  [8, "Request Guild Members", {}, "ignores it"],
  [9, "Invalid Session (resumable)", true, { ends: "invalid_session_resumable" }],
  [9, "Invalid Session", false, { ends: "invalid_session" }],
  [10, "Hello", { heartbeat_interval: 41_250 }, "starts the heartbeat"],
  [11, "Heartbeat ACK", null, "measures"],
  [31, "Request Soundboard Sounds", {}, "ignores it"],
  [43, "Request Channel Info", {}, "ignores it"],
];

const received = (driver: Driver, op: number, d: unknown) =>
  driver.receive(op === 0 ? '{"t":"A","s":2000,"op":0,"d":{}}' : frame(op, d));

for (const [op, name, d, does] of OPCODES) {
  const what = typeof does === "string" ? does : `ends by ${does.ends}`;
  Deno.test(`state: op ${op} ${name} received: the state ${what}`, () => {
    for (const phase of OPEN_PHASES) {
      const driver = inPhase(phase);
      driver.now = 1_000;
      const { deadline } = driver.state;
      const outputs = received(driver, op, d);
      const kinds = outputs.map((output) => output.type === "send" ? output.what : output.type);
      if (typeof does !== "string") {
        assertEquals([kinds, driver.end.cause, driver.end.phase], [["close"], does.ends, phase]);
        continue;
      }
      switch (does) {
        case "hands it out":
          assertEquals(kinds, ["event"]);
          break;
        case "heartbeats":
          assertEquals(kinds, ["heartbeat"]);
          break;
        case "starts the heartbeat":
          assertEquals(kinds, phase === "awaiting_hello" ? ["permit"] : []);
          assertEquals(driver.state.deadline.reason, "heartbeat");
          break;
        case "measures":
          assertEquals([kinds, driver.state.deadline], [[], deadline]);
          break;
        case "ignores it":
          assertEquals([kinds, driver.state.phase, driver.state.deadline], [[], phase, deadline]);
      }
    }
  });
}

/** Not for bots, not assigned, or not thought of yet: Discord adds opcodes without a new API version. */
const FOREIGN = [
  ...[5, ...range(12, 30), ...range(32, 42), ...range(44, 60)],
  ...[69, 99, 255, 1_000_000, -1],
];

for (const op of FOREIGN) {
  const named = op === 69 ? " [case 31]" : op === 45 ? " [case 39: our rule, no error]" : "";
  Deno.test(`state: op ${op} is ignored, and proves life${named}`, () => {
    for (const phase of OPEN_PHASES) {
      const driver = inPhase(phase);
      const { deadline } = driver.state;
      assertEquals(driver.receive(frame(op, { anything: [1, "x"] })), []);
      assertEquals([driver.state.phase, driver.state.deadline], [phase, deadline]);
    }
    const silent = inPhase("live", { intervalMs: 10_000 });
    silent.acksAfterMs = null;
    silent.toDeadline();
    silent.receive(frame(op));
    silent.toDeadline();
    assertEquals([silent.state.phase, silent.framesOf("heartbeat").length], ["live", 2]);
  });
}

Deno.test("state: op 7 before HELLO reconnects as well [case 6]", () => {
  const driver = inPhase("awaiting_hello");
  driver.receive(frame(7));
  assertEquals([driver.end.cause, driver.end.phase, driver.close?.code], [
    "reconnect",
    "awaiting_hello",
    4200,
  ]);
  assertEquals(driver.sent, []);
});

Deno.test("state: the body of op 1, op 7 and op 11 says nothing, whatever it is", () => {
  for (const d of [null, 0, 251, "x", true, {}, []]) {
    const driver = inPhase("live");
    driver.receiveAll(frame(11, d), frame(1, d));
    assertEquals(driver.framesOf("heartbeat"), ['{"op":1,"d":1}']);
    driver.receive(frame(7, d));
    assertEquals(driver.end.cause, "reconnect");
  }
});

for (
  const [what, text] of [
    ["no d", '{"op":9}'],
    ["d null", frame(9, null)],
    ["d 0", frame(9, 0)],
    ["d 1", frame(9, 1)],
    ['d "true"', frame(9, "true")],
    ["d {}", frame(9, {})],
  ] as const
) {
  Deno.test(`state: op 9 with ${what} is not resumable: only true is`, () => {
    const driver = inPhase("live");
    driver.receive(text);
    assertEquals(driver.end.cause, "invalid_session");
  });
}

Deno.test("state: an acknowledgement measures latency [case 31]", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  driver.toDeadline();
  driver.now += 42;
  driver.receive(ACK);
  assertEquals(driver.state.latency, { meanMs: 42, recentMs: [42], acknowledged: 1 });
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

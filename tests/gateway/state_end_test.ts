/** Every way a connection ends: by which cause, in which phase, with which close, and what is left of the session. */

import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { ENDS, FrameError, StateClosedError, type StateEndCause, verdict } from "../../gateway/mod.ts";
import { ACK, dispatch, Driver, frame, inPhase, OPEN_PHASES, ready, SESSION } from "./harness.ts";

type Cause = Exclude<StateEndCause, `close_${number}` | "close_other">;

/** Makes an end happen where it can; where it cannot, nothing ends. Complete by its type. */
const SCENARIOS: Record<Cause, (driver: Driver) => void> = {
  connection_lost: (driver) => driver.input((state) => state.connectionEnded({ code: null, reason: "" })),
  reconnect: (driver) => driver.receive(frame(7)),
  invalid_session: (driver) => driver.receive(frame(9, false)),
  invalid_session_resumable: (driver) => driver.receive(frame(9, true)),
  frame_error: (driver) => driver.receive("{"),
  protocol_error: (driver) => driver.receive(frame(10, {})),
  write_failed: (driver) => driver.input((state) => state.writeFailed(new Error("no socket"))),
  closed_keeping_session: (driver) => driver.input((state) => state.close({ keepSession: true })),
  closed_ending_session: (driver) => driver.input((state) => state.close({ keepSession: false })),
  consumer_behind: (driver) =>
    driver.input((state) => state.close({ keepSession: true, consumerBehind: true })),
  zombie: (driver) => {
    driver.acksAfterMs = null;
    driver.advance(15_000);
  },
  hello_timeout: (driver) => driver.advance(60_000),
  ready_timeout: (driver) => driver.advance(120_000),
  resumed_timeout: (driver) => driver.advance(30_000),
  identify_refused: (driver) => driver.input((state) => state.identifyRefused(new Error("no"))),
  identify_limiter_failed: (driver) =>
    driver.input((state) => state.identifyRefused(new Error("no"), { failed: true })),
};

for (const cause of Object.keys(SCENARIOS) as Cause[]) {
  for (const phase of OPEN_PHASES) {
    const possible = ENDS[cause].includes(phase);
    Deno.test(`state: ${cause} ${possible ? "ends" : "cannot end"} a connection that is ${phase}`, () => {
      const driver = inPhase(phase, { intervalMs: 10_000 });
      try {
        SCENARIOS[cause](driver);
      } catch (error) {
        if (possible || !(error instanceof TypeError)) throw error;
      }
      assertEquals(driver.state.end?.cause === cause, possible);
      if (possible) assertEquals(driver.end.phase, phase);
    });
  }
}

Deno.test("state: a lost connection keeps the error that told of it", () => {
  const driver = inPhase("live");
  const error = new Error("ECONNRESET");
  driver.input((state) => state.connectionEnded({ code: null, reason: "", error }));
  assertEquals([driver.end.cause, driver.end.closeCode], ["connection_lost", null]);
  assertStrictEquals(driver.end.error, error);
});

Deno.test("state: a write that failed is kept as the reason, with the session", () => {
  const driver = inPhase("live");
  const error = new Error("the socket is closing");
  driver.input((state) => state.writeFailed(error));
  assertEquals([driver.end.cause, driver.end.session?.sequence, driver.close?.code], [
    "write_failed",
    1,
    4200,
  ]);
  assertStrictEquals(driver.end.error, error);
});

// What we close with: 1000 ends the session at Discord, 4200 keeps it [case 16].

for (const cause of Object.keys(SCENARIOS) as Cause[]) {
  const ends = cause === "closed_ending_session" || cause === "invalid_session";
  const code = cause === "connection_lost" ? null : ends ? 1000 : 4200;
  Deno.test(`state: ${cause} closes the socket with ${code ?? "nothing, it is gone"} [case 16]`, () => {
    const from = ENDS[cause];
    const driver = inPhase(OPEN_PHASES.find((phase) => from.includes(phase))!, { intervalMs: 10_000 });
    SCENARIOS[cause](driver);
    const expected = code && { type: "close", code, reason: cause.replaceAll("_", " ") };
    assertEquals<unknown>(driver.close, expected);
  });
}

// Op 9.

for (
  const [d, cause, next] of [[true, "invalid_session_resumable", "resume"], [
    false,
    "invalid_session",
    "identify",
  ]] as const
) {
  Deno.test(`state: op 9 ${d} ends at once though the socket stays open, and leads to ${next} [case 10] [case 32]`, () => {
    const driver = inPhase("live");
    driver.receive(frame(9, d));
    assertEquals([driver.end.cause, driver.state.deadline], [cause, { at: Infinity, reason: "none" }]);
    const after = verdict({ ...driver.end, failedResumes: 0 });
    assertEquals([after.action, after.delay], [next, "invalid_session"]);
    assertEquals(after.session, d ? { ...SESSION, sequence: 1 } : null);
    // Discord takes nothing but an identify or a resume between op 9 and the next session.
    assertThrows(() => driver.send({ op: 31, d: { guild_ids: [] } }), StateClosedError);
  });

  Deno.test(`state: op 9 ${d} stays the cause when a close follows, whatever its code [case 10]`, () => {
    for (const code of [null, 1000, 4000, 4004, 4009]) {
      const driver = inPhase("live");
      driver.receive(frame(9, d));
      driver.input((state) => state.connectionEnded({ code, reason: "" }));
      assertEquals([driver.end.cause, driver.end.closeCode], [cause, null]);
    }
  });
}

Deno.test("state: op 9 as the response to an identify or a resume ends those phases", () => {
  for (const phase of ["identifying", "resuming"] as const) {
    const driver = inPhase(phase);
    driver.receive(frame(9, false));
    assertEquals([driver.end.cause, driver.end.phase, driver.end.progressed], [
      "invalid_session",
      phase,
      false,
    ]);
  }
});

// Op 7.

Deno.test("state: op 7 mid-session: closed keeping the session, and nothing more is sent [case 5] [case 32] [case 47]", () => {
  const driver = inPhase("live");
  driver.receiveAll(dispatch("A", 7), frame(7));
  assertEquals(driver.close?.code, 4200);
  assertThrows(() => driver.send({ op: 31, d: { guild_ids: [] } }), StateClosedError);
  assertThrows(() => driver.tick(), StateClosedError);
  assertEquals(driver.sent.map(({ what }) => what), ["identify"]);
  const { action, session, delay } = verdict({ ...driver.end, failedResumes: 0 });
  assertEquals([action, session?.sequence, delay], ["resume", 7, "none"]);
});

// Bad frames: our rule is that they end the connection and never the session.

for (const phase of OPEN_PHASES) {
  Deno.test(`state: invalid JSON while ${phase} ends the state, with the error and the session [case 39] [case 40]`, () => {
    const driver = inPhase(phase);
    const { session } = driver.state;
    driver.receive('{"op":10,"d":{"heartbeat_interval":4');
    assertEquals([driver.end.cause, driver.end.session, driver.close?.code], ["frame_error", session, 4200]);
    assertInstanceOf(driver.end.error, FrameError);
  });
}

Deno.test("state: bytes where text is due end the state [case 24]", () => {
  const driver = inPhase("live");
  driver.receive(new Uint8Array([0x78, 0x9c]));
  assertEquals(driver.end.cause, "frame_error");
  assertEquals(driver.end.error?.message, "Cannot read a frame: bytes came where text is due: 2 bytes");
});

Deno.test("state: a decoder's failure ends the state, and its error is kept underneath", () => {
  const cause = new Error("incorrect header check");
  const decode = () => {
    throw cause;
  };
  const driver = new Driver({ decoder: { decode } });
  driver.receive(new Uint8Array(4));
  assertEquals(driver.end.cause, "frame_error");
  assertStrictEquals(driver.end.error?.cause, cause);
});

Deno.test("state: a decoder's text is a frame like any other", () => {
  const driver = new Driver({ decoder: { decode: (bytes) => new TextDecoder().decode(bytes) } });
  driver.receive(new TextEncoder().encode(frame(10, { heartbeat_interval: 41_250 })));
  assertEquals(driver.state.phase, "awaiting_permit");
});

// What the backoff needs to know.

Deno.test("state: a connection has proven itself when a heartbeat was acknowledged while it was live", () => {
  const proven = (act: (driver: Driver) => void) => {
    const driver = inPhase("awaiting_permit", { intervalMs: 10_000 });
    act(driver);
    driver.receive(frame(7));
    return driver.end.proven;
  };
  assertEquals(proven((driver) => driver.advance(60_000)), false, "acknowledged, but never live");
  assertEquals(
    proven((driver) => (driver.identify(), driver.receive(ready()))),
    false,
    "live, but no heartbeat yet",
  );
  assertEquals(proven((driver) => (driver.identify(), driver.receive(ready()), driver.advance(6_000))), true);
});

for (
  const [what, expected, frames] of [
    ["nothing but HELLO and acknowledgements", false, [ACK]],
    ["an event of the replay", true, [dispatch("A", 1338)]],
    ["an event from before the resume point", false, [dispatch("A", 1337)]],
    ["RESUMED, though it repeats a number", true, [dispatch("RESUMED", 1337)]],
    ["READY", true, [ready()]],
  ] as const
) {
  Deno.test(`state: a resume with ${what} has ${expected ? "" : "not "}progressed`, () => {
    const driver = inPhase("resuming");
    driver.receiveAll(...frames);
    driver.input((state) => state.connectionEnded({ code: null, reason: "" }));
    assertEquals(driver.end.progressed, expected);
  });
}

/** The user's commands: when the session is usable, how many, how large, and what a refusal says. */

import { assert, assertEquals, assertLessOrEqual, assertThrows } from "@std/assert";
import { CommandError, encodeCommand, type GatewayCommand, NotReadyError } from "../../gateway/mod.ts";
import { CommandRateLimitError } from "../../ratelimit/mod.ts";
import { dispatch, Driver, frame, hello, inPhase, ready } from "./harness.ts";

const COMMAND: GatewayCommand = { op: 31, d: { guild_ids: ["1"] } };
const PRESENCE: GatewayCommand = {
  op: 3,
  d: { since: null, activities: [], status: "online", afk: false },
};

/** Sends commands until the budget refuses one. */
function spend(driver: Driver): number {
  const before = driver.sent.length;
  while (driver.state.nextCommandAt(driver.now) <= driver.now && driver.sent.length < 10_000) {
    driver.send(COMMAND);
  }
  return driver.sent.length - before;
}

for (const phase of ["awaiting_hello", "awaiting_permit", "identifying", "resuming"] as const) {
  Deno.test(`state: no command is sent while ${phase}, and the refusal says so`, () => {
    const driver = inPhase(phase);
    const error = assertThrows(() => driver.send(COMMAND), NotReadyError);
    assertEquals(
      error.message,
      `Cannot send a command: the session must be live: ${phase}`,
    );
    assertEquals([driver.state.availableCommands(0), driver.state.nextCommandAt(0)], [0, Infinity]);
    assertEquals(driver.state.phase, phase, "a refusal leaves the state as it was");
  });
}

Deno.test("state: a command is sent from READY on", () => {
  assertEquals(inPhase("live").send(COMMAND), '{"op":31,"d":{"guild_ids":["1"]}}');
});

Deno.test("state: a command is sent from RESUMED on, and not a frame of the replay earlier [case 47]", () => {
  const driver = inPhase("resuming");
  driver.receive(dispatch("A", 1338));
  assertThrows(() => driver.send(PRESENCE), NotReadyError);
  driver.receive(dispatch("RESUMED", 1339));
  driver.send(PRESENCE);
  assertEquals(driver.sent.map(({ what }) => what), ["resume", "command"]);
});

Deno.test("state: a command that is encoded already goes out as it was encoded", () => {
  const driver = inPhase("live");
  const body = { guild_ids: ["1"] };
  const encoded = encodeCommand({ op: 31, d: body });
  body.guild_ids.push("2");
  assertEquals(driver.state.send(encoded, driver.now), '{"op":31,"d":{"guild_ids":["1"]}}');
  assertEquals(encoded.command, { op: 31, d: body });
});

Deno.test("state: a malformed command is refused before its turn, in any phase", () => {
  for (const phase of ["awaiting_hello", "live"] as const) {
    const driver = inPhase(phase);
    const available = driver.state.availableCommands(0);
    assertThrows(() => driver.send({ op: 2, d: {} } as unknown as GatewayCommand), CommandError);
    const large = { op: 8, d: { guild_id: "é".repeat(2_100), query: "", limit: 0 } } as const;
    const { code } = assertThrows(() => driver.send(large), CommandError);
    assertEquals(code, "ERR_PAYLOAD_TOO_LARGE");
    assertEquals([driver.state.phase, driver.state.availableCommands(0)], [phase, available]);
  }
});

Deno.test("state: 118 commands fit behind an identify and before one heartbeat, without a constant reserve", () => {
  const driver = inPhase("live");
  assertEquals(driver.state.availableCommands(0), 118);
  assertEquals(spend(driver), 118);
  assertEquals(driver.state.availableCommands(0), 0);
});

Deno.test("state: a refusal names the exact next instant: a moment before it is refused, at it is admitted", () => {
  const driver = inPhase("live");
  spend(driver);
  const error = assertThrows(() => driver.send(COMMAND), CommandRateLimitError);
  // Discord's 60 s and a margin for frames that arrive closer together than they left.
  assertEquals(error.nextAvailableAt, 60_250);
  assertEquals(driver.state.nextCommandAt(0), 60_250);

  driver.advance(60_249);
  const again = assertThrows(() => driver.send(COMMAND), CommandRateLimitError);
  assertEquals(again.nextAvailableAt, 60_250);
  driver.advance(1);
  driver.send(COMMAND);
});

Deno.test("state: waiting until the next instant always succeeds, however the budget was spent", () => {
  const driver = inPhase("live");
  for (let sent = 0; sent < 1_000; sent++) {
    driver.advance(driver.state.nextCommandAt(driver.now) - driver.now);
    assertEquals(driver.state.nextCommandAt(driver.now), driver.now);
    assert(driver.state.availableCommands(driver.now) > 0);
    driver.send(COMMAND);
    // Some at once, some a while later.
    if (sent % 7 === 0) driver.advance((sent * 7_919) % 20_000);
  }
  assertNeverOverBudget(driver);
});

Deno.test("state: 200 presence updates in a row, each when it may: never 121 frames in 60 s [case 58]", () => {
  const driver = inPhase("live");
  for (let sent = 0; sent < 200; sent++) {
    driver.advance(driver.state.nextCommandAt(driver.now) - driver.now);
    driver.send(PRESENCE);
  }
  assertNeverOverBudget(driver);
  assertLessOrEqual(driver.now, 60_250, "and no slot is wasted");
});

Deno.test("state: heartbeats stay on time however many commands are sent [case 30]", () => {
  const driver = inPhase("live", { intervalMs: 10_000 });
  for (let n = 0; n < 600; n++) {
    spend(driver);
    driver.advance(1_000);
  }
  const heartbeats = driver.sent.filter(({ what }) => what === "heartbeat").map(({ at }) => at);
  assertEquals(heartbeats, Array.from({ length: 60 }, (_, n) => 5_000 + n * 10_000));
  assertNeverOverBudget(driver);
});

Deno.test("state: each connection has a budget of its own", () => {
  const old = inPhase("live");
  spend(old);
  old.receive(frame(7));
  const next = new Driver({ session: old.end.session });
  next.receive(hello());
  next.receive(dispatch("RESUMED", 2));
  assertEquals(next.state.availableCommands(0), 118);
});

Deno.test("state: identify, resume and heartbeats count in the same budget as commands", () => {
  const driver = inPhase("live");
  for (let n = 0; n < 10; n++) driver.receive(frame(1));
  assertEquals(driver.framesOf("heartbeat").length, 10);
  // The identify, ten heartbeats; the next one due at 41.25 s.
  assertEquals(driver.state.availableCommands(0), 120 - 11 - 1);
});

Deno.test("state: the window of the budget can be set", () => {
  const driver = inPhase("live", { commandPeriodMs: 60_000 });
  spend(driver);
  assertEquals(driver.state.nextCommandAt(0), 60_000);
});

Deno.test("state: a new session on the same connection stays usable", () => {
  const driver = inPhase("live");
  driver.receive(ready(1, { session_id: "another" }));
  driver.send(COMMAND);
});

function assertNeverOverBudget({ sent }: Driver): void {
  for (let n = 120; n < sent.length; n++) {
    assertLessOrEqual(60_000, sent[n]!.at - sent[n - 120]!.at, `frame ${n} is the 121st in 60 s`);
  }
}

/** Heartbeats: when they go out and with what, op 1, zombies, latency, and that nothing stops them. */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { ACK, dispatch, Driver, frame, hello, inPhase, ready, SESSION } from "./harness.ts";

const HOUR = 3_600_000;
const heartbeats = (driver: Driver) => driver.sent.filter(({ what }) => what === "heartbeat");

for (const [random, at] of [[0, 500], [0.25, 10_812.5], [0.5, 21_125], [0.999, 41_708.75]] as const) {
  Deno.test(`state: with jitter ${random} the first heartbeat goes out at ${at}, the next an interval later`, () => {
    const driver = new Driver({ random: () => random });
    driver.now = 500;
    driver.receive(hello(41_250));
    driver.advance(200_000);
    assertEquals(heartbeats(driver).map((heartbeat) => heartbeat.at).slice(0, 3), [
      at,
      at + 41_250,
      at + 82_500,
    ]);
  });
}

Deno.test("state: a heartbeat carries null before the first event, then the last sequence [case 44]", () => {
  const driver = inPhase("awaiting_permit", { intervalMs: 10_000 });
  driver.toDeadline();
  driver.receive(ACK);
  driver.identify();
  driver.receive(ready(1));
  driver.toDeadline();
  driver.receive(ACK);
  driver.receive(dispatch("A", 156_356));
  driver.toDeadline();
  assertEquals(driver.framesOf("heartbeat"), [
    '{"op":1,"d":null}',
    '{"op":1,"d":1}',
    '{"op":1,"d":156356}',
  ]);
});

Deno.test("state: a resuming connection heartbeats with the sequence it resumes from", () => {
  const driver = inPhase("resuming");
  driver.toDeadline();
  assertEquals(driver.framesOf("heartbeat"), ['{"op":1,"d":1337}']);
});

Deno.test("state: the heartbeat comes no earlier than its deadline", () => {
  const driver = inPhase("live");
  driver.now = 20_624;
  assertEquals([driver.tick(), heartbeats(driver).length], [[], 0]);
  driver.now = 20_625;
  driver.tick();
  assertEquals(heartbeats(driver).length, 1);
});

Deno.test("state: a late timer makes one heartbeat, not several, and the next an interval after it", () => {
  const driver = inPhase("live");
  driver.now = 200_000;
  driver.tick();
  assertEquals([heartbeats(driver).length, driver.state.deadline], [1, { at: 241_250, reason: "heartbeat" }]);
});

Deno.test("state: 24 hours of heartbeats, one each interval, all acknowledged", () => {
  const driver = inPhase("live");
  driver.advance(24 * HOUR);
  const sent = heartbeats(driver);
  assertEquals([driver.state.phase, sent.length], ["live", Math.floor((24 * HOUR - 20_625) / 41_250) + 1]);
  for (let n = 1; n < sent.length; n++) assertEquals(sent[n]!.at - sent[n - 1]!.at, 41_250);
  assertEquals(driver.state.latency, {
    meanMs: 40,
    recentMs: [40, 40, 40, 40, 40],
    acknowledged: sent.length,
  });
});

Deno.test("state: heartbeats run for hours while the permit is awaited, and the permit still works", () => {
  const driver = inPhase("awaiting_permit");
  driver.advance(6 * HOUR);
  assertEquals([driver.state.phase, driver.permits], ["awaiting_permit", 1]);
  assertEquals(heartbeats(driver).length, Math.floor((6 * HOUR - 20_625) / 41_250) + 1);
  driver.identify();
  driver.receive(ready());
  assertEquals(driver.state.phase, "live");
});

// Op 1: Discord asks for a heartbeat.

Deno.test("state: op 1 is answered at once with the last sequence [case 30]", () => {
  const driver = inPhase("live");
  driver.receive(dispatch("A", 7));
  driver.now = 1_000;
  assertEquals(driver.receive(frame(1)), [{ type: "send", frame: '{"op":1,"d":7}', what: "heartbeat" }]);
  assertEquals(driver.state.deadline, { at: 42_250, reason: "heartbeat" }, "it takes the next one's place");
});

Deno.test("state: op 1 before HELLO is answered too", () => {
  for (const [session, d] of [[null, "null"], [SESSION, "1337"]] as const) {
    const driver = new Driver({ session });
    driver.receive(frame(1));
    assertEquals(driver.framesOf("heartbeat"), [`{"op":1,"d":${d}}`]);
    driver.receive(hello());
    assertEquals(
      driver.state.deadline,
      { at: 20_625, reason: "heartbeat" },
      "HELLO starts the schedule as ever",
    );
  }
});

Deno.test("state: the response to op 1 is no reason to call the peer a zombie", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  driver.toDeadline();
  driver.now += 41_249;
  driver.receive(frame(1));
  assertEquals(heartbeats(driver).length, 2);
  driver.now += 1;
  assertEquals(driver.tick(), []);
  assertEquals(driver.state.phase, "live");
});

Deno.test("state: an unacknowledged answer to op 1 does count as a heartbeat", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  driver.receive(frame(1));
  driver.toDeadline();
  assertEquals([driver.end.cause, driver.now], ["zombie", 41_250]);
});

Deno.test("state: op 1 under a full budget is answered as soon as that makes no later heartbeat late [case 30]", () => {
  // 118 commands and the identify at 0: the heartbeats due at 20.6 s and 61.9 s are provided for.
  const driver = inPhase("live");
  for (let sent = 0; sent < 118; sent++) driver.send({ op: 31, d: { guild_ids: [] } });
  assertEquals(driver.sent.length, 119);
  driver.now = 10_000;
  assertEquals(
    driver.receive(frame(1)),
    [],
    "a heartbeat now would leave none for the one after it, at 51.2 s",
  );
  // The budget is free again at 60.25 s; an interval before that is the first instant.
  assertEquals(driver.state.deadline, { at: 19_000, reason: "requested_heartbeat" });
  driver.advance(60_000);
  assertEquals(heartbeats(driver).map((heartbeat) => heartbeat.at), [19_000, 60_250]);
  assertEquals(driver.state.deadline.reason, "heartbeat");
});

Deno.test("state: a command cannot take the place of a heartbeat that Discord waits for, however late the timer", () => {
  const driver = inPhase("live");
  driver.now = 1_000;
  for (let sent = 0; sent < 118; sent++) driver.send({ op: 31, d: { guild_ids: [] } });
  driver.toDeadline();
  driver.receive(ACK);
  driver.now = 40_000;
  driver.receive(frame(1));
  assertEquals(driver.sent.length, 120);
  // Room for one frame when the identify has left the window, for many a second later.
  assertEquals(driver.state.deadline, { at: 60_250, reason: "requested_heartbeat" });
  driver.now = 60_260;
  assertEquals(driver.state.availableCommands(driver.now), 0);
  driver.tick();
  assertEquals(heartbeats(driver).map((heartbeat) => heartbeat.at), [20_625, 60_260]);
  assertNeverOverBudget(driver);
});

Deno.test("state: a flood of op 1 never makes us exceed 120 frames in 60 s, in any phase", () => {
  for (const phase of ["awaiting_hello", "awaiting_permit", "identifying", "resuming", "live"] as const) {
    const driver = inPhase(phase, { helloTimeoutMs: HOUR, readyTimeoutMs: HOUR, resumedTimeoutMs: HOUR });
    for (let asked = 0; asked < 2_000; asked++) {
      driver.advance(100);
      driver.receive(frame(1));
      // The opening frame finds its place whenever it comes.
      if (asked === 500 && phase === "awaiting_hello") driver.receive(hello());
      if (asked === 1_000 && driver.state.phase === "awaiting_permit") driver.identify();
    }
    assertNeverOverBudget(driver);
    assert(heartbeats(driver).length > 300, `${phase}: and it is answered: ${heartbeats(driver).length}`);
  }
});

Deno.test("state: op 1 while nothing of the budget is left but the identify's place is left to the schedule", () => {
  const driver = inPhase("awaiting_hello");
  for (let asked = 0; asked < 500; asked++) driver.receive(frame(1));
  assertEquals(heartbeats(driver).length, 119);
  driver.receive(hello());
  driver.identify();
  assertEquals(driver.sent.length, 120);
  driver.toDeadline();
  assertEquals(driver.sent.length, 120, "not even the scheduled heartbeat fits now");
  assertEquals(driver.state.deadline, { at: 60_250, reason: "heartbeat" });
  driver.toDeadline();
  assertEquals(driver.sent.length, 121);
});

Deno.test("state: an interval so short that heartbeats alone fill the budget: they wait, and the identify still fits", () => {
  const driver = inPhase("awaiting_permit", { intervalMs: 1 });
  driver.acksAfterMs = 0.25;
  driver.advance(70_000);
  driver.identify();
  driver.receive(ready());
  driver.advance(300_000);
  assertEquals(driver.state.phase, "live");
  assertNeverOverBudget(driver);
  assertEquals(driver.state.nextCommandAt(driver.now), Infinity, "no command will ever fit");
});

// Zombies: a peer of which nothing was heard since our last heartbeat, judged at the next.

Deno.test("state: a peer that says nothing between two heartbeats is a zombie, the session is kept", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  driver.advance(20_625 + 41_249);
  assertEquals(driver.state.phase, "live");
  driver.advance(1);
  assertEquals([driver.end.cause, driver.now], ["zombie", 61_875]);
  assertEquals([driver.end.session?.sequence, driver.close?.code], [1, 4200]);
  assertEquals(heartbeats(driver).length, 1, "a zombie gets no second heartbeat");
});

for (
  const [what, text] of [
    ["an acknowledgement", ACK],
    ["an event", dispatch("A", 2)],
    ["an unknown opcode", frame(69)],
    ["a HELLO", hello()],
  ] as const
) {
  Deno.test(`state: ${what} between two heartbeats proves life`, () => {
    const driver = inPhase("live");
    driver.acksAfterMs = null;
    driver.toDeadline();
    driver.now += 10;
    driver.receive(text);
    driver.toDeadline();
    assertEquals(driver.state.phase, "live");
  });
}

Deno.test("state: a flood of events before the acknowledgement proves life for hours", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  for (let s = 2; s < 1_000; s++) {
    driver.advance(30_000);
    driver.receive(dispatch("A", s));
  }
  assertEquals(driver.state.phase, "live");
});

Deno.test("state: what was heard before a heartbeat does not answer it", () => {
  const driver = inPhase("live");
  driver.acksAfterMs = null;
  driver.now = 20_624;
  driver.receive(dispatch("A", 2));
  driver.toDeadline();
  driver.toDeadline();
  assertEquals(driver.end.cause, "zombie");
});

Deno.test("state: a part of a compressed message proves life", () => {
  const driver = inPhase("live", { decoder: { decode: () => null } });
  driver.acksAfterMs = null;
  driver.toDeadline();
  assertEquals(driver.receive(new Uint8Array([1])), []);
  driver.toDeadline();
  assertEquals(driver.state.phase, "live");
});

Deno.test("state: the peer may be dead before READY or RESUMED as well", () => {
  for (const phase of ["awaiting_permit", "identifying", "resuming"] as const) {
    const driver = inPhase(phase, { intervalMs: 10_000 });
    driver.acksAfterMs = null;
    driver.advance(15_000);
    assertEquals([driver.end.cause, driver.end.phase], ["zombie", phase]);
  }
});

Deno.test("state: an acknowledgement for nothing does nothing", () => {
  const driver = inPhase("live");
  const { deadline } = driver.state;
  assertEquals(driver.receive(ACK), []);
  assertEquals([driver.state.deadline, driver.state.latency.acknowledged], [deadline, 0]);
});

function assertNeverOverBudget({ sent }: Driver): void {
  for (let n = 120; n < sent.length; n++) {
    assertLessOrEqual(60_000, sent[n]!.at - sent[n - 120]!.at, `frame ${n} is the 121st in 60 s`);
  }
}

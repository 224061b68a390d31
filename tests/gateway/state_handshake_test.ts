/** From an open socket to a usable session: HELLO, the permit, IDENTIFY or RESUME, READY or RESUMED, and their deadlines. */

import { assertEquals, assertInstanceOf, assertStrictEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../gateway/errors.ts";
import { dispatch, Driver, frame, hello, inPhase, ready, SESSION, TOKEN } from "./harness.ts";

const identifyFrame = (d: object) => JSON.stringify({ op: 2, d });
const PROPERTIES = { os: "unknown", browser: "discordgateway", device: "discordgateway" };

Deno.test("state: a new session, step by step", () => {
  const driver = new Driver();
  const { state } = driver;
  assertEquals([state.phase, state.end, state.session], ["awaiting_hello", null, null]);
  assertEquals(state.deadline, { at: 20_000, reason: "hello" });

  driver.now = 100;
  assertEquals(driver.receive(hello()), [{ type: "permit" }]);
  assertEquals(state.phase, "awaiting_permit");
  assertEquals(state.deadline, { at: 100 + 20_625, reason: "heartbeat" });

  driver.now = 200;
  const frame = identifyFrame({ token: TOKEN, intents: 512, properties: PROPERTIES, shard: [0, 1] });
  assertEquals(driver.identify(), [{ type: "send", frame, what: "identify" }]);
  assertEquals([state.phase, state.session], ["identifying", null]);

  driver.now = 300;
  driver.receive(ready(1));
  assertEquals(state.phase, "live");
  assertEquals(state.session, { ...SESSION, sequence: 1 });
  assertEquals(driver.eventNames, ["READY 1"]);
  assertEquals(state.deadline, { at: 100 + 20_625, reason: "heartbeat" }, "READY's deadline is gone");
});

Deno.test("state: a resume, step by step: no permit, RESUME at once, the replay, RESUMED [case 5] [case 25]", () => {
  const driver = new Driver({ session: SESSION });
  const { state } = driver;
  assertEquals([state.phase, state.session], ["awaiting_hello", SESSION]);
  assertEquals(driver.sent, [], "nothing goes out before HELLO");

  const resume = `{"op":6,"d":{"token":"${TOKEN}","session_id":"d1c2","seq":1337}}`;
  assertEquals(driver.receive(hello()), [{ type: "send", frame: resume, what: "resume" }]);
  assertEquals([state.phase, driver.permits], ["resuming", 0]);

  driver.receiveAll(dispatch("A", 1338), dispatch("B", 1339));
  assertEquals(state.phase, "resuming", "a replay is not the end of it");
  driver.receive(dispatch("RESUMED", 1340));
  assertEquals([state.phase, state.session?.sequence], ["live", 1340]);
  assertEquals(driver.eventNames, ["A 1338", "B 1339", "RESUMED 1340"]);
});

Deno.test("state: IDENTIFY says all that was asked for [case 25]", () => {
  const presence = {
    since: null,
    activities: [{ name: "Custom Status", type: 4, state: "resting" }],
    status: "invisible",
    afk: false,
  } as const;
  const driver = inPhase("identifying", {
    intents: 33_281,
    shard: [3, 16],
    properties: { browser: "mine" },
    presence,
    largeThreshold: 250,
    capabilities: 32_768,
  });
  assertEquals(driver.framesOf("identify"), [identifyFrame({
    token: TOKEN,
    intents: 33_281,
    properties: { ...PROPERTIES, browser: "mine" },
    shard: [3, 16],
    presence,
    large_threshold: 250,
    capabilities: 32_768,
  })]);
});

Deno.test("state: a presence goes out as it was given: what `offline` means is Discord's business [case 26]", () => {
  const custom = { name: "Custom Status", type: 4, state: "away" } as const;
  const presence = { since: null, activities: [custom], status: "offline", afk: false } as const;
  const driver = new Driver({ presence });
  driver.receive(hello());
  driver.identify();
  assertEquals(JSON.parse(driver.sent[0]?.frame ?? "").d.presence, presence);
});

Deno.test("state: intents 0 are sent, leaving them out would close with 4013", () => {
  const [identify] = inPhase("identifying", { intents: 0 }).framesOf("identify");
  assertEquals(JSON.parse(identify!).d.intents, 0);
});

Deno.test("state: no IDENTIFY before the permit, exactly one after it [case 39]", () => {
  const driver = new Driver();
  assertThrows(
    () => driver.identify(),
    TypeError,
    "Cannot identify: no permit was asked for: awaiting_hello",
  );
  driver.receive(hello());
  driver.advance(60_000);
  assertEquals([driver.permits, driver.framesOf("identify").length], [1, 0]);
  driver.identify();
  for (const phase of ["identifying", "live"]) {
    assertThrows(() => driver.identify(), TypeError, `Cannot identify: no permit was asked for: ${phase}`);
    driver.receive(ready());
  }
  assertEquals([driver.permits, driver.framesOf("identify").length], [1, 1]);
});

Deno.test("state: a resume asks for no permit and takes none", () => {
  assertThrows(() => inPhase("resuming").identify(), TypeError, "no permit was asked for: resuming");
});

Deno.test("state: HELLO twice: no second permit, identify or resume, only the interval is taken over", () => {
  for (const phase of ["awaiting_permit", "identifying", "resuming", "live"] as const) {
    const driver = inPhase(phase);
    const before = [driver.permits, driver.sent.length];
    driver.now = 1_000;
    assertEquals(driver.receive(hello(10_000)), []);
    assertEquals([driver.permits, driver.sent.length], before);
    assertEquals(driver.state.phase, phase);
    assertEquals(driver.state.deadline, { at: 11_000, reason: "heartbeat" });
    driver.toDeadline();
    driver.receive('{"op":11}');
    assertEquals(driver.state.deadline.at, 21_000);
  }
});

for (
  const [what, d, shown] of [
    ["true [case 39]", { heartbeat_interval: true }, "boolean"],
    ["0", { heartbeat_interval: 0 }, "0"],
    ["-1", { heartbeat_interval: -1 }, "-1"],
    ["less than a millisecond", { heartbeat_interval: 0.5 }, "0.5"],
    ["a text", { heartbeat_interval: "41250" }, "string"],
    ["null", { heartbeat_interval: null }, "object"],
    ["missing", {}, "undefined"],
    ["in no body (null)", null, "undefined"],
    ["in a list", [41_250], "undefined"],
    ["in a text", "41250", "undefined"],
  ] as const
) {
  Deno.test(`state: HELLO with an interval ${what} breaks the protocol, the session is kept`, () => {
    const driver = new Driver({ session: SESSION });
    driver.receive(frame(10, d));
    const { cause, error, session } = driver.end;
    assertEquals([cause, session], ["protocol_error", SESSION]);
    assertInstanceOf(error, ProtocolError);
    assertEquals(error.message, `Cannot take HELLO: heartbeat_interval is a number of ms from 1: ${shown}`);
    assertEquals([driver.close?.code, driver.permits, driver.sent.length], [4200, 0, 0]);
  });
}

Deno.test("state: HELLO without any d, and one with an infinite interval, break the protocol", () => {
  for (const text of ['{"op":10}', '{"op":10,"d":{"heartbeat_interval":1e999}}']) {
    const driver = new Driver();
    driver.receive(text);
    assertEquals(driver.end.cause, "protocol_error");
  }
});

Deno.test("state: a second HELLO that is malformed ends a live connection like a first one", () => {
  const driver = inPhase("live");
  driver.receive(frame(10, {}));
  assertEquals([driver.end.cause, driver.end.phase], ["protocol_error", "live"]);
});

Deno.test("state: a failure of the program's own random numbers is the program's to see, and no end", () => {
  const failure = new RangeError("no entropy");
  const driver = new Driver({
    random: () => {
      throw failure;
    },
  });
  assertStrictEquals(assertThrows(() => driver.receive(hello())), failure);
  assertEquals([driver.state.phase, driver.state.end], ["awaiting_hello", null]);
});

Deno.test("state: HELLO has 20 s from the opening on", () => {
  const driver = new Driver({ now: 5_000, session: SESSION });
  driver.now = 24_999;
  assertEquals(driver.tick(), []);
  assertEquals(driver.state.deadline, { at: 25_000, reason: "hello" });
  driver.toDeadline();
  assertEquals([driver.end.cause, driver.end.session, driver.close?.code], ["hello_timeout", SESSION, 4200]);
});

Deno.test("state: what is not HELLO does not stop the wait for HELLO", () => {
  const driver = new Driver();
  driver.now = 19_000;
  driver.receiveAll('{"op":11}', frame(69), dispatch("A", 1));
  assertEquals(driver.state.deadline, { at: 20_000, reason: "hello" });
});

Deno.test("state: READY has two minutes from IDENTIFY on, in which heartbeats run: an outage delays it", () => {
  const driver = inPhase("awaiting_permit");
  driver.advance(3_600_000);
  driver.identify();
  driver.advance(119_999);
  assertEquals(driver.state.phase, "identifying");
  driver.advance(1);
  assertEquals([driver.end.cause, driver.end.session, driver.close?.code], ["ready_timeout", null, 4200]);
});

Deno.test("state: events before READY do not stop the wait for READY", () => {
  const driver = inPhase("identifying", { readyTimeoutMs: 5_000 });
  driver.now = 4_000;
  driver.receive(dispatch("A", 1));
  assertEquals(driver.state.deadline, { at: 5_000, reason: "ready" });
});

Deno.test("state: RESUMED has 30 s from RESUME on, and from each event of the replay", () => {
  const driver = inPhase("resuming");
  let s = SESSION.sequence;
  for (let replayed = 0; replayed < 100; replayed++) {
    driver.advance(29_999);
    driver.receive(dispatch("A", ++s));
  }
  assertEquals(driver.state.phase, "resuming");
  driver.advance(30_000);
  assertEquals([driver.end.cause, driver.end.phase], ["resumed_timeout", "resuming"]);
  assertEquals([driver.end.session?.sequence, driver.end.progressed], [s, true]);
});

Deno.test("state: acknowledgements alone do not make a replay", () => {
  const driver = inPhase("resuming");
  driver.advance(29_000);
  assertEquals(driver.state.latency.acknowledged, 1);
  driver.advance(1_000);
  assertEquals([driver.end.cause, driver.end.progressed], ["resumed_timeout", false]);
});

Deno.test("state: a replay of what was seen already does not make a replay either", () => {
  const driver = inPhase("resuming");
  driver.now = 20_000;
  driver.receive(dispatch("A", SESSION.sequence));
  assertEquals(driver.state.deadline.at, 20_625, "the heartbeat's");
  driver.advance(10_000);
  assertEquals([driver.end.cause, driver.end.progressed], ["resumed_timeout", false]);
});

Deno.test("state: the three deadlines can be set", () => {
  const options = { helloTimeoutMs: 1, readyTimeoutMs: 2, resumedTimeoutMs: 3 };
  assertEquals(inPhase("awaiting_hello", options).state.deadline, { at: 1, reason: "hello" });
  assertEquals(inPhase("identifying", options).state.deadline, { at: 2, reason: "ready" });
  assertEquals(inPhase("resuming", options).state.deadline, { at: 3, reason: "resumed" });
});

Deno.test("state: where a wait runs out at the instant of a heartbeat, the wait decides", () => {
  const driver = inPhase("resuming", { resumedTimeoutMs: 20_625 });
  assertEquals(driver.state.deadline, { at: 20_625, reason: "resumed" });
  driver.toDeadline();
  assertEquals([driver.end.cause, driver.framesOf("heartbeat")], ["resumed_timeout", []]);
});

Deno.test("state: a permit refused for good ends the state with the limiter's error", () => {
  const driver = inPhase("awaiting_permit");
  const error = new Error("the day's budget is spent");
  driver.input((state) => state.identifyRefused(error));
  assertEquals([driver.end.cause, driver.framesOf("identify")], ["identify_refused", []]);
  assertStrictEquals(driver.end.error, error);
});

Deno.test("state: a limiter that fails is another cause than one that refuses", () => {
  const driver = inPhase("awaiting_permit");
  driver.input((state) => state.identifyRefused(new Error("no response"), { failed: true }));
  assertEquals(driver.end.cause, "identify_limiter_failed");
});

Deno.test("state: a permit that nobody asked for cannot be refused", () => {
  for (const phase of ["awaiting_hello", "identifying", "resuming", "live"] as const) {
    const driver = inPhase(phase);
    assertThrows(
      () => driver.input((state) => state.identifyRefused(new Error("late"))),
      TypeError,
      `Cannot refuse an identify: no permit was asked for: ${phase}`,
    );
    assertEquals(driver.state.phase, phase);
  }
});

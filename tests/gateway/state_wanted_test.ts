/** The events that nobody asked for: dropped by their header alone, and yet they count and prove life. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { assertProperty } from "../property.ts";
import { ACK, dispatch, Driver, frame, hello, inPhase, ready, SESSION } from "./harness.ts";

const WANTED = new Set(["MESSAGE_CREATE"]);

Deno.test("state: only wanted events come out; the others move the sequence all the same", () => {
  const driver = inPhase("live", { wanted: WANTED });
  driver.receiveAll(dispatch("TYPING_START", 2), dispatch("MESSAGE_CREATE", 3), dispatch("TYPING_START", 4));
  assertEquals(driver.eventNames, ["MESSAGE_CREATE 3"]);
  assertEquals(driver.state.session?.sequence, 4);
  driver.toDeadline();
  assertEquals(driver.framesOf("heartbeat"), ['{"op":1,"d":4}']);
});

Deno.test("state: READY and RESUMED always reach the core; they come out only if wanted", () => {
  const identified = inPhase("live", { wanted: new Set() });
  assertEquals([identified.state.session, identified.events], [{ ...SESSION, sequence: 1 }, []]);

  const resumed = inPhase("resuming", { wanted: new Set() });
  resumed.receive(dispatch("RESUMED", 1338));
  assertEquals([resumed.state.phase, resumed.events], ["live", []]);

  const asked = inPhase("live", { wanted: new Set(["READY"]) });
  assertEquals(asked.eventNames, ["READY 1"]);
});

Deno.test("state: a malformed READY is noticed though nobody wants it", () => {
  const driver = inPhase("identifying", { wanted: WANTED });
  driver.receive(ready(1, { session_id: null }));
  assertEquals(driver.end.cause, "protocol_error");
});

Deno.test("state: the body of an unwanted event is not parsed: broken JSON in it goes unnoticed", () => {
  const broken = '{"t":"TYPING_START","s":2,"op":0,"d":{"broken';
  const driver = inPhase("live", { wanted: WANTED });
  assertEquals(driver.receive(broken), []);
  assertEquals([driver.state.phase, driver.state.session?.sequence], ["live", 2]);

  const everything = inPhase("live");
  everything.receive(broken);
  assertEquals(everything.end.cause, "frame_error");
});

Deno.test("state: broken JSON in a wanted event is noticed", () => {
  const driver = inPhase("live", { wanted: WANTED });
  driver.receive('{"t":"MESSAGE_CREATE","s":2,"op":0,"d":{"broken');
  assertEquals([driver.end.cause, driver.end.session?.sequence], ["frame_error", 1]);
});

Deno.test("state: an unwanted event proves life", () => {
  const driver = inPhase("live", { wanted: WANTED });
  driver.acksAfterMs = null;
  driver.toDeadline();
  driver.receive(dispatch("TYPING_START", 2));
  driver.toDeadline();
  assertEquals(driver.state.phase, "live");
});

Deno.test("state: an unwanted event of a replay keeps the wait for RESUMED alive", () => {
  const driver = inPhase("resuming", { wanted: WANTED });
  driver.now = 20_000;
  driver.receive(dispatch("TYPING_START", 1338));
  driver.advance(29_999);
  assertEquals(driver.state.phase, "resuming");
  driver.advance(1);
  assertEquals([driver.end.cause, driver.end.progressed], ["resumed_timeout", true]);
});

Deno.test("state: an unwanted event from before the resume point does not", () => {
  const driver = inPhase("resuming", { wanted: WANTED });
  driver.receive(dispatch("TYPING_START", 1337));
  driver.now = 20_000;
  driver.receive(dispatch("TYPING_START", 1336));
  driver.advance(10_000);
  assertEquals([driver.end.cause, driver.end.progressed], ["resumed_timeout", false]);
});

/** One event, in layouts that Discord does not use today. */
const LAYOUTS: readonly [layout: string, of: (t: string, s: number) => string][] = [
  ["Discord's layout", (t, s) => `{"t":"${t}","s":${s},"op":0,"d":{"x":1}}`],
  ["op first", (t, s) => `{"op":0,"s":${s},"t":"${t}","d":{"x":1}}`],
  ["the body first", (t, s) => `{"d":{"x":1},"op":0,"s":${s},"t":"${t}"}`],
  ["the body in between", (t, s) => `{"op":0,"d":{"x":1},"s":${s},"t":"${t}"}`],
  ["white space", (t, s) => ` { "t" : "${t}" , "s" : ${s} ,\n"op" : 0, "d" : {"x" : 1} }\r\n`],
  [
    "an escaped name",
    (t, s) => `{"t":"\\u00${t.charCodeAt(0).toString(16)}${t.slice(1)}","s":${s},"op":0,"d":{"x":1}}`,
  ],
  ["an escaped key", (t, s) => `{"\\u0074":"${t}","s":${s},"op":0,"d":{"x":1}}`],
  ["another key first", (t, s) => `{"v":10,"t":"${t}","s":${s},"op":0,"d":{"x":1}}`],
  ["another key last", (t, s) => `{"t":"${t}","s":${s},"op":0,"d":{"x":1},"v":10}`],
];

for (const [layout, of] of LAYOUTS) {
  Deno.test(`state: events are told apart with ${layout}`, () => {
    const driver = inPhase("live", { wanted: WANTED });
    driver.receiveAll(of("TYPING_START", 2), of("MESSAGE_CREATE", 3), of("TYPING_START", 4));
    assertEquals(driver.events.map(({ t, s, d }): unknown => [t, s, d]), [["MESSAGE_CREATE", 3, { x: 1 }]]);
    assertEquals(driver.state.session?.sequence, 4);
  });
}

Deno.test("state: what a member writes is never taken for a header", () => {
  const contents = [
    '"op":7',
    '","op":7,"d":null}',
    '{"t":null,"s":null,"op":9,"d":false}',
    '\\","s":99999,"op":7,"d":{"',
    '"t":"READY","s":0,"op":0',
  ];
  for (const wanted of [WANTED, new Set<string>(), null]) {
    const driver = inPhase("live", { wanted });
    let s = 1;
    for (const content of contents) {
      driver.receive(dispatch("MESSAGE_CREATE", ++s, { content }));
      driver.receive(JSON.stringify({ d: { content }, t: "MESSAGE_CREATE", s: ++s, op: 0 }));
    }
    assertEquals([driver.state.phase, driver.state.session?.sequence], ["live", s]);
  }
});

Deno.test("state: an event without a name comes out only where everything is wanted", () => {
  const driver = inPhase("live", { wanted: WANTED });
  driver.receive(dispatch(null, 5));
  assertEquals([driver.events, driver.state.session?.sequence], [[], 5]);
  const everything = inPhase("live");
  everything.receive(dispatch(null, 5));
  assertEquals(everything.eventNames, ["READY 1", "null 5"]);
});

Deno.test("state: a filter changes what comes out and nothing else, whatever comes in", () => {
  const name = fc.constantFrom("MESSAGE_CREATE", "TYPING_START", "RESUMED", null);
  const text = fc.oneof(
    fc.tuple(name, fc.option(fc.nat(2_000)), fc.jsonValue()).map(([t, s, d]) => dispatch(t, s, d)),
    fc.tuple(name, fc.nat(2_000)).map(([t, s]) => JSON.stringify({ d: {}, s, t, op: 0 }, null, 1)),
    fc.constantFrom(ACK, frame(1), frame(69), hello(), ready(3), frame(9, true)),
  );
  const step = fc.record({ text, wait: fc.nat(20_000) });
  assertProperty(fc.property(fc.boolean(), fc.array(step, { maxLength: 60 }), (resume, steps) => {
    const options = resume ? { session: SESSION } : {};
    const all = new Driver(options);
    const some = new Driver({ ...options, wanted: WANTED });
    for (const { text, wait } of [{ text: hello(), wait: 0 }, ...steps]) {
      for (const driver of [all, some]) {
        driver.advance(wait);
        if (driver.state.end === null) driver.receive(text);
        if (driver.state.phase === "awaiting_permit") driver.identify();
      }
      const view = ({ state, sent }: Driver) => [state.phase, state.end, state.session, state.deadline, sent];
      assertEquals(view(some), view(all));
    }
    assertEquals(some.events, all.events.filter(({ t }) => t === "MESSAGE_CREATE"));
  }));
});

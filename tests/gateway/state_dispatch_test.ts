/** Events and their numbers: live, before READY, and in the replay after a RESUME. */

import { assertEquals } from "@std/assert";
import { dispatch, Driver, hello, inPhase, ready, SESSION, TOKEN } from "./harness.ts";

Deno.test("state: a live event is handed out as it came", () => {
  const driver = inPhase("live");
  const outputs = driver.receive(dispatch("MESSAGE_CREATE", 2, { content: "!ping", nested: { op: 7 } }));
  assertEquals<unknown>(outputs, [{
    type: "event",
    event: { t: "MESSAGE_CREATE", s: 2, op: 0, d: { content: "!ping", nested: { op: 7 } } },
  }]);
  assertEquals(driver.state.session?.sequence, 2);
});

Deno.test("state: an unknown event is handed out, and its number counts [case 27]", () => {
  const driver = inPhase("live");
  driver.receive(dispatch("INVENTED_TOMORROW", 2, [1, "x", null]));
  assertEquals([driver.eventNames.at(-1), driver.state.session?.sequence], ["INVENTED_TOMORROW 2", 2]);
});

Deno.test("state: RATE_LIMITED is an event like any other [case 33]", () => {
  const driver = inPhase("live");
  const d = { opcode: 8, retry_after: 12.5, meta: { guild_id: "1", nonce: "n" } };
  driver.receive(dispatch("RATE_LIMITED", 2, d));
  assertEquals<unknown>(driver.events.at(-1), { t: "RATE_LIMITED", s: 2, op: 0, d });
  assertEquals([driver.state.phase, driver.state.session?.sequence], ["live", 2]);
});

Deno.test("state: equal and lower numbers are handed out when live, and never move the sequence back", () => {
  const driver = inPhase("live");
  driver.receiveAll(
    dispatch("A", 5),
    dispatch("B", 5),
    dispatch("C", 3),
    dispatch("D", 0),
    dispatch("E", -1),
  );
  assertEquals(driver.eventNames, ["READY 1", "A 5", "B 5", "C 3", "D 0", "E -1"]);
  assertEquals(driver.state.session?.sequence, 5);
  driver.receive(dispatch("F", 6));
  assertEquals(driver.state.session?.sequence, 6);
});

Deno.test("state: a gap in the numbers is no error: Discord numbers what it sends", () => {
  const driver = inPhase("live");
  driver.receiveAll(dispatch("A", 2), dispatch("B", 900));
  assertEquals([driver.state.phase, driver.state.session?.sequence], ["live", 900]);
});

Deno.test("state: an event without a number is handed out and leaves the sequence as it is", () => {
  const driver = inPhase("live");
  driver.receiveAll(dispatch("A", 5), dispatch("B", null), '{"op":0,"t":"C","d":{}}');
  assertEquals(driver.eventNames, ["READY 1", "A 5", "B null", "C null"]);
  assertEquals(driver.state.session?.sequence, 5);
});

Deno.test("state: a number on a frame that is no event is not a sequence", () => {
  const driver = inPhase("live");
  driver.receiveAll('{"op":11,"s":99,"t":null,"d":null}', '{"op":69,"s":99,"t":"X","d":null}');
  assertEquals(driver.state.session?.sequence, 1);
});

Deno.test("state: an event before READY is handed out; its number is what the next heartbeat carries", () => {
  for (const phase of ["awaiting_permit", "identifying"] as const) {
    const driver = inPhase(phase);
    driver.receive(dispatch("A", 4));
    assertEquals([driver.eventNames, driver.state.session], [["A 4"], null]);
    driver.toDeadline();
    assertEquals(driver.framesOf("heartbeat"), ['{"op":1,"d":4}']);
  }
});

Deno.test("state: an event before HELLO is handed out and changes nothing else", () => {
  const driver = new Driver();
  driver.receive(dispatch("A", 4));
  assertEquals([driver.eventNames, driver.state.phase], [["A 4"], "awaiting_hello"]);
  assertEquals(driver.receive(hello()), [{ type: "permit" }]);
});

// The replay.

Deno.test("state: a replay at or below the resume point was handed out by the connection before: dropped", () => {
  const driver = inPhase("resuming");
  driver.receiveAll(
    dispatch("OLD", 1336),
    dispatch("OLD", 1337),
    dispatch("NEW", 1338),
    dispatch("OLD", 1330),
  );
  assertEquals(driver.eventNames, ["NEW 1338"]);
  assertEquals(driver.state.session?.sequence, 1338);
});

Deno.test("state: once RESUMED has come, low numbers are handed out again", () => {
  const driver = inPhase("resuming");
  driver.receiveAll(dispatch("RESUMED", 1338), dispatch("A", 1337));
  assertEquals(driver.eventNames, ["RESUMED 1338", "A 1337"]);
  assertEquals(driver.state.session?.sequence, 1338);
});

Deno.test("state: a resume from 0 drops what is numbered 0, and takes 1", () => {
  const driver = inPhase("resuming", { session: { ...SESSION, sequence: 0 } });
  driver.receiveAll(dispatch("A", 0), dispatch("B", 1));
  assertEquals(driver.eventNames, ["B 1"]);
});

Deno.test("state: the replay moves on what a resume after it would ask for", () => {
  const driver = inPhase("resuming");
  driver.receiveAll(dispatch("A", 1338), dispatch("B", 1339));
  driver.input((state) => state.connectionEnded({ code: null, reason: "" }));
  assertEquals([driver.end.session, driver.end.progressed], [{ ...SESSION, sequence: 1339 }, true]);
});

Deno.test("state: an event without a number is handed out in a replay too", () => {
  const driver = inPhase("resuming");
  driver.receive(dispatch("A", null));
  assertEquals([driver.eventNames, driver.state.phase], [["A null"], "resuming"]);
});

// The record: everything that another process needs.

Deno.test("state: a record restored elsewhere gives byte for byte the RESUME that this process would have sent", () => {
  const driver = inPhase("live", { shard: [3, 16] });
  driver.receive(dispatch("A", 156_356));
  const record = JSON.stringify(driver.state.session);

  const here = new Driver({ session: driver.state.session, shard: [3, 16] });
  const there = new Driver({ session: JSON.parse(record), shard: [3, 16] });
  here.receive(hello());
  there.receive(hello());
  assertEquals(there.framesOf("resume"), here.framesOf("resume"));
  assertEquals(there.framesOf("resume"), [
    `{"op":6,"d":{"token":"${TOKEN}","session_id":"d1c2","seq":156356}}`,
  ]);
  assertEquals(JSON.stringify(there.state.session), record);
});

Deno.test("state: nothing but the record passes from one connection to the next [case 9]", () => {
  const old = inPhase("live");
  old.acksAfterMs = null;
  old.toDeadline();
  old.receive('{"op":7}');
  const next = new Driver({ session: old.end.session });
  next.receive(hello());
  assertEquals(next.sent.map(({ what }) => what), ["resume"], "exactly one, on the new connection");
  next.toDeadline();
  assertEquals(
    [next.state.phase, next.state.latency.acknowledged],
    ["resuming", 0],
    "no zombie by old silence",
  );
});

Deno.test("state: handling an event has nothing to do with its number: a consumer's failure cannot lose it", () => {
  const driver = inPhase("live");
  driver.receive(dispatch("A", 2));
  driver.input((state) => state.close({ keepSession: true, consumerBehind: true }));
  assertEquals(
    driver.end.session?.sequence,
    2,
    "the sequence received; the handled one is the consumer's to keep",
  );
});

Deno.test("state: the session is a copy each time, and reads the same before and after the end", () => {
  const driver = inPhase("live");
  const { session } = driver.state;
  driver.receive(dispatch("A", 2));
  assertEquals(session?.sequence, 1);
  driver.receive('{"op":7}');
  assertEquals(driver.state.session, driver.end.session);
  assertEquals(driver.state.session, { ...SESSION, sequence: 2 });
});

Deno.test("state: READY of the old connection, come late, reaches no new state [case 11]", () => {
  const old = inPhase("live");
  old.receive('{"op":7}');
  const next = new Driver({ session: old.end.session });
  let refused = 0;
  try {
    old.receive(ready(999));
  } catch {
    refused++;
  }
  assertEquals([refused, next.state.session?.sequence], [1, 1]);
});

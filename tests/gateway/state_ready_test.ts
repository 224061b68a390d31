/** READY and RESUMED: what makes a session, and what a malformed or misplaced one does. */

import { assertEquals, assertInstanceOf } from "@std/assert";
import { ProtocolError } from "../../gateway/errors.ts";
import { dispatch, Driver, hello, inPhase, ready, SESSION, TOKEN } from "./harness.ts";

Deno.test("state: READY with s 0: the heartbeat carries 0, not null, and a resume starts from 0", () => {
  const driver = inPhase("identifying");
  driver.receive(ready(0));
  assertEquals(driver.state.session, { ...SESSION, sequence: 0 });
  driver.toDeadline();
  assertEquals(driver.framesOf("heartbeat"), ['{"op":1,"d":0}']);

  const next = new Driver({ session: driver.state.session });
  next.receive(hello());
  assertEquals(next.framesOf("resume"), [`{"op":6,"d":{"token":"${TOKEN}","session_id":"d1c2","seq":0}}`]);
});

Deno.test("state: READY without s: the heartbeat carries null, the record 0", () => {
  const driver = inPhase("identifying");
  driver.receive(ready(null));
  assertEquals(driver.state.session?.sequence, 0);
  driver.toDeadline();
  assertEquals(driver.framesOf("heartbeat"), ['{"op":1,"d":null}']);
});

for (
  const [what, sessionId, shown] of [
    ["without", undefined, "undefined"],
    ["with an empty", "", "string"],
    ["with a null", null, "object"],
    ["with a numeric", 7, "number"],
  ] as const
) {
  Deno.test(`state: READY ${what} session_id breaks the protocol [case 40]`, () => {
    const driver = inPhase("identifying");
    driver.receive(ready(1, { session_id: sessionId }));
    const { cause, error, session } = driver.end;
    assertEquals([cause, session], ["protocol_error", null]);
    assertInstanceOf(error, ProtocolError);
    assertEquals(error.message, `Cannot take READY: session_id is a string: ${shown}`);
    assertEquals(driver.events, [], "it is not handed out");
  });
}

Deno.test("state: READY without a body breaks the protocol [case 40]", () => {
  for (const text of [dispatch("READY", 1, null), '{"t":"READY","s":1,"op":0}']) {
    const driver = inPhase("identifying");
    driver.receive(text);
    assertEquals(driver.end.cause, "protocol_error");
  }
});

for (const url of [undefined, null, "", 7, "gateway.discord.gg", "/relative", "wss://"]) {
  Deno.test(`state: READY with the resume_gateway_url ${JSON.stringify(url)} gives a session without one`, () => {
    const driver = inPhase("identifying");
    driver.receive(ready(1, { resume_gateway_url: url }));
    assertEquals(driver.state.phase, "live");
    assertEquals(driver.state.session, { ...SESSION, sequence: 1, resumeGatewayUrl: null });
  });
}

Deno.test("state: the session belongs to the shard that identified, whatever READY says", () => {
  const driver = inPhase("identifying", { shard: [3, 16] });
  driver.receive(ready(1, { shard: [9, 9] }));
  assertEquals([driver.state.session?.shardId, driver.state.session?.shardCount], [3, 16]);
});

Deno.test("state: READY restarts the sequence, whatever came before it", () => {
  const driver = inPhase("identifying");
  driver.receiveAll(dispatch("A", 500), ready(2));
  assertEquals(driver.state.session?.sequence, 2);
  driver.toDeadline();
  assertEquals(driver.framesOf("heartbeat"), ['{"op":1,"d":2}']);
});

Deno.test("state: READY as the response to a resume makes a new session", () => {
  const driver = inPhase("resuming");
  driver.receive(ready(1, { session_id: "another" }));
  assertEquals(driver.state.phase, "live");
  assertEquals(driver.state.session, { ...SESSION, sessionId: "another", sequence: 1 });
  assertEquals(driver.state.deadline.reason, "heartbeat");
  driver.receive(dispatch("A", 2));
  assertEquals(driver.eventNames, ["READY 1", "A 2"], "numbers below the old resume point are new ones now");
});

Deno.test("state: READY again makes another session on a live connection", () => {
  const driver = inPhase("live");
  driver.receiveAll(dispatch("A", 2), ready(1, { session_id: "another" }));
  assertEquals(driver.state.session, { ...SESSION, sessionId: "another", sequence: 1 });
});

Deno.test("state: RESUMED means nothing but to a resume", () => {
  for (const phase of ["awaiting_hello", "awaiting_permit", "identifying", "live"] as const) {
    const driver = inPhase(phase);
    const { deadline } = driver.state;
    driver.receive(dispatch("RESUMED", 5));
    assertEquals([driver.state.phase, driver.state.deadline], [phase, deadline]);
    assertEquals(driver.eventNames.at(-1), "RESUMED 5", "it is handed out like any event");
  }
});

for (const [s, sequence] of [[null, 1337], [3, 1337], [1337, 1337], [1340, 1340]] as const) {
  Deno.test(`state: RESUMED with s ${s} makes the connection live, at sequence ${sequence}`, () => {
    const driver = inPhase("resuming");
    driver.receive(dispatch("RESUMED", s));
    assertEquals([driver.state.phase, driver.state.session?.sequence], ["live", sequence]);
    assertEquals([driver.eventNames, driver.state.deadline.reason], [[`RESUMED ${s}`], "heartbeat"]);
  });
}

Deno.test("state: our rule while READY is awaited: other payloads are taken, not refused [case 40]", () => {
  const driver = inPhase("identifying");
  driver.receiveAll('{"op":11}', '{"op":69}', dispatch("GUILD_CREATE", 2), ready(1));
  assertEquals([driver.state.phase, driver.eventNames], ["live", ["GUILD_CREATE 2", "READY 1"]]);
});

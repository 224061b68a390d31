import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../gateway/errors.ts";
import { ReceivedSession } from "../../gateway/received_session.ts";
import { SESSION } from "./harness.ts";

const READY = { session_id: "new", resume_gateway_url: "wss://b" };
const resumed = (sequence: number = SESSION.sequence) => new ReceivedSession({ ...SESSION, sequence });

Deno.test("received session: begins without a sequence, or with that of the session to resume", () => {
  const fresh = new ReceivedSession(null);
  assertEquals([fresh.sequence, fresh.record, fresh.progressed], [null, null, false]);
  assertEquals([resumed().sequence, resumed().progressed], [1337, false]);
  assertEquals(resumed().record, SESSION);
});

Deno.test("received session: the sequence follows what comes and never goes back", () => {
  const session = new ReceivedSession(null);
  const seen: (number | null)[] = [];
  for (const s of [0, 5, 5, 3, 156356, 7]) {
    assertEquals(session.dispatched(s, false), true);
    seen.push(session.sequence);
  }
  assertEquals(seen, [0, 5, 5, 5, 156356, 156356]);
});

Deno.test("received session: zero is a sequence like any other", () => {
  const session = resumed(0);
  assertStrictEquals(session.sequence, 0);
  session.begin(READY, 0, [0, 1]);
  assertStrictEquals(session.sequence, 0);
});

Deno.test("received session: a new session starts anywhere, also lower, also without a number", () => {
  const session = resumed();
  session.begin(READY, 2, [0, 1]);
  assertEquals(session.sequence, 2);
  session.begin(READY, null, [0, 1]);
  assertEquals(session.sequence, null);
  assertEquals(session.record?.sequence, 0);
});

Deno.test("received session: what is replayed from before the resume point is a repetition", () => {
  const session = resumed();
  assertEquals([session.dispatched(1336, true), session.dispatched(1337, true), session.progressed], [
    false,
    false,
    false,
  ]);
  assertEquals([session.dispatched(1338, true), session.sequence, session.progressed], [true, 1338, true]);
});

Deno.test("received session: a READY without a session leaves the one that was", () => {
  const session = resumed();
  assertThrows(() => session.begin({}, 1, [0, 1]), ProtocolError, "session_id is a string");
  assertEquals([session.record, session.progressed], [SESSION, false]);
});

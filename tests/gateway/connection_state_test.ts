import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ConnectionState } from "../../gateway/connection_state.ts";

const open = (sequence?: number | null) =>
  new ConnectionState<string>((end) => new RangeError(`ended by ${end}`), sequence);

Deno.test("connection state: starts open, without a sequence, or with that of the session to resume", () => {
  const fresh = open();
  assertEquals([fresh.sequence, fresh.end], [null, null]);
  fresh.assertOpen();
  assertEquals(open(1337).sequence, 1337);
  assertEquals(open(null).sequence, null);
});

Deno.test("connection state: the sequence follows what comes and never goes back", () => {
  const connection = open();
  const seen: (number | null)[] = [];
  for (const s of [0, 5, 5, 3, 156356, 7]) {
    connection.received(s);
    seen.push(connection.sequence);
  }
  assertEquals(seen, [0, 5, 5, 5, 156356, 156356]);
});

Deno.test("connection state: zero is a sequence like any other", () => {
  const connection = open(0);
  assertStrictEquals(connection.sequence, 0);
  connection.restart(0);
  assertStrictEquals(connection.sequence, 0);
});

Deno.test("connection state: a new session starts anywhere, also lower, also without a number", () => {
  const connection = open(1337);
  connection.restart(2);
  assertEquals(connection.sequence, 2);
  connection.restart(null);
  assertEquals(connection.sequence, null);
});

Deno.test("connection state: the first end stays, and is what inputs are refused with", () => {
  const connection = open(4);
  assertEquals(connection.close("a cut"), true);
  assertEquals(connection.close("a late close frame"), false);
  assertEquals(connection.end, "a cut");
  assertThrows(() => connection.assertOpen(), RangeError, "ended by a cut");
  assertEquals(connection.sequence, 4, "getters answer after the end");
});

Deno.test("connection state: where numbers go around, the last one counts, whatever it is", () => {
  const connection = new ConnectionState<string>((end) => new Error(end));
  for (const sequence of [65_535, 0, 7, 3]) {
    connection.receivedWrapping(sequence);
    assertEquals(connection.sequence, sequence);
  }
});

import { assertEquals } from "@std/assert";
import { ReceivedSequence } from "../../../voice/gateway/received_sequence.ts";

Deno.test("voice sequence: where numbers wrap around, the last one counts, whatever it is", () => {
  const received = new ReceivedSequence(-1);
  assertEquals(received.last, -1);
  for (const sequence of [65_535, 0, 7, 3]) {
    assertEquals(received.received(sequence), true);
    assertEquals(received.last, sequence);
  }
});

Deno.test("voice sequence: zero is a resume point like any other", () => {
  const received = new ReceivedSequence(0);
  assertEquals([received.received(0), received.last], [false, 0]);
  assertEquals([received.received(1), received.received(0), received.last], [true, true, 0]);
});

Deno.test("voice sequence: what comes again from before the resume point is dropped, also across the highest number", () => {
  const received = new ReceivedSequence(2);
  assertEquals([65_535, 1, 2].map((sequence) => received.received(sequence)), [false, false, false]);
  assertEquals([received.last, received.received(3), received.last], [2, true, 3]);
});

/** Packets in order, and marks where some are missing. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Sequencer } from "../../../voice/media/sequencer.ts";
import { assertProperty } from "../../property.ts";

function pushed(sequencer: Sequencer<{ sequence: number }>, ...sequences: readonly number[]): string {
  return sequences.flatMap((sequence) => sequencer.push({ sequence }))
    .map(({ packet, lost }) => `${packet.sequence}${lost > 0 ? `(${lost} lost)` : ""}`).join(" ");
}

Deno.test("sequencer: packets in order are delivered at once, and the number wraps around", () => {
  assertEquals(pushed(new Sequencer(), 65_534, 65_535, 0, 1), "65534 65535 0 1");
});

Deno.test("sequencer: an overtaken packet is put in order", () => {
  const sequencer = new Sequencer<{ sequence: number }>();
  assertEquals(pushed(sequencer, 1, 3, 4), "1");
  assertEquals([sequencer.holds, pushed(sequencer, 2), sequencer.holds], [true, "2 3 4", false]);
});

Deno.test("sequencer: with the sixth that waits the missing ones are given up, and marked", () => {
  const sequencer = new Sequencer<{ sequence: number }>();
  assertEquals(pushed(sequencer, 1, 4, 5, 6, 7, 8), "1");
  assertEquals(pushed(sequencer, 9), "4(2 lost) 5 6 7 8 9");
  assertEquals([pushed(sequencer, 2, 3, 9), sequencer.late], ["", 3]);
});

Deno.test("sequencer: a flush gives up every gap", () => {
  const sequencer = new Sequencer<{ sequence: number }>();
  pushed(sequencer, 65_535, 1, 4);
  assertEquals(sequencer.flush().map(({ packet, lost }) => [packet.sequence, lost]), [[1, 1], [4, 2]]);
  assertEquals(sequencer.holds, false);
});

Deno.test("sequencer: a far jump is a new start, in both directions", () => {
  assertEquals(pushed(new Sequencer(), 10, 20_000, 20_001, 100), "10 20000 20001 100");
});

Deno.test("sequencer: a copy of one that waits is no packet", () => {
  const sequencer = new Sequencer<{ sequence: number }>();
  assertEquals([pushed(sequencer, 1, 3, 3, 2), sequencer.late], ["1 2 3", 1]);
});

Deno.test("sequencer: with any loss and reordering, order is kept and every missing packet is marked", () => {
  assertProperty(
    fc.property(
      fc.integer({ min: 0, max: 65_535 }),
      fc.array(fc.tuple(fc.boolean(), fc.nat(8)), { minLength: 1, maxLength: 200 }),
      (first, fates) => {
        // Each packet is lost or late by some places; the first one arrives.
        const arriving = fates.flatMap(([isLost, late], at) =>
          isLost && at > 0 ? [] : [{ at, place: at === 0 ? -1 : at + late }]
        ).sort((a, b) => a.place - b.place);
        const sequencer = new Sequencer<{ sequence: number; at: number }>();
        const out = arriving.flatMap(({ at }) => sequencer.push({ at, sequence: (first + at) % 65_536 }));
        out.push(...sequencer.flush());
        let next = 0;
        for (const { packet, lost } of out) {
          if (packet.at !== next + lost) return false;
          next = packet.at + 1;
        }
        return out.length + sequencer.late === arriving.length;
      },
    ),
  );
});

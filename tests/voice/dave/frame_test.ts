import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { isSilenceFrame, SILENCE_FRAME } from "../../../voice/mod.ts";
import { readDaveTrailer } from "../../../voice/core.ts";
import { assertProperty } from "../../property.ts";

/** Seven bits a byte, the low ones first: written here a second time. */
function leb128(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); rest > 0n || bytes.length === 0; rest >>= 7n) {
    bytes.push(Number(rest & 127n) + (rest > 127n ? 128 : 0));
  }
  return bytes;
}

/** `media | tag 8 | nonce | ranges | size | FA FA` */
function frameOf(
  { media = [1, 2, 3], nonce = 0, ranges = [] }: { media?: number[]; nonce?: number; ranges?: number[][] },
): Uint8Array {
  const inner = [...new Array(8).fill(9), ...leb128(nonce), ...ranges.flat().flatMap(leb128)];
  return Uint8Array.from([...media, ...inner, inner.length + 3, 0xfa, 0xfa]);
}

Deno.test("dave frame: the nonce, the clear ranges and the media's length", () => {
  assertEquals(readDaveTrailer(frameOf({})), { nonce: 0, clearRanges: [], mediaLength: 3 });
  assertEquals(readDaveTrailer(frameOf({ nonce: 0xffff_ffff, media: [] })), {
    nonce: 0xffff_ffff,
    clearRanges: [],
    mediaLength: 0,
  });
  const ranges = [[0, 1], [1, 0], [2, 1]];
  assertEquals(readDaveTrailer(frameOf({ ranges }))?.clearRanges, [[0, 1], [1, 0], [2, 1]]);
});

Deno.test("dave frame: any nonce of 32 bits and any ranges in order are read", () => {
  const range = fc.tuple(fc.nat(20), fc.nat(20));
  assertProperty(fc.property(fc.nat(0xffff_ffff), fc.array(range, { maxLength: 10 }), (nonce, gaps) => {
    let at = 0;
    const ranges = gaps.map(([gap, size]) => {
      const offset = at + gap;
      at = offset + size;
      return [offset, size];
    });
    const media = new Array(at).fill(7);
    const trailer = readDaveTrailer(frameOf({ media, nonce, ranges }));
    assertEquals(trailer, { nonce, clearRanges: ranges as [number, number][], mediaLength: at });
  }));
});

for (
  const [what, frame] of [
    ["empty", new Uint8Array()],
    ["the marker alone", Uint8Array.of(0xfa, 0xfa)],
    ["half a marker", frameOf({}).subarray(0, -1)],
    ["a size of 0", Uint8Array.from([...new Array(20).fill(0), 0, 0xfa, 0xfa])],
    ["a size of 11", Uint8Array.from([...new Array(20).fill(0), 11, 0xfa, 0xfa])],
    ["a size beyond the frame", Uint8Array.from([...new Array(9).fill(0), 13, 0xfa, 0xfa])],
    ["a nonce of 33 bits", frameOf({ nonce: 2 ** 32 })],
    ["a nonce without an end", Uint8Array.from([...new Array(8).fill(0), 0x80, 12, 0xfa, 0xfa])],
    ["half a range", frameOf({ ranges: [[0]] })],
    ["a range beyond the media", frameOf({ ranges: [[2, 2]] })],
    ["ranges over each other", frameOf({ ranges: [[0, 2], [1, 1]] })],
    ["ranges in descending order", frameOf({ ranges: [[2, 1], [0, 1]] })],
    ["Opus silence", Uint8Array.from(SILENCE_FRAME)],
  ] as const
) {
  Deno.test(`dave frame: ${what} is no encrypted frame`, () => assertEquals(readDaveTrailer(frame), null));
}

Deno.test("dave frame: any bytes are read or refused", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }).map((head) => Uint8Array.from([...head, head.length + 3, 0xfa, 0xfa])),
  );
  let read = 0;
  assertProperty(
    fc.property(bytes, (frame) => {
      const trailer = readDaveTrailer(frame);
      if (trailer === null) return;
      read++;
      assert(trailer.mediaLength <= frame.length - 12 && trailer.nonce < 2 ** 32);
    }),
    { numRuns: 2_000 },
  );
  assert(read > 0);
});

Deno.test("dave frame: silence is these three bytes and no other [case 71]", () => {
  assertEquals([...SILENCE_FRAME], [0xf8, 0xff, 0xfe]);
  assertEquals(isSilenceFrame(Uint8Array.of(0xf8, 0xff, 0xfe)), true);
  for (const other of [[], [0xf8, 0xff], [0xf8, 0xff, 0xff], [0xf8, 0xff, 0xfe, 0]]) {
    assertEquals(isSilenceFrame(Uint8Array.from(other)), false);
  }
});

import { assertEquals, assertThrows } from "@std/assert";
import { concat, MlsFormatError, MlsReader, readAll, uint, vector } from "../../../fake/voice/mls/codec.ts";

Deno.test("mls codec: a length has one, two or four bytes, and what was written is read", () => {
  for (
    const [length, head] of [[0, [0]], [63, [63]], [64, [0x40, 64]], [16_383, [0x7f, 0xff]], [16_384, [
      0x80,
      0,
      0x40,
      0,
    ]]] as const
  ) {
    const content = new Uint8Array(length).fill(7);
    const written = vector(content);
    assertEquals([...written.subarray(0, head.length)], [...head]);
    const reader = new MlsReader(written);
    assertEquals(reader.vector(), content);
    assertEquals(reader.done, true);
  }
});

Deno.test("mls codec: a length that is longer than need be, of eight bytes, or beyond the end is refused", () => {
  for (const bytes of [[0x40, 1, 9], [0x80, 0, 0, 1, 9], [0xc0, 0, 0, 0, 0, 0, 0, 1, 9], [2, 9], [0x40]]) {
    assertThrows(() => new MlsReader(Uint8Array.from(bytes)).vector(), MlsFormatError);
  }
  assertThrows(() => new MlsReader(Uint8Array.of(1)).end("it"), MlsFormatError, "something follows it");
});

Deno.test("mls codec: integers have the high byte first", () => {
  const bytes = concat(uint(1, 1), uint(2, 0x0203), uint(4, 0x8000_0001), uint(8, 2n ** 64n - 1n));
  const reader = new MlsReader(bytes);
  assertEquals([reader.uint(1), reader.uint(2), reader.uint(4), reader.uint64()], [
    1,
    0x0203,
    0x8000_0001,
    2n ** 64n - 1n,
  ]);
  assertEquals(readAll(Uint8Array.of(1, 2, 3, 4), (items) => items.uint(2)), [0x0102, 0x0304]);
});

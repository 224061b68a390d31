import { assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { concat, copyOf, equalBytes } from "../../../voice/wire/bytes.ts";

Deno.test("bytes: a copy is one, of a Buffer as well", () => {
  const buffer = Buffer.from([1, 2, 3, 4]);
  const copies = [copyOf(buffer), copyOf(buffer, 1), copyOf(buffer, 1, 3)];
  buffer.fill(0);
  assertEquals(copies.map((copy) => [...copy]), [[1, 2, 3, 4], [2, 3, 4], [2, 3]]);
  assertEquals(copies.map((copy) => copy.buffer.byteLength), [4, 3, 2]);
});

Deno.test("bytes: parts are put behind each other", () => {
  assertEquals([...concat(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3))], [1, 2, 3]);
  assertEquals(concat().length, 0);
});

Deno.test("bytes: the same are the same", () => {
  const [a, b, c] = [Uint8Array.of(1, 2), Uint8Array.of(1, 3), Uint8Array.of(1, 2, 3)];
  assertEquals([equalBytes(a, Uint8Array.of(1, 2)), equalBytes(a, b), equalBytes(a, c)], [
    true,
    false,
    false,
  ]);
});

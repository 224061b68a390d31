/** The keys of DAVE frames, computed here from the protocol's text, against vectors; and a frame made with them. */

import { assertEquals } from "@std/assert";
import { createCipheriv, createHmac } from "node:crypto";
import { readDaveTrailer } from "../../../voice/core.ts";
import { hex } from "../media/independent_crypto.ts";

/** HKDF-Expand with SHA-256, of RFC 5869, for outputs of at most one block. */
function expand(secret: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const block = createHmac("sha256", secret).update(Uint8Array.from([...info, 1])).digest();
  return Uint8Array.from(block.subarray(0, length));
}

/** DeriveTreeSecret of RFC 9420, section 9.1. */
function derive(
  secret: Uint8Array,
  label: string,
  { generation, length }: { generation: number; length: number },
) {
  const name = new TextEncoder().encode(`MLS 1.0 ${label}`);
  const context = [generation >>> 24, generation >> 16 & 255, generation >> 8 & 255, generation & 255];
  return expand(secret, Uint8Array.from([0, length, name.length, ...name, 4, ...context]), length);
}

const BASE = hex("cedd61b1b8a1ca69046554282cf70b7b");

Deno.test("dave ratchet: the vectors of key, nonce and next secret", () => {
  const first = { generation: 0, length: 16 };
  assertEquals(derive(BASE, "key", first), hex("7530f9a9945e2d2e06d0651f7b2a864b"));
  assertEquals(derive(BASE, "nonce", { ...first, length: 12 }), hex("301e5f4b74090f985e726bb2"));
  const next = derive(BASE, "secret", { ...first, length: 32 });
  assertEquals(next, hex("94c10756040f20134afedc3cd3b6985051c3335128e127d770f2fada84a2c50c"));
  assertEquals(derive(next, "key", { generation: 1, length: 16 }), hex("cddd06e0f3437596bacb9c06a0329c49"));
});

Deno.test("dave ratchet: a frame made with the second generation's key has a nonce that says so", () => {
  const secret = derive(BASE, "secret", { generation: 0, length: 32 });
  const key = derive(secret, "key", { generation: 1, length: 16 });
  // Eight zeros, and the truncated nonce with its low byte first; the generation is its top byte.
  const cipher = createCipheriv("aes-128-gcm", key, Uint8Array.from([...new Array(8).fill(0), 5, 0, 0, 1]));
  const media = [...cipher.update(Uint8Array.of(0x78, 1, 2)), ...cipher.final()];
  const nonce = [0x85, 0x80, 0x80, 0x08];
  const frame = [...media, ...cipher.getAuthTag().subarray(0, 8), ...nonce, 8 + nonce.length + 3, 0xfa, 0xfa];
  const trailer = readDaveTrailer(Uint8Array.from(frame));
  assertEquals(trailer, { nonce: 0x0100_0005, clearRanges: [], mediaLength: 3 });
  assertEquals((trailer?.nonce ?? 0) >>> 24, 1);
});

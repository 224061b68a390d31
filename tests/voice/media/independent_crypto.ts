/**
 * The transport encryption a second time, on other code: node:crypto for both ciphers, and HChaCha20 written from its
 * description, so that nothing of what is tested takes part in making what it is tested with.
 */

import { createCipheriv } from "node:crypto";
import type { EncryptionMode } from "../../../voice/mod.ts";

/** What goes into a packet. */
export interface PacketParts {
  readonly mode: EncryptionMode;
  readonly key: Uint8Array;
  /** What is in the clear. */
  readonly clear: ArrayLike<number>;
  /** What is not. */
  readonly plain: ArrayLike<number>;
  /** The four bytes at the end. */
  readonly nonce: readonly [number, number, number, number];
}

/** Makes a packet: `clear | ciphertext | tag 16 | nonce 4`. */
export function sealIndependently({ mode, key, clear, plain, nonce }: PacketParts): Uint8Array {
  const aad = Uint8Array.from(clear);
  const sealed = mode === "aead_aes256_gcm_rtpsize"
    ? seal("aes-256-gcm", key, Uint8Array.from([...nonce, ...new Array(8).fill(0)]), { aad, plain })
    : sealXChaCha(key, Uint8Array.from([...nonce, ...new Array(20).fill(0)]), { aad, plain });
  return Uint8Array.from([...aad, ...sealed, ...nonce]);
}

/** XChaCha20-Poly1305: a subkey of key and first 16 bytes of the nonce, and the last 8 behind four zeros. */
export function sealXChaCha(
  key: Uint8Array,
  nonce: Uint8Array,
  { aad, plain }: { readonly aad: Uint8Array; readonly plain: ArrayLike<number> },
): Uint8Array {
  const inner = Uint8Array.from([0, 0, 0, 0, ...nonce.subarray(16)]);
  return seal("chacha20-poly1305", hChaCha20(key, nonce.subarray(0, 16)), inner, { aad, plain });
}

function seal(
  name: "aes-256-gcm" | "chacha20-poly1305",
  key: Uint8Array,
  iv: Uint8Array,
  { aad, plain }: { readonly aad: Uint8Array; readonly plain: ArrayLike<number> },
): Uint8Array {
  const text = Uint8Array.from(plain);
  if (name === "aes-256-gcm") {
    const cipher = createCipheriv(name, key, iv);
    cipher.setAAD(aad);
    const bytes = [...cipher.update(text), ...cipher.final()];
    return Uint8Array.from([...bytes, ...cipher.getAuthTag()]);
  }
  const cipher = createCipheriv(name, key, iv, { authTagLength: 16 });
  cipher.setAAD(aad, { plaintextLength: text.length });
  const bytes = [...cipher.update(text), ...cipher.final()];
  return Uint8Array.from([...bytes, ...cipher.getAuthTag()]);
}

/** @see https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha-03#section-2.2 */
export function hChaCha20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const words = (bytes: Uint8Array) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: bytes.length / 4 }, (_, at) => view.getUint32(4 * at, true));
  };
  const state = Uint32Array.from([
    ...[0x61707865, 0x3320646e, 0x79622d32, 0x6b206574],
    ...words(key),
    ...words(nonce),
  ]);
  const at = (index: number) => state[index] ?? 0;
  const mix = (a: number, b: number, d: number, bits: number) => {
    state[a] = at(a) + at(b);
    const turned = at(d) ^ at(a);
    state[d] = turned << bits | turned >>> 32 - bits;
  };
  const quarter = (a: number, b: number, c: number, d: number) => {
    mix(a, b, d, 16);
    mix(c, d, b, 12);
    mix(a, b, d, 8);
    mix(c, d, b, 7);
  };
  for (let round = 0; round < 10; round++) {
    quarter(0, 4, 8, 12);
    quarter(1, 5, 9, 13);
    quarter(2, 6, 10, 14);
    quarter(3, 7, 11, 15);
    quarter(0, 5, 10, 15);
    quarter(1, 6, 11, 12);
    quarter(2, 7, 8, 13);
    quarter(3, 4, 9, 14);
  }
  const out = new DataView(new ArrayBuffer(32));
  [0, 1, 2, 3, 12, 13, 14, 15].forEach((index, word) => out.setUint32(4 * word, at(index), true));
  return new Uint8Array(out.buffer);
}

/** Bytes from hexadecimal digits; spaces are skipped. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

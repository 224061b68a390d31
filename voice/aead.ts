/**
 * The two ciphers of the transport encryption behind one interface: AES-256-GCM by WebCrypto, which every runtime has, and
 * XChaCha20-Poly1305 by @noble/ciphers, which none has.
 */

import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";

/** A value, or the promise of one: WebCrypto gives promises, a cipher in JavaScript does not. */
export type Awaitable<T> = T | Promise<T>;

/** What a cipher is given besides the text. */
export interface AeadInput {
  /** As long as {@linkcode Aead.nonceBytes}. */
  readonly nonce: Uint8Array<ArrayBuffer>;
  /** What is in the clear and must not be changed either. */
  readonly additional: Uint8Array<ArrayBuffer>;
}

/** Encrypts, and tells whether what it decrypts was changed. */
export interface Aead {
  /** The length of a nonce in bytes. */
  readonly nonceBytes: number;
  /** Gives the ciphertext and after it the tag of 16 bytes. */
  encrypt(input: AeadInput, plain: Uint8Array<ArrayBuffer>): Awaitable<Uint8Array>;
  /** Gives the text; `null` if the tag does not fit. */
  decrypt(input: AeadInput, sealed: Uint8Array<ArrayBuffer>): Awaitable<Uint8Array | null>;
}

/** AES-256-GCM. */
export async function aesGcm(key: Uint8Array<ArrayBuffer>): Promise<Aead> {
  const { subtle } = crypto;
  const imported = await subtle.importKey("raw", key, "AES-GCM", false, ["encrypt", "decrypt"]);
  const algorithm = ({ nonce, additional }: AeadInput) => ({
    name: "AES-GCM",
    iv: nonce,
    additionalData: additional,
  });
  return {
    nonceBytes: 12,
    encrypt: async (input, plain) => new Uint8Array(await subtle.encrypt(algorithm(input), imported, plain)),
    decrypt: async (input, sealed) => {
      try {
        return new Uint8Array(await subtle.decrypt(algorithm(input), imported, sealed));
      } catch {
        return null;
      }
    },
  };
}

/** XChaCha20-Poly1305. */
export function xChaCha20Poly1305(key: Uint8Array<ArrayBuffer>): Aead {
  return {
    nonceBytes: 24,
    encrypt: ({ nonce, additional }, plain) => xchacha20poly1305(key, nonce, additional).encrypt(plain),
    decrypt: ({ nonce, additional }, sealed) => {
      try {
        return xchacha20poly1305(key, nonce, additional).decrypt(sealed);
      } catch {
        return null;
      }
    },
  };
}

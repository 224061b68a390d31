/**
 * The two ciphers of the transport encryption behind one interface. AES-256-GCM comes from `node:crypto` where the runtime has
 * it, and elsewhere from WebCrypto, which every runtime has and which gives promises. XChaCha20-Poly1305, which no runtime has,
 * comes from @noble/ciphers.
 */

import type { Aead, AeadInput, SyncAead } from "./aead_interface.ts";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { copyOf } from "../wire/bytes.ts";
import { builtInAesGcm } from "./built_in_crypto.ts";

/** AES-256-GCM by the fastest means of the runtime. */
export async function aesGcm(key: Uint8Array): Promise<Aead> {
  return builtInAesGcm(key) ?? await webAesGcm(key);
}

/** AES-256-GCM by WebCrypto. */
export async function webAesGcm(key: Uint8Array): Promise<Aead> {
  const { subtle } = crypto;
  const imported = await subtle.importKey("raw", copyOf(key), "AES-GCM", false, ["encrypt", "decrypt"]);
  // Copies, since the caller may change its buffers before the promise resolves.
  const algorithm = ({ nonce, additional }: AeadInput) => ({
    name: "AES-GCM",
    iv: copyOf(nonce),
    additionalData: copyOf(additional),
  });
  return {
    nonceBytes: 12,
    encrypt: async (input, plain, out) => {
      out.set(new Uint8Array(await subtle.encrypt(algorithm(input), imported, copyOf(plain))));
    },
    decrypt: async (input, sealed) => {
      try {
        return new Uint8Array(await subtle.decrypt(algorithm(input), imported, copyOf(sealed)));
      } catch {
        return null;
      }
    },
  };
}

/** XChaCha20-Poly1305. */
export function xChaCha20Poly1305(key: Uint8Array): SyncAead {
  return {
    nonceBytes: 24,
    encrypt: ({ nonce, additional }, plain, out) => {
      xchacha20poly1305(key, nonce, additional).encrypt(plain, out);
    },
    decrypt: ({ nonce, additional }, sealed) => {
      try {
        return xchacha20poly1305(key, nonce, additional).decrypt(sealed);
      } catch {
        return null;
      }
    },
  };
}

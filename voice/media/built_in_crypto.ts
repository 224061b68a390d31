/**
 * AES-256-GCM by the module `node:crypto`, which every runtime with UDP has. It works at once; WebCrypto sends each packet to
 * another thread and back, which costs several times as much as the encryption itself.
 *
 * The module is looked up by its name at run time, as `node:dgram` is in `udp.ts`. It is used only if it gets a published
 * example right and rejects a forgery: some runtimes have the module without its function.
 */

import type { SyncAead } from "./aead_interface.ts";

/** A key in the module's form: made once, since bytes would be converted for every packet. */
interface SecretKey {
  readonly type: "secret";
}

interface Cipher {
  setAAD(additional: Uint8Array): unknown;
  update(text: Uint8Array): Uint8Array;
  final(): Uint8Array;
  getAuthTag(): Uint8Array;
}

interface Decipher {
  setAAD(additional: Uint8Array): unknown;
  setAuthTag(tag: Uint8Array): unknown;
  update(text: Uint8Array): Uint8Array;
  final(): Uint8Array;
}

interface CipherOptions {
  readonly authTagLength: number;
}

/** The part of the module that is used. */
interface CryptoModule {
  createSecretKey(key: Uint8Array): SecretKey;
  createCipheriv(name: string, key: SecretKey, nonce: Uint8Array, options: CipherOptions): Cipher;
  createDecipheriv(name: string, key: SecretKey, nonce: Uint8Array, options: CipherOptions): Decipher;
}

/** Where built-in modules are looked up. */
interface Surroundings {
  /** There everywhere: TypeScript rejects a type that has nothing in common with its source. */
  readonly globalThis: unknown;
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown };
}

const NAME = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const OPTIONS: CipherOptions = { authTagLength: TAG_BYTES };

/** AES-256-GCM without promises; `null` where the runtime has none. */
export function builtInAesGcm(key: Uint8Array, module: unknown = builtIn()): SyncAead | null {
  return isCrypto(module) && isSound(module) ? aesGcm(module, key) : null;
}

function builtIn(): unknown {
  const { process }: Surroundings = globalThis;
  return process?.getBuiltinModule?.("node:crypto");
}

function aesGcm(module: CryptoModule, bytes: Uint8Array): SyncAead {
  const key = module.createSecretKey(bytes);
  return {
    nonceBytes: NONCE_BYTES,
    encrypt({ nonce, additional }, plain, out) {
      const cipher = module.createCipheriv(NAME, key, nonce, OPTIONS);
      cipher.setAAD(additional);
      out.set(cipher.update(plain));
      cipher.final();
      out.set(cipher.getAuthTag(), plain.length);
    },
    decrypt({ nonce, additional }, sealed) {
      const end = sealed.length - TAG_BYTES;
      try {
        const decipher = module.createDecipheriv(NAME, key, nonce, OPTIONS);
        decipher.setAAD(additional);
        decipher.setAuthTag(sealed.subarray(end));
        const text = decipher.update(sealed.subarray(0, end));
        // Throws if the tag does not match.
        decipher.final();
        return new Uint8Array(text.buffer, text.byteOffset, text.length);
      } catch {
        return null;
      }
    },
  };
}

function isCrypto(module: unknown): module is CryptoModule {
  return typeof module === "object" && module !== null && "createSecretKey" in module &&
    "createCipheriv" in module && "createDecipheriv" in module;
}

/** Test case 14 of "The Galois/Counter Mode of Operation" by McGrew and Viega: key, nonce and text are zeros. */
const EXAMPLE = {
  key: new Uint8Array(32),
  input: { nonce: new Uint8Array(NONCE_BYTES), additional: new Uint8Array() },
  plain: new Uint8Array(16),
  sealed: "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919",
};

/** Whether it encrypts correctly, decrypts the result, and rejects what was changed. */
function isSound(module: CryptoModule): boolean {
  const { key, input, plain, sealed } = EXAMPLE;
  try {
    const { encrypt, decrypt } = aesGcm(module, key);
    const bytes = new Uint8Array(plain.length + TAG_BYTES);
    encrypt(input, plain, bytes);
    const text = decrypt(input, bytes);
    const forgery = { ...input, additional: Uint8Array.of(1) };
    return hex(bytes) === sealed && text !== null && hex(text) === hex(plain) &&
      decrypt(forgery, bytes) === null;
  } catch {
    return false;
  }
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

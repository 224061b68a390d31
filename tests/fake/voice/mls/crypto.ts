/**
 * The cryptography that a delivery service needs, on WebCrypto: signatures with a label, and references.
 *
 * MLS wants ECDSA signatures in DER, WebCrypto has them as two numbers of 32 bytes.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9420#section-5.1.2
 */

import { type Bytes, concat, MlsReader, vector } from "./codec.ts";

const CURVE = { name: "ECDSA", namedCurve: "P-256" } as const;
const ALGORITHM = { name: "ECDSA", hash: "SHA-256" } as const;
const NUMBER_BYTES = 32;

const encoder = new TextEncoder();

function labelled(label: string, content: Uint8Array): Bytes {
  return concat(vector(encoder.encode(`MLS 1.0 ${label}`)), vector(content));
}

/** A key of WebCrypto, by a name that every platform's types have. */
type Key = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** A key to sign with. */
export class Signer {
  /** The point on the curve, uncompressed. */
  readonly publicKey: Bytes;
  readonly #key: Key;

  private constructor(publicKey: Bytes, key: Key) {
    this.publicKey = publicKey;
    this.#key = key;
  }

  /** Makes a fresh one. */
  static async create(): Promise<Signer> {
    const pair = await crypto.subtle.generateKey(CURVE, true, ["sign", "verify"]);
    const point = "publicKey" in pair ? await crypto.subtle.exportKey("raw", pair.publicKey) : null;
    if (!("privateKey" in pair) || !(point instanceof ArrayBuffer)) {
      throw new TypeError("Cannot make a key to sign with: WebCrypto gives no pair with a raw public key");
    }
    return new Signer(new Uint8Array(point), pair.privateKey);
  }

  /** Signs what a label says it is. */
  async sign(label: string, content: Uint8Array): Promise<Bytes> {
    const raw = new Uint8Array(await crypto.subtle.sign(ALGORITHM, this.#key, labelled(label, content)));
    return toDer(raw);
  }
}

/** Whether a signature of what a label says it is fits the key. */
export async function verify(
  publicKey: Bytes,
  { label, content, signature }: {
    readonly label: string;
    readonly content: Uint8Array;
    readonly signature: Bytes;
  },
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, CURVE, false, ["verify"]);
    return await crypto.subtle.verify(ALGORITHM, key, fromDer(signature), labelled(label, content));
  } catch {
    // No point on the curve, or no signature at all.
    return false;
  }
}

/** By what a proposal or a key package is referred to. */
export async function reference(label: "Proposal" | "KeyPackage", value: Uint8Array): Promise<Bytes> {
  const digest = await crypto.subtle.digest("SHA-256", labelled(`${label} Reference`, value));
  return new Uint8Array(digest);
}

/** Two numbers as DER: SEQUENCE of two INTEGERs, each as short as can be and not negative. */
function toDer(raw: Bytes): Bytes {
  const integer = (number: Bytes) => {
    const start = number.findIndex((byte) => byte !== 0);
    const bytes = number.slice(start < 0 ? NUMBER_BYTES - 1 : start);
    const positive = (bytes[0] ?? 0) < 0x80 ? bytes : concat(Uint8Array.of(0), bytes);
    return concat(Uint8Array.of(0x02, positive.length), positive);
  };
  const both = concat(integer(raw.slice(0, NUMBER_BYTES)), integer(raw.slice(NUMBER_BYTES)));
  return concat(Uint8Array.of(0x30, both.length), both);
}

function fromDer(der: Bytes): Bytes {
  const reader = new MlsReader(der);
  const expect = (tag: number) => {
    if (reader.uint(1) !== tag) throw new TypeError("Cannot read the signature: it is no DER");
    return reader.uint(1);
  };
  expect(0x30);
  const raw = new Uint8Array(2 * NUMBER_BYTES);
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const bytes = reader.bytes(expect(0x02));
    const number = bytes.slice(bytes[0] === 0 ? 1 : 0);
    raw.set(number, end - number.length);
  }
  reader.end("the signature");
  return raw;
}

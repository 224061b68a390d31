/**
 * MLS's presentation language: integers with the high byte first, and vectors behind their length in 1, 2 or 4 bytes.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9420#section-2.1
 */

/** Bytes of one's own, as WebCrypto wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes that are not what they ought to be. */
export class MlsFormatError extends Error {
  override readonly name = "MlsFormatError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_MLS_FORMAT";
}

/** Reads one thing after the other; whatever is cut short is an {@linkcode MlsFormatError}. */
export class MlsReader {
  readonly #bytes: Bytes;
  #at = 0;

  /** Starts at the front of a copy. */
  constructor(bytes: Uint8Array) {
    // Node's Buffer is a Uint8Array whose slice() copies nothing.
    this.#bytes = Uint8Array.from(bytes);
  }

  /** How far it has come. */
  get at(): number {
    return this.#at;
  }

  /** Whether nothing is left. */
  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** An integer of up to four bytes. */
  uint(size: number): number {
    return this.bytes(size).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** An integer of eight bytes. */
  uint64(): bigint {
    return new DataView(this.bytes(8).buffer).getBigUint64(0);
  }

  /** So many bytes. */
  bytes(length: number): Bytes {
    const end = this.#at + length;
    if (end > this.#bytes.length) {
      throw new MlsFormatError(
        `Cannot read MLS: ${end - this.#bytes.length} bytes are missing at ${this.#at}`,
      );
    }
    return this.#bytes.slice(this.#at, this.#at = end);
  }

  /** The content of a vector. */
  vector(): Bytes {
    const first = this.uint(1);
    const size = 1 << (first >> 6);
    if (size === 8) {
      throw new MlsFormatError(`Cannot read MLS: a length has 1, 2 or 4 bytes: at ${this.#at - 1}`);
    }
    let length = first & 0x3f;
    for (let more = 1; more < size; more++) length = length * 256 + this.uint(1);
    if (lengthSize(length) !== size) {
      throw new MlsFormatError(`Cannot read MLS: a length is as short as it can be: at ${this.#at - size}`);
    }
    return this.bytes(length);
  }

  /** What it has read since a point. */
  since(start: number): Bytes {
    return this.#bytes.slice(start, this.#at);
  }

  /** All that is left. */
  rest(): Bytes {
    return this.bytes(this.#bytes.length - this.#at);
  }

  /** Nothing may be left. */
  end(what: string): void {
    if (!this.done) throw new MlsFormatError(`Cannot read MLS: something follows ${what}: at ${this.#at}`);
  }
}

/** All items of a vector. */
export function readAll<Item>(content: Uint8Array, read: (reader: MlsReader) => Item): Item[] {
  const reader = new MlsReader(content);
  const items: Item[] = [];
  while (!reader.done) items.push(read(reader));
  return items;
}

/** An integer of some bytes. */
export function uint(size: number, value: number | bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes.slice(8 - size);
}

/** A vector: the length of the content, and the content. */
export function vector(...content: readonly Uint8Array[]): Bytes {
  const length = content.reduce((sum, part) => sum + part.length, 0);
  const size = lengthSize(length);
  const head = uint(size, length);
  head[0] = (head[0] ?? 0) | Math.log2(size) << 6;
  return concat(head, ...content);
}

/** One after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Whether two are the same. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** As hexadecimal digits, to find it again in a map. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function lengthSize(length: number): 1 | 2 | 4 {
  return length < 0x40 ? 1 : length < 0x4000 ? 2 : 4;
}

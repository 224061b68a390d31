/**
 * Bytes, copied and compared.
 *
 * Node's sockets hand out `Buffer`s, whose `slice()` is no copy and whose memory is used again; so it is not called here.
 */

/** A copy of a part, in memory of its own. */
export function copyOf(
  bytes: Uint8Array,
  from: number = 0,
  to: number = bytes.length,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes.subarray(from, to));
}

/** All parts behind each other. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Whether both hold the same. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/**
 * What an end-to-end encrypted frame looks like from outside.
 *
 * The library encrypts and decrypts. The machine only tells an encrypted frame from a plain one, so that no plain frame is
 * sent or accepted in an encrypted call.
 *
 * @see https://daveprotocol.com/#payload-format
 */

/** The trailer of an encrypted frame. */
export interface DaveTrailer {
  /** The truncated nonce; its top byte is the generation of the key. */
  readonly nonce: number;
  /** The parts of the media that are in the clear, as offset and size in bytes; none for Opus. */
  readonly clearRanges: readonly (readonly [offset: number, size: number])[];
  /** The length of the media in bytes. */
  readonly mediaLength: number;
}

const MARKER = 0xfa;
const TAG_BYTES = 8;
/** Tag, a nonce of one byte, the size itself, the marker. */
const MIN_SUPPLEMENTAL_BYTES = TAG_BYTES + 1 + 1 + 2;

/**
 * Reads the trailer of an encrypted frame.
 *
 * @returns `null` if the frame is not an encrypted one.
 *
 * @example
 * ```ts
 * import { readDaveTrailer } from "@discordgateway/edge/voice/core";
 *
 * const frame = new Uint8Array([7, 7, 1, 2, 3, 4, 5, 6, 7, 8, 0x2a, 12, 0xfa, 0xfa]);
 * const trailer = readDaveTrailer(frame);
 * if (trailer?.nonce !== 42 || trailer.mediaLength !== 2) throw new Error("unexpected");
 * if (readDaveTrailer(frame.subarray(0, 13)) !== null) throw new Error("half a marker is none");
 * ```
 */
export function readDaveTrailer(frame: Uint8Array): DaveTrailer | null {
  const { length } = frame;
  if (frame[length - 1] !== MARKER || frame[length - 2] !== MARKER) return null;
  const size = frame[length - 3] ?? 0;
  if (size < MIN_SUPPLEMENTAL_BYTES || size > length) return null;
  const mediaLength = length - size;
  const end = length - 3;
  const nonce = readLeb128(frame, mediaLength + TAG_BYTES, end);
  if (nonce === null) return null;
  const clearRanges: [number, number][] = [];
  let at = nonce.next;
  let free = 0;
  while (at < end) {
    const offset = readLeb128(frame, at, end);
    const bytes = offset === null ? null : readLeb128(frame, offset.next, end);
    if (offset === null || bytes === null) return null;
    // In ascending order, none over another, none beyond the media.
    if (offset.value < free || offset.value + bytes.value > mediaLength) return null;
    clearRanges.push([offset.value, bytes.value]);
    free = offset.value + bytes.value;
    at = bytes.next;
  }
  return { nonce: nonce.value, clearRanges, mediaLength };
}

/** Reads a number of seven bits a byte, the low ones first; at most 32 bits. */
function readLeb128(bytes: Uint8Array, from: number, end: number): { value: number; next: number } | null {
  let value = 0;
  for (let at = from, factor = 1; at < end && factor <= 2 ** 28; at++, factor *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value < 2 ** 32 ? { value, next: at + 1 } : null;
  }
  return null;
}

/**
 * The Opus frame of silence. Five of them end a burst of speech. They are never encrypted, since voice servers also make
 * them.
 *
 * @example
 * ```ts
 * import { isSilenceFrame, SILENCE_FRAME } from "@discordgateway/edge/voice";
 *
 * if (!isSilenceFrame(Uint8Array.from(SILENCE_FRAME))) throw new Error("unexpected");
 * ```
 */
export const SILENCE_FRAME: readonly number[] = [0xf8, 0xff, 0xfe];

/**
 * Whether a frame is exactly the frame of silence.
 *
 * @example
 * ```ts
 * import { isSilenceFrame } from "@discordgateway/edge/voice";
 *
 * if (isSilenceFrame(new Uint8Array([0xf8, 0xff, 0xfe, 0]))) throw new Error("that is a frame of its own");
 * ```
 */
export function isSilenceFrame(frame: Uint8Array): boolean {
  return frame.length === SILENCE_FRAME.length && SILENCE_FRAME.every((byte, at) => frame[at] === byte);
}

/**
 * The clear part of a media packet: RTP's header, and how to tell RTP from other datagrams on the socket.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3550#section-5.1
 */

/** The payload type of Opus at Discord. */
const OPUS = 120;
const FIXED_HEADER_BYTES = 12;
const EXTENSION_PREAMBLE_BYTES = 4;

/** What numbers a packet of sound. */
export interface RtpPosition {
  /** Counts packets, 16 bits. */
  readonly sequence: number;
  /** Counts samples at 48 kHz, 32 bits. */
  readonly timestamp: number;
  /** The source of the packet, 32 bits. */
  readonly ssrc: number;
}

/** A received header. */
export interface RtpHeader extends RtpPosition {
  /** What the payload is; 120 is Opus. */
  readonly payloadType: number;
  /** Whether the marker bit is set. */
  readonly marker: boolean;
  /** Whether the payload ends in padding. */
  readonly padded: boolean;
  /** The sources that a mixer has combined, usually none. */
  readonly contributors: readonly number[];
  /** The length of the extension's elements in bytes; they are at the front of what is encrypted. */
  readonly extensionBytes: number;
  /** The length of the clear part in bytes: header, contributors, and the extension's first four bytes. */
  readonly clearBytes: number;
}

/**
 * Writes the header of a packet of Opus.
 *
 * @example
 * ```ts
 * import { encodeRtpHeader } from "@discordgateway/edge/voice/core";
 *
 * const header = encodeRtpHeader({ sequence: 0x0102, timestamp: 3, ssrc: 4 });
 * if (header.join() !== "128,120,1,2,0,0,0,3,0,0,0,4") throw new Error(`unexpected: ${header}`);
 * ```
 */
export function encodeRtpHeader({ sequence, timestamp, ssrc }: RtpPosition): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(FIXED_HEADER_BYTES);
  const view = new DataView(header.buffer);
  header[0] = 0x80;
  header[1] = OPUS;
  view.setUint16(2, sequence);
  view.setUint32(4, timestamp);
  view.setUint32(8, ssrc);
  return header;
}

/**
 * Reads the header of an RTP packet.
 *
 * @returns `null` if it is none, or cut short.
 *
 * @example
 * ```ts
 * import { encodeRtpHeader, parseRtpHeader } from "@discordgateway/edge/voice/core";
 *
 * const header = parseRtpHeader(encodeRtpHeader({ sequence: 65_535, timestamp: 960, ssrc: 7 }));
 * if (header?.sequence !== 65_535 || header.clearBytes !== 12 || header.padded) throw new Error("unexpected");
 * ```
 */
export function parseRtpHeader(packet: Uint8Array): RtpHeader | null {
  const [flags, type] = packet;
  if (flags === undefined || type === undefined || packet.length < FIXED_HEADER_BYTES) return null;
  if (flags >> 6 !== 2) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const count = flags & 0x0f;
  const extended = (flags & 0x10) !== 0;
  const afterContributors = FIXED_HEADER_BYTES + 4 * count;
  const clearBytes = afterContributors + (extended ? EXTENSION_PREAMBLE_BYTES : 0);
  if (packet.length < clearBytes) return null;
  return {
    payloadType: type & 0x7f,
    marker: (type & 0x80) !== 0,
    padded: (flags & 0x20) !== 0,
    sequence: view.getUint16(2),
    timestamp: view.getUint32(4),
    ssrc: view.getUint32(8),
    contributors: Array.from({ length: count }, (_, at) => view.getUint32(FIXED_HEADER_BYTES + 4 * at)),
    extensionBytes: extended ? 4 * view.getUint16(afterContributors + 2) : 0,
    clearBytes,
  };
}

/** What a datagram on the media socket is. */
export type PacketKind = "opus" | "other_rtp" | "rtcp" | "other";

/**
 * Tells what a datagram is by its first two bytes. `other` are responses to a discovery, echoes of keepalives, and strays.
 *
 * @example
 * ```ts
 * import { encodeRtpHeader, packetKind } from "@discordgateway/edge/voice/core";
 *
 * if (packetKind(encodeRtpHeader({ sequence: 1, timestamp: 2, ssrc: 3 })) !== "opus") throw new Error("unexpected");
 * if (packetKind(new Uint8Array([0x81, 200])) !== "rtcp") throw new Error("unexpected");
 * if (packetKind(new Uint8Array([0x13, 0x37, 0xf0, 0x0d])) !== "other") throw new Error("unexpected");
 * ```
 */
export function packetKind(packet: Uint8Array): PacketKind {
  const [flags = 0, type = 0] = packet;
  if (flags >> 6 !== 2) return "other";
  if (type >= 200 && type <= 206) return "rtcp";
  return (type & 0x7f) === OPUS ? "opus" : "other_rtp";
}

/**
 * The length of the clear part of an RTCP packet in bytes, for a cipher to open one. Nothing here opens any.
 *
 * @see https://www.rfc-editor.org/rfc/rfc3550#section-6.4
 *
 * @example
 * ```ts
 * import { RTCP_CLEAR_BYTES } from "@discordgateway/edge/voice/core";
 *
 * if (RTCP_CLEAR_BYTES !== 8) throw new Error("the header, and the SSRC of the sender");
 * ```
 */
export const RTCP_CLEAR_BYTES = 8;

/**
 * Removes from a decrypted payload what is not sound: the extension's elements at its front, the padding at its end.
 *
 * @returns The sound; empty if there is none; `null` if the lengths contradict each other.
 *
 * @example
 * ```ts
 * import { encodeRtpHeader, parseRtpHeader, stripPayload } from "@discordgateway/edge/voice/core";
 *
 * const bytes = encodeRtpHeader({ sequence: 1, timestamp: 2, ssrc: 3 });
 * bytes[0] = 0xa0;                                    // padded
 * const header = parseRtpHeader(bytes);
 * if (header === null) throw new Error("unexpected");
 * if (stripPayload(header, new Uint8Array([7, 8, 0, 2]))?.join() !== "7,8") throw new Error("unexpected");
 * if (stripPayload(header, new Uint8Array([7, 9])) !== null) throw new Error("more padding than payload");
 * ```
 */
export function stripPayload(
  header: Pick<RtpHeader, "extensionBytes" | "padded">,
  payload: Uint8Array,
): Uint8Array | null {
  const from = header.extensionBytes;
  let to = payload.length;
  if (header.padded) {
    const padding = payload[to - 1] ?? 0;
    if (padding === 0) return null;
    to -= padding;
  }
  return from <= to ? payload.subarray(from, to) : null;
}

/** How many samples an Opus frame of 20 ms has. */
const FRAME_SAMPLES = 960;

/**
 * The positions of a stream of Opus frames of 20 ms, one after another.
 *
 * @example
 * ```ts
 * import { RtpClock } from "@discordgateway/edge/voice/core";
 *
 * const clock = new RtpClock({ sequence: 65_535, timestamp: 0, ssrc: 7 });
 * const [first, second] = [clock.next(), clock.next()];
 * if (first.sequence !== 65_535 || second.sequence !== 0 || second.timestamp !== 960) throw new Error("unexpected");
 * ```
 */
export class RtpClock {
  #next: RtpPosition;

  /**
   * Starts at a position, which is best a random one.
   *
   * @throws {RangeError} A part of it does not fit in its bits.
   */
  constructor(first: RtpPosition) {
    const { sequence, timestamp, ssrc } = first;
    if (
      sequence >>> 0 !== sequence || sequence > 0xffff || timestamp >>> 0 !== timestamp || ssrc >>> 0 !== ssrc
    ) {
      throw new RangeError(
        `Cannot number packets: a sequence has 16 bits, timestamp and SSRC 32: ${sequence}, ${timestamp}, ${ssrc}`,
      );
    }
    this.#next = first;
  }

  /** The next frame's position. */
  next(): RtpPosition {
    const position = this.#next;
    const { sequence, timestamp, ssrc } = position;
    this.#next = { sequence: (sequence + 1) & 0xffff, timestamp: (timestamp + FRAME_SAMPLES) >>> 0, ssrc };
    return position;
  }

  /** Advances the timestamp by frames that were not sent; the sequence stays, so the receiver counts none as lost. */
  skip(frames: number): void {
    const { timestamp } = this.#next;
    this.#next = { ...this.#next, timestamp: (timestamp + FRAME_SAMPLES * frames) % 2 ** 32 };
  }
}

/** What a packet of sound has to look like when it comes from a client. */

/** What came before in the same stream. */
export interface SoundHistory {
  /** The last packet's numbers. */
  last: { readonly sequence: number; readonly timestamp: number } | null;
}

const HEADER_BYTES = 12;
const OPUS = 120;
/** 2.5 ms, the shortest frame of Opus. */
const SHORTEST_FRAME_SAMPLES = 120;
const RTCP_BYTES = 8;

/** How many bytes of a packet are in the clear; `null` if it is none. */
export function clearBytesOf(packet: Uint8Array): number | null {
  const [flags = 0, type = 0] = packet;
  if (flags >> 6 !== 2) return null;
  if (type >= 200 && type <= 206) return packet.length < RTCP_BYTES ? null : RTCP_BYTES;
  const extension = (flags & 0x10) === 0 ? 0 : 4;
  const clear = HEADER_BYTES + 4 * (flags & 0x0f) + extension;
  return packet.length < clear ? null : clear;
}

/** The frame in what was opened: without the extension's elements in front, and the padding behind. */
export function frameOf(packet: Uint8Array, opened: Uint8Array): Uint8Array {
  const [flags = 0] = packet;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const from = (flags & 0x10) === 0 ? 0 : 4 * view.getUint16(HEADER_BYTES + 4 * (flags & 0x0f) + 2);
  const padding = (flags & 0x20) === 0 ? 0 : opened.at(-1) ?? 0;
  return opened.subarray(from, Math.max(from, opened.length - padding));
}

/** What is wrong with a packet of sound, `null` if nothing is; it is the last one from then on. */
export function checkSound(packet: Uint8Array, history: SoundHistory): string | null {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  const { last } = history;
  const sequence = view.getUint16(2);
  const timestamp = view.getUint32(4);
  history.last = { sequence, timestamp };
  if ((view.getUint8(1) & 0x7f) !== OPUS) return "a packet of sound has payload type 120";
  if (last === null) return null;
  if (sequence !== (last.sequence + 1 & 0xffff)) {
    return `packets are counted: ${last.sequence}, then ${sequence}`;
  }
  const passed = timestamp - last.timestamp >>> 0;
  return passed > 0 && passed < 2 ** 31 && passed % SHORTEST_FRAME_SAMPLES === 0
    ? null
    : `a packet is whole frames of Opus after the last: ${passed} samples`;
}

/** Whether a frame ends as an encrypted one does. */
export function isEncrypted(frame: Uint8Array): boolean {
  return frame.length > 12 && frame.at(-1) === 0xfa && frame.at(-2) === 0xfa;
}

/** Whether a frame is the silence that nobody encrypts. */
export function isSilence(frame: Uint8Array): boolean {
  return frame.length === 3 && frame[0] === 0xf8 && frame[1] === 0xff && frame[2] === 0xfe;
}

/**
 * WebSocket frames as bytes: the codec of RFC 6455, with neither socket nor handshake.
 *
 * The decoder takes bytes in whatever pieces they come, and gives whole messages. It refuses what the RFC forbids,
 * with the close code that the RFC names.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6455#section-5
 */

/** What came out of the bytes. */
export type WebSocketEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "binary"; readonly data: Uint8Array }
  | { readonly type: "ping"; readonly data: Uint8Array }
  | { readonly type: "pong"; readonly data: Uint8Array }
  | { readonly type: "close"; readonly code: number | null; readonly reason: string }
  | { readonly type: "error"; readonly error: WebSocketProtocolError };

/** The opcodes of frames. */
export const FrameOpcode = { Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

/** Bytes that are no WebSocket frames. */
export class WebSocketProtocolError extends Error {
  override readonly name = "WebSocketProtocolError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_WEBSOCKET_PROTOCOL";
  /** What to close with. */
  readonly closeCode: number;

  /** Made by the decoder. */
  constructor(closeCode: number, message: string) {
    super(message);
    this.closeCode = closeCode;
  }
}

/** One frame; a client's is masked. */
export function encodeFrame(
  opcode: number,
  payload: Uint8Array,
  { fin = true, mask }: { readonly fin?: boolean; readonly mask?: Uint8Array } = {},
): Uint8Array {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const offset = 2 + extended + (mask ? 4 : 0);
  const frame = new Uint8Array(offset + length);
  const view = new DataView(frame.buffer);
  frame[0] = (fin ? 0x80 : 0) | opcode;
  frame[1] = (mask ? 0x80 : 0) | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) view.setUint16(2, length);
  if (extended === 8) view.setBigUint64(2, BigInt(length));
  frame.set(payload, offset);
  if (mask) {
    frame.set(mask, offset - 4);
    applyMask(frame.subarray(offset), mask);
  }
  return frame;
}

const encoder = new TextEncoder();
const EMPTY = new Uint8Array();

/** A text message as one frame, or cut into so many. The cuts may go through a character, as the RFC allows. */
export function encodeText(text: string, fragments = 1): Uint8Array[] {
  const bytes = encoder.encode(text);
  const size = Math.max(1, Math.ceil(bytes.length / fragments));
  const frames: Uint8Array[] = [];
  for (let start = 0; start === 0 || start < bytes.length; start += size) {
    const fin = start + size >= bytes.length;
    const opcode = start === 0 ? FrameOpcode.Text : FrameOpcode.Continuation;
    frames.push(encodeFrame(opcode, bytes.subarray(start, start + size), { fin }));
  }
  return frames;
}

/** The payload of a close frame; its reason is cut to fit. */
export function closePayload(code: number | null, reason = ""): Uint8Array {
  if (code === null) return EMPTY;
  const payload = new Uint8Array(MAX_CONTROL_PAYLOAD);
  new DataView(payload.buffer).setUint16(0, code);
  const { written } = encoder.encodeInto(reason, payload.subarray(2));
  return payload.subarray(0, 2 + written);
}

const MAX_CONTROL_PAYLOAD = 125;

interface FrameHeader {
  readonly fin: boolean;
  readonly opcode: number;
  readonly mask: Uint8Array | null;
  readonly start: number;
  readonly end: number;
}

/** Bytes → messages, for one direction of one connection. After an error it takes no more. */
export class WebSocketDecoder {
  readonly #masked: boolean;
  readonly #maxBytes: number;
  #bytes: Uint8Array = EMPTY;
  /** The message whose fragments are coming in. */
  #parts: Uint8Array[] = [];
  #partsOpcode: number | null = null;
  #partsLength = 0;
  #failed = false;

  /** Takes masked frames, as servers get them, unless told otherwise; messages of at most `maxBytes`. */
  constructor(
    { masked = true, maxBytes = 1 << 20 }: { readonly masked?: boolean; readonly maxBytes?: number } = {},
  ) {
    this.#masked = masked;
    this.#maxBytes = maxBytes;
  }

  /** More bytes came; returns what they completed. What the RFC forbids is an error, and the last event. */
  push(bytes: Uint8Array): WebSocketEvent[] {
    const events: WebSocketEvent[] = [];
    if (this.#failed) return events;
    // Node's Buffer is a Uint8Array whose slice() copies nothing.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#bytes = concatenated([this.#bytes, plain]);
    try {
      for (let event = this.#next(); event !== null; event = this.#next()) {
        if (event !== "fragment") events.push(event);
      }
    } catch (error) {
      if (!(error instanceof WebSocketProtocolError)) throw error;
      this.#failed = true;
      events.push({ type: "error", error });
    }
    // What is left over may lie in the caller's bytes.
    this.#bytes = this.#bytes.slice();
    return events;
  }

  /** Takes the first frame from the bytes; `null` if it is not complete. */
  #next(): WebSocketEvent | "fragment" | null {
    const header = this.#header();
    if (!header) return null;
    // A copy: the caller's bytes are not ours to unmask.
    const payload = this.#bytes.slice(header.start, header.end);
    this.#bytes = this.#bytes.subarray(header.end);
    if (header.mask) applyMask(payload, header.mask);
    return header.opcode >= FrameOpcode.Close ? control(header.opcode, payload) : this.#data(header, payload);
  }

  /** The header of the first frame, `null` as long as the frame is not complete. */
  #header(): FrameHeader | null {
    const bytes = this.#bytes;
    const [first, second] = bytes;
    if (first === undefined || second === undefined) return null;
    const fin = (first & 0x80) !== 0;
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw protocolError("no extension was agreed on");
    if (opcode > FrameOpcode.Pong || opcode > FrameOpcode.Binary && opcode < FrameOpcode.Close) {
      throw protocolError(`there is no such opcode: ${opcode}`);
    }
    if (((second & 0x80) !== 0) !== this.#masked) {
      throw protocolError("exactly the client's frames are masked");
    }
    const short = second & 0x7f;
    if (opcode >= FrameOpcode.Close && (!fin || short > MAX_CONTROL_PAYLOAD)) {
      throw protocolError("a control frame is whole and has at most 125 bytes");
    }
    const maskAt = 2 + (short === 127 ? 8 : short === 126 ? 2 : 0);
    const start = maskAt + (this.#masked ? 4 : 0);
    if (bytes.length < maskAt) return null;
    const length = payloadLength(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), short);
    if (this.#partsLength + length > this.#maxBytes) {
      throw new WebSocketProtocolError(
        1009,
        `Cannot read the message: it has at most ${this.#maxBytes} bytes`,
      );
    }
    const end = start + length;
    if (bytes.length < end) return null;
    return { fin, opcode, mask: this.#masked ? bytes.slice(maskAt, start) : null, start, end };
  }

  #data({ fin, opcode }: FrameHeader, payload: Uint8Array): WebSocketEvent | "fragment" {
    if ((opcode === FrameOpcode.Continuation) !== (this.#partsOpcode !== null)) {
      throw protocolError("fragments follow one another, and nothing else comes between them");
    }
    this.#partsOpcode ??= opcode;
    this.#parts.push(payload);
    this.#partsLength += payload.length;
    if (!fin) return "fragment";
    const data = concatenated(this.#parts);
    const isText = this.#partsOpcode === FrameOpcode.Text;
    this.#parts = [];
    this.#partsOpcode = null;
    this.#partsLength = 0;
    return isText ? { type: "text", text: decodeUtf8(data) } : { type: "binary", data };
  }
}

function payloadLength(view: DataView, short: number): number {
  if (short < 126) return short;
  const length = short === 126 ? view.getUint16(2) : Number(view.getBigUint64(2));
  if (length < (short === 126 ? 126 : 65_536)) {
    throw protocolError("lengths are written as short as possible");
  }
  return length;
}

function control(opcode: number, payload: Uint8Array): WebSocketEvent {
  if (opcode === FrameOpcode.Ping) return { type: "ping", data: payload };
  if (opcode === FrameOpcode.Pong) return { type: "pong", data: payload };
  if (payload.length === 0) return { type: "close", code: null, reason: "" };
  if (payload.length === 1) throw protocolError("a close code has two bytes");
  const code = new DataView(payload.buffer, payload.byteOffset).getUint16(0);
  if (!isCloseCode(code)) throw protocolError(`no peer sends this close code: ${code}`);
  return { type: "close", code, reason: decodeUtf8(payload.subarray(2)) };
}

function isCloseCode(code: number): boolean {
  return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999;
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WebSocketProtocolError(1007, "Cannot read the message: it is not UTF-8");
  }
}

function applyMask(bytes: Uint8Array, mask: Uint8Array): void {
  for (let index = 0; index < bytes.length; index++) bytes[index]! ^= mask[index % 4]!;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  const filled = parts.filter((part) => part.length > 0);
  if (filled.length <= 1) return filled[0] ?? EMPTY;
  const whole = new Uint8Array(filled.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of filled) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function protocolError(rule: string): WebSocketProtocolError {
  return new WebSocketProtocolError(1002, `Cannot read the frame: ${rule}`);
}

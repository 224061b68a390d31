/**
 * One WebSocket message → the text of a payload → the payload.
 *
 * Text passes; bytes need a decoder, which a negotiated compression plugs in. Everything that goes wrong on this way is a
 * {@linkcode FrameError}: the session is not to blame and survives it.
 */

import { FrameError } from "./errors.ts";
import type { GatewayDispatch } from "./payload.ts";

/** Turns the bytes of a compressed connection back into text. One per connection: its memory is the stream's window. */
export interface FrameDecoder {
  /**
   * Takes the next message's bytes.
   *
   * @returns The payload's text, or `null` while a payload is still incomplete.
   */
  decode(bytes: Uint8Array): string | null;
}

/** A payload as it comes off the wire: what it says about itself, and a body of unknown shape. */
export interface RawPayload {
  /** Opcode. */
  readonly op: number;
  /** Body. */
  readonly d: unknown;
  /** Sequence number, `null` outside dispatches. */
  readonly s: number | null;
  /** Event name, `null` outside dispatches. */
  readonly t: string | null;
}

/** The longest text that is looked at, in UTF-16 units: twice what any runtime's WebSocket hands over. */
const MAX_TEXT_LENGTH = 64 * 1024 * 1024;

/**
 * Makes text of a message.
 *
 * @returns The text, or `null` while a compressed payload is incomplete.
 * @throws {FrameError} Bytes without a decoder, bytes that do not decode, or a text that is too long.
 *
 * @example
 * ```ts
 * import { frameText } from "@discordgateway/edge/gateway";
 *
 * const decoder = { decode: (bytes: Uint8Array) => new TextDecoder().decode(bytes) };
 * if (frameText(new TextEncoder().encode("{}"), decoder) !== "{}") throw new Error("unexpected");
 * ```
 */
export function frameText(frame: string | Uint8Array, decoder: FrameDecoder | null): string | null {
  let text: string | null;
  if (typeof frame === "string") {
    text = frame;
  } else {
    if (decoder === null) {
      throw new FrameError(`Cannot read a frame: bytes came where text is due: ${frame.byteLength} bytes`);
    }
    try {
      text = decoder.decode(frame);
    } catch (cause) {
      throw new FrameError(`Cannot read a frame: it does not decode: ${frame.byteLength} bytes`, { cause });
    }
  }
  if (text !== null && text.length > MAX_TEXT_LENGTH) {
    throw new FrameError(`Cannot read a frame: it is longer than ${MAX_TEXT_LENGTH}: ${text.length}`);
  }
  return text;
}

/**
 * Parses a payload. Missing `s` and `t` read as `null`; a missing `d` stays `undefined`.
 *
 * @throws {FrameError} No JSON, no object, no integer opcode, or an `s` or `t` of another type.
 *
 * @example
 * ```ts
 * import { parsePayload } from "@discordgateway/edge/gateway";
 *
 * const payload = parsePayload('{"op":11}');
 * if (payload.op !== 11 || payload.s !== null) throw new Error("unexpected");
 * ```
 */
export function parsePayload(text: string): RawPayload {
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch (cause) {
    throw new FrameError(`Cannot read a frame: it is no JSON: ${text.length} characters`, { cause });
  }
  if (isRawPayload(payload)) return payload;
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new FrameError("Cannot read a frame: a payload is an object");
  }
  const { op, s = null, t = null, d }: { op?: unknown; s?: unknown; t?: unknown; d?: unknown } = payload;
  const complete = { op, d, s, t };
  if (isRawPayload(complete)) return complete;
  throw new FrameError(
    `Cannot read a frame: op is an integer, s an integer or null, t a string or null: ${typeof op}, ${typeof s}, ${typeof t}`,
  );
}

function isRawPayload(value: unknown): value is RawPayload {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { op, s, t }: { op?: unknown; s?: unknown; t?: unknown } = value;
  return Number.isInteger(op) && (s === null || Number.isInteger(s)) && (t === null || typeof t === "string");
}

/** Trusts Discord for the shape of `d`, as every client must: the payload's documented type is the event's name. */
export function asDispatch(payload: RawPayload): GatewayDispatch {
  return payload as GatewayDispatch;
}

/**
 * One message of the voice gateway → what it carries.
 *
 * Text is JSON with an optional `seq` beside `op` and `d`. A binary message from the server is a sequence number of two
 * bytes, the opcode, and a payload; one to the server has no sequence. Both kinds count in the same sequence.
 */

import { FrameError } from "../../gateway/errors.ts";
import { concat, copyOf } from "./bytes.ts";
import { VoiceOpcode } from "./opcode.ts";

/** A JSON payload as it comes off the wire. */
export interface RawVoicePayload {
  /** Opcode. */
  readonly op: number;
  /** Body. */
  readonly d: unknown;
  /** Sequence number; `null` where the message is not numbered. Zero is a number like any other. */
  readonly seq: number | null;
}

/** A binary message as it comes off the wire. */
export interface VoiceBinary {
  /** Sequence number, 16 bits. */
  readonly seq: number;
  /** Opcode. */
  readonly op: number;
  /** What follows, a copy. */
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** How many sequence numbers there are before they start over. */
const SEQUENCES = 0x1_0000;

/**
 * Parses a JSON message. A missing `seq` reads as `null`; a missing `d` stays `undefined`.
 *
 * @throws {FrameError} No JSON, no object, no integer opcode, or a `seq` of another type.
 *
 * @example
 * ```ts
 * import { parseVoicePayload } from "@discordgateway/edge/voice/core";
 *
 * const { op, seq } = parseVoicePayload('{"op":13,"d":{"user_id":"1"},"seq":0}');
 * if (op !== 13 || seq !== 0) throw new Error("unexpected");
 * ```
 */
export function parseVoicePayload(text: string): RawVoicePayload {
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, which may hold a key.
    throw new FrameError(`Cannot read a voice message: it is no JSON: ${text.length} characters`);
  }
  if (typeof payload !== "object" || payload === null || Array.isArray(payload)) {
    throw new FrameError("Cannot read a voice message: a payload is an object");
  }
  const { op, d, seq = null }: { op?: unknown; d?: unknown; seq?: unknown } = payload;
  if (!isInteger(op) || (seq !== null && !isInteger(seq))) {
    throw new FrameError(
      `Cannot read a voice message: op is an integer, seq an integer or missing: ${typeof op}, ${typeof seq}`,
    );
  }
  return { op, d, seq };
}

/**
 * Takes a binary message of the server apart.
 *
 * @throws {FrameError} Fewer than three bytes.
 *
 * @example
 * ```ts
 * import { parseVoiceBinary } from "@discordgateway/edge/voice/core";
 *
 * const { seq, op, payload } = parseVoiceBinary(new Uint8Array([0xff, 0xff, 27, 1, 0]));
 * if (seq !== 65_535 || op !== 27 || payload.length !== 2) throw new Error("unexpected");
 * ```
 */
export function parseVoiceBinary(bytes: Uint8Array): VoiceBinary {
  const [high, low, op] = bytes;
  if (high === undefined || low === undefined || op === undefined) {
    throw new FrameError(
      `Cannot read a voice message: a binary one has at least 3 bytes: ${bytes.length}`,
    );
  }
  return { seq: high << 8 | low, op, payload: copyOf(bytes, 3) };
}

/**
 * Makes a binary message for the server: the opcode, then the parts of the payload.
 *
 * @example
 * ```ts
 * import { encodeVoiceBinary } from "@discordgateway/edge/voice/core";
 *
 * const message = encodeVoiceBinary(28, new Uint8Array([1, 2]), new Uint8Array([3]));
 * if (message.join() !== "28,1,2,3") throw new Error(`unexpected: ${message}`);
 * ```
 */
export function encodeVoiceBinary(op: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return concat(Uint8Array.of(op), ...parts);
}

/**
 * Whether a sequence number comes after another, on a circle of 2 ** 16: the shorter way decides.
 *
 * @example
 * ```ts
 * import { isSequenceAfter } from "@discordgateway/edge/voice/core";
 *
 * if (!isSequenceAfter(0, 65_535) || isSequenceAfter(65_535, 0) || isSequenceAfter(7, 7)) throw new Error("unexpected");
 * ```
 */
export function isSequenceAfter(sequence: number, reference: number): boolean {
  const ahead = (sequence - reference) & SEQUENCES - 1;
  return ahead > 0 && ahead < SEQUENCES / 2;
}

/** A DAVE message of the server, read. */
export type DaveMessage =
  | {
    readonly op: typeof VoiceOpcode.DavePrepareTransition;
    readonly transitionId: number;
    readonly version: number;
  }
  | { readonly op: typeof VoiceOpcode.DaveExecuteTransition; readonly transitionId: number }
  | { readonly op: typeof VoiceOpcode.DavePrepareEpoch; readonly epoch: number; readonly version: number }
  | {
    readonly op: typeof VoiceOpcode.DaveMlsExternalSender;
    readonly externalSender: Uint8Array<ArrayBuffer>;
  }
  | {
    readonly op: typeof VoiceOpcode.DaveMlsProposals;
    readonly operation: "append" | "revoke";
    readonly proposals: Uint8Array<ArrayBuffer>;
  }
  | {
    readonly op: typeof VoiceOpcode.DaveMlsAnnounceCommitTransition;
    readonly transitionId: number;
    readonly commit: Uint8Array<ArrayBuffer>;
  }
  | {
    readonly op: typeof VoiceOpcode.DaveMlsWelcome;
    readonly transitionId: number;
    readonly welcome: Uint8Array<ArrayBuffer>;
  };

/**
 * Reads a binary DAVE message.
 *
 * @returns The message, or `null` if it is cut short, of an unknown kind, or no message of a server.
 *
 * @example
 * ```ts
 * import { readDaveBinary } from "@discordgateway/edge/voice/core";
 *
 * const message = readDaveBinary(30, new Uint8Array([0, 0, 9, 9]));
 * if (message?.op !== 30 || message.transitionId !== 0 || message.welcome.length !== 2) throw new Error("unexpected");
 * ```
 */
export function readDaveBinary(op: number, payload: Uint8Array): DaveMessage | null {
  const body = (from: number) => copyOf(payload, from);
  const [first, second] = payload;
  switch (op) {
    case VoiceOpcode.DaveMlsExternalSender:
      return { op, externalSender: body(0) };
    case VoiceOpcode.DaveMlsProposals:
      if (first !== 0 && first !== 1) return null;
      return { op, operation: first === 0 ? "append" : "revoke", proposals: body(1) };
    case VoiceOpcode.DaveMlsAnnounceCommitTransition:
      if (first === undefined || second === undefined) return null;
      return { op, transitionId: first << 8 | second, commit: body(2) };
    case VoiceOpcode.DaveMlsWelcome:
      if (first === undefined || second === undefined) return null;
      return { op, transitionId: first << 8 | second, welcome: body(2) };
    default:
      return null;
  }
}

function isInteger(value: unknown): value is number {
  return Number.isInteger(value);
}

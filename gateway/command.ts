/** A user's command → the frame to send, or a clear refusal before a turn under the rate limit is spent. */

import { CommandError, PayloadTooLargeError } from "./errors.ts";
import { isCommandOpcode } from "./opcode.ts";
import type { GatewayCommand } from "./payload.ts";

/**
 * The largest frame that Discord accepts, in bytes of UTF-8; beyond it closes with 4002.
 *
 * @example
 * ```ts
 * import { encodeCommand, MAX_FRAME_BYTES } from "@discordgateway/edge/gateway";
 *
 * const frame = encodeCommand({ op: 31, d: { guild_ids: ["1"] } });
 * if (frame.length > MAX_FRAME_BYTES) throw new Error("unreachable");
 * ```
 */
export const MAX_FRAME_BYTES = 4096;

/** Discord ignores a longer nonce in silence, and the answer could never be matched. */
const MAX_NONCE_BYTES = 32;

const encoder = /* @__PURE__ */ new TextEncoder();

/**
 * Checks a command and writes its frame.
 *
 * @throws {CommandError} The opcode is not a user's to send, the body is no JSON object, or the nonce is no string of at
 * most 32 bytes.
 * @throws {PayloadTooLargeError} The frame exceeds 4096 bytes.
 *
 * @see https://docs.discord.com/developers/events/gateway-events#send-events
 *
 * @example
 * ```ts
 * import { encodeCommand } from "@discordgateway/edge/gateway";
 *
 * const frame = encodeCommand({ op: 31, d: { guild_ids: ["1"] } });
 * if (frame !== '{"op":31,"d":{"guild_ids":["1"]}}') throw new Error(frame);
 * ```
 */
export function encodeCommand(command: GatewayCommand): string {
  const { op, d }: { op: number; d: unknown } = command;
  if (!isCommandOpcode(op)) {
    throw new CommandError(`Cannot send a command: its opcode is one of 3, 4, 8, 31, 43: ${op}`);
  }
  if (typeof d !== "object" || d === null || Array.isArray(d)) {
    throw new CommandError(`Cannot send op ${op}: its body is an object: ${d === null ? "null" : typeof d}`);
  }
  if ("nonce" in d && d.nonce !== undefined) {
    if (typeof d.nonce !== "string") {
      throw new CommandError(`Cannot send op ${op}: a nonce is a string: ${typeof d.nonce}`);
    }
    const bytes = encoder.encode(d.nonce).length;
    if (bytes > MAX_NONCE_BYTES) {
      throw new CommandError(`Cannot send op ${op}: a nonce has at most ${MAX_NONCE_BYTES} bytes: ${bytes}`);
    }
  }
  let frame: string;
  try {
    frame = JSON.stringify({ op, d });
  } catch (cause) {
    throw new CommandError(`Cannot send op ${op}: its body does not serialise`, { cause });
  }
  const bytes = encoder.encode(frame).length;
  if (bytes > MAX_FRAME_BYTES) throw new PayloadTooLargeError(op, bytes, MAX_FRAME_BYTES);
  return frame;
}

/** A user's command → the frame to send, or an error before the command joins a queue or takes from the rate limit. */

import { CommandError } from "./errors.ts";
import { isCommandOpcode } from "./opcode.ts";
import type { GatewayCommand } from "./payload.ts";

/**
 * The largest frame that Discord accepts, in bytes of UTF-8; beyond it closes with 4002.
 *
 * @example
 * ```ts
 * import { encodeCommand, MAX_FRAME_BYTES } from "@discordgateway/edge/gateway";
 *
 * const { frame } = encodeCommand({ op: 31, d: { guild_ids: ["1"] } });
 * if (frame.length > MAX_FRAME_BYTES) throw new Error("unreachable");
 * ```
 */
export const MAX_FRAME_BYTES = 4096;

/** Discord silently ignores a longer nonce, and the response could not be matched. */
const MAX_NONCE_BYTES = 32;

const encoder = /* @__PURE__ */ new TextEncoder();

/**
 * A command that was checked and written as its frame. Made by {@linkcode encodeCommand} alone.
 *
 * The frame stays as it was encoded, whatever happens to the command's body later.
 *
 * @example
 * ```ts
 * import { type EncodedCommand, encodeCommand, GatewayState } from "@discordgateway/edge/gateway";
 *
 * const encoded: EncodedCommand = encodeCommand({ op: 31, d: { guild_ids: ["1"] } });
 * const send = (state: GatewayState, now: number) => state.send(encoded, now);
 * if (encoded.command.op !== 31 || send.length !== 2) throw new Error("unexpected");
 * ```
 */
export class EncodedCommand {
  readonly #command: GatewayCommand;
  readonly #frame: string;

  /** Made where a command is checked. */
  constructor(command: GatewayCommand, frame: string) {
    this.#command = command;
    this.#frame = frame;
  }

  /** The command that was given. */
  get command(): GatewayCommand {
    return this.#command;
  }

  /** The frame to write, at most 4096 bytes of UTF-8. */
  get frame(): string {
    return this.#frame;
  }
}

/**
 * Checks a command and writes its frame.
 *
 * @throws {CommandError} The opcode is none that a user sends, the body is no JSON object, the nonce is no string of at
 * most 32 bytes, or the frame exceeds 4096 bytes (`code` is `ERR_PAYLOAD_TOO_LARGE`).
 *
 * @see https://docs.discord.com/developers/events/gateway-events#send-events
 *
 * @example
 * ```ts
 * import { encodeCommand } from "@discordgateway/edge/gateway";
 *
 * const { frame } = encodeCommand({ op: 31, d: { guild_ids: ["1"] } });
 * if (frame !== '{"op":31,"d":{"guild_ids":["1"]}}') throw new Error(frame);
 * ```
 */
export function encodeCommand(command: GatewayCommand): EncodedCommand {
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
  if (bytes > MAX_FRAME_BYTES) {
    throw new CommandError(`Cannot send op ${op}: a frame has at most ${MAX_FRAME_BYTES} bytes: ${bytes}`, {
      bytes,
    });
  }
  return new EncodedCommand(command, frame);
}

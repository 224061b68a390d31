/** Why there is no media: no UDP, no permission for it, no response, or no usable key. */

/** The ways in which media can fail. */
export type VoiceMediaErrorCode =
  /** The runtime has no UDP, or the connection was made without media. */
  | "ERR_VOICE_MEDIA_UNSUPPORTED"
  /** The runtime has UDP, and the program may not use it. */
  | "ERR_VOICE_MEDIA_PERMISSION"
  /** The socket could not be opened, or failed. */
  | "ERR_VOICE_MEDIA_SOCKET"
  /** The media server did not respond with this side's address. */
  | "ERR_VOICE_MEDIA_DISCOVERY"
  /** Every nonce of a transport key was used. A new voice session brings a new key. */
  | "ERR_NONCE_EXHAUSTED"
  /** The key pair for the end-to-end encryption has the wrong length: davey would end the process over it. */
  | "ERR_DAVE_KEY";

/**
 * Sound can neither be sent nor received.
 *
 * @example
 * ```ts
 * import { VoiceMediaError } from "@discordgateway/edge/voice";
 *
 * const error = new VoiceMediaError("Cannot open a UDP socket: this runtime has none", {
 *   code: "ERR_VOICE_MEDIA_UNSUPPORTED",
 * });
 * if (error.name !== "VoiceMediaError" || error.code !== "ERR_VOICE_MEDIA_UNSUPPORTED") throw error;
 * ```
 */
export class VoiceMediaError extends Error {
  /** The name of the class. */
  override readonly name = "VoiceMediaError";
  /** Stable identifier for switch statements. */
  readonly code: VoiceMediaErrorCode;

  /** Made by voice, or by a function of the program that opens sockets. */
  constructor(message: string, options: { readonly code: VoiceMediaErrorCode; readonly cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = options.code;
  }
}

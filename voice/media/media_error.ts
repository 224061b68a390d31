/** Why there is no media: sound needs UDP, and UDP can be missing, forbidden, or lead nowhere. */

/** The ways in which media can fail. */
export type VoiceMediaErrorCode =
  /** The runtime has no UDP, or the connection was made without media. */
  | "ERR_VOICE_MEDIA_UNSUPPORTED"
  /** The runtime has UDP, and the program may not use it. */
  | "ERR_VOICE_MEDIA_PERMISSION"
  /** The socket could not be opened, or broke. */
  | "ERR_VOICE_MEDIA_SOCKET"
  /** The media server did not say under which address it sees this client. */
  | "ERR_VOICE_MEDIA_DISCOVERY";

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

  /** Made by a voice connection, or by an own function that opens sockets. */
  constructor(message: string, options: { readonly code: VoiceMediaErrorCode; readonly cause?: unknown }) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = options.code;
  }
}

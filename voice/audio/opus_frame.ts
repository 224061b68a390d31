/** What can be an Opus frame of 20 ms, and the error for what cannot. */

/** Opus goes up to 510 kbit/s: 1275 bytes in 20 ms, and a few that say how they are divided. */
const MAX_BYTES = 1_300;

/** Whether this can be an Opus frame of 20 ms. What is in it is not looked at. */
export function isOpusFrame(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length > 0 && value.length <= MAX_BYTES;
}

/**
 * A source gave something else than an Opus frame of 20 ms, such as samples that are not encoded. The frames before it
 * were played; the source is read no further.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6716#section-2.1.1
 *
 * @example
 * ```ts
 * import { OpusFrameError } from "@discordgateway/edge/voice";
 *
 * const error = new OpusFrameError(new Uint8Array(3_840)); // 20 ms of PCM
 * if (error.code !== "ERR_OPUS_FRAME" || !error.message.endsWith(": 3840 bytes")) throw error;
 * ```
 */
export class OpusFrameError extends TypeError {
  /** The name of the class. */
  override readonly name = "OpusFrameError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_OPUS_FRAME";

  /** Made by `play`. */
  constructor(given: unknown) {
    const shown = given instanceof Uint8Array
      ? `${given.length} bytes`
      : given === null
      ? "null"
      : typeof given;
    super(`Cannot play: an Opus frame of 20 ms is a Uint8Array of 1 to ${MAX_BYTES} bytes: ${shown}`);
  }
}

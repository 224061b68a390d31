/** What frames cannot be sent without, and the error when it is missing for too long. */

/** What sound waits for, in the order in which it comes. */
export type VoiceMissing =
  /** The main gateway names no voice server. */
  | "voice_server"
  /** There is no connection to the voice server, or it does not respond. */
  | "connection"
  /** The voice server has not responded to the identify: READY is missing. */
  | "ready"
  /** The media server has not said what this side's address is. */
  | "address"
  /** The voice server has not named the key of the transport. */
  | "session_description"
  /** The call is end-to-end encrypted, and its group has given this side no keys. */
  | "dave_keys";

/** What has a deadline. */
export type VoiceTimedAction = "join voice" | "play";

const WHAT: { readonly [Missing in VoiceMissing]: string } = {
  voice_server: "the main gateway names no voice server",
  connection: "there is no connection to the voice server",
  ready: "the voice server does not respond to the identify",
  address: "the media server does not say what the address is",
  session_description: "the voice server gives no key",
  dave_keys: "there are no keys of the end-to-end encryption",
};

/**
 * Sound could not leave for too long. `cause` is what the last attempt failed with, if anything threw.
 *
 * From `joinVoice` it means that the bot has left again. From `play` it means that the voice connection goes on: what is
 * missing may still come, and playing can be tried again.
 *
 * @example
 * ```ts
 * import { VoiceTimeoutError } from "@discordgateway/edge/voice";
 *
 * const error = new VoiceTimeoutError("dave_keys", { deadlineMs: 60_000, cause: null });
 * if (error.code !== "ERR_VOICE_TIMEOUT" || error.missing !== "dave_keys") throw error;
 * ```
 */
export class VoiceTimeoutError extends Error {
  /** The name of the class. */
  override readonly name = "VoiceTimeoutError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_VOICE_TIMEOUT";
  /** What was missing. */
  readonly missing: VoiceMissing;

  /** Made by the voice connection. */
  constructor(
    missing: VoiceMissing,
    { deadlineMs, cause, action = "play" }: {
      readonly deadlineMs: number;
      readonly cause: Error | null;
      readonly action?: VoiceTimedAction;
    },
  ) {
    super(
      `Cannot ${action}: within ${deadlineMs} ms nothing may leave: ${WHAT[missing]}`,
      cause === null ? undefined : { cause },
    );
    this.missing = missing;
  }
}

/** Rejects a deadline that is negative or no number. */
export function assertDeadline(action: VoiceTimedAction, deadlineMs: number): void {
  if (deadlineMs >= 0) return;
  throw new RangeError(`Cannot ${action}: deadlineMs must be 0 or more: ${deadlineMs}`);
}

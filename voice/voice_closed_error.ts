/** The error of a voice connection that has ended, or that was closed while `play` or a join waited for it. */

import type { VoiceJoinEnd, VoiceJoinEndCause } from "./join_io.ts";

const WHY: { readonly [Cause in VoiceJoinEndCause]: string } = {
  left: "the bot has left the channel",
  kicked: "the bot was disconnected from the channel, or the channel is gone",
  timeout: "the main gateway did not respond: the channel is full, closed to the bot, or gone",
  disconnected: "the voice server ended the session, and the main gateway named no other",
  stopped: "after this end of the voice session no other can follow",
};

/**
 * The voice connection has ended. `cause` is what the last voice session failed with, if it failed.
 *
 * @example
 * ```ts
 * import { VoiceClosedError } from "@discordgateway/edge/voice";
 *
 * const error = new VoiceClosedError({ cause: "kicked", channelId: "2" }, null);
 * if (error.code !== "ERR_VOICE_CLOSED" || error.end.cause !== "kicked") throw error;
 * ```
 */
export class VoiceClosedError extends Error {
  /** The name of the class. */
  override readonly name = "VoiceClosedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_VOICE_CLOSED";
  /** How the voice connection ended. */
  readonly end: VoiceJoinEnd;

  /** Made by the voice connection. */
  constructor(end: VoiceJoinEnd, cause: Error | null) {
    super(`Voice connection closed: ${WHY[end.cause]}: ${end.cause}`, cause === null ? undefined : { cause });
    this.end = end;
  }
}

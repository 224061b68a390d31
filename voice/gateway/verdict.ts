/**
 * How a voice connection ended → what next, one pure table.
 *
 * A voice session ends in one of two ways. Either the voice server lost it or fell out with us: then the channel is joined
 * anew through the main gateway (op 4), which brings a fresh token, after a backoff. Or somebody in the guild ended it: then
 * only the main gateway knows what follows, and the right thing is to wait for it.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-close-event-codes
 */

import { VOICE_CODE_VERDICTS, type VoiceCodeCause, type VoiceVerdictRow } from "../wire/close_code.ts";
import type { VoiceEndCause } from "./transitions.ts";

// @__NO_SIDE_EFFECTS__
const stop = (why: string): VoiceVerdictRow => ({ action: "stop", delay: "none", why });
// @__NO_SIDE_EFFECTS__
const resume = (why: string): VoiceVerdictRow => ({ action: "resume", delay: "backoff", why });
// @__NO_SIDE_EFFECTS__
const rejoin = (why: string): VoiceVerdictRow => ({ action: "rejoin", delay: "backoff", why });

/** One row per cause that is no close code of the table. */
const OTHER_VERDICTS: { readonly [Cause in Exclude<VoiceEndCause, VoiceCodeCause>]: VoiceVerdictRow } = {
  close_below_4000: resume("The connection was closed for a reason outside the voice session"),
  close_other: rejoin("The connection was closed with a code outside Discord's table"),
  connection_lost: resume("The connection was lost"),
  zombie: { ...resume("Nothing came from the voice server between two heartbeats"), delay: "none" },
  hello_timeout: resume("HELLO did not come in time"),
  ready_timeout: rejoin("READY did not come in time"),
  session_description_timeout: rejoin("SESSION_DESCRIPTION did not come in time"),
  resumed_timeout: rejoin("RESUMED did not come in time"),
  frame_error: resume("A message could not be read"),
  protocol_error: rejoin("A payload broke the protocol"),
  no_common_mode: stop("The voice server offers no encryption mode that this client speaks"),
  write_failed: resume("A message could not be written"),
  media_failed: rejoin("The media connection failed"),
  closed: stop("Closed by the program"),
  dial_failed: resume("The connection could not be opened"),
};

/**
 * One row per cause. Those of close codes come from the table of close codes.
 *
 * @example
 * ```ts
 * import { VOICE_VERDICTS } from "@discordgateway/edge/voice/core";
 *
 * if (VOICE_VERDICTS.close_4014.action !== "wait") throw new Error("the main gateway says what follows");
 * if (VOICE_VERDICTS.close_4017.action !== "stop") throw new Error("without DAVE every attempt ends the same way");
 * ```
 */
export const VOICE_VERDICTS: { readonly [Cause in VoiceEndCause]: VoiceVerdictRow } = /* @__PURE__ */ Object
  .assign({}, VOICE_CODE_VERDICTS, OTHER_VERDICTS);

/**
 * Resumes in a row that did not get as far as RESUMED, after which the session is given up.
 *
 * @example
 * ```ts
 * import { MAX_FAILED_VOICE_RESUMES, voiceVerdict } from "@discordgateway/edge/voice/core";
 *
 * const { action } = voiceVerdict({
 *   cause: "connection_lost",
 *   resumable: true,
 *   failedResumes: MAX_FAILED_VOICE_RESUMES,
 * });
 * if (action !== "rejoin") throw new Error(action);
 * ```
 */
export const MAX_FAILED_VOICE_RESUMES = 3;

/** What {@linkcode voiceVerdict} weighs. */
export interface VoiceVerdictInput {
  /** How the connection ended. */
  readonly cause: VoiceEndCause;
  /** Whether there is a session to resume: whether it has got as far as its description. */
  readonly resumable: boolean;
  /** Resumes in a row that ended before RESUMED, this one included; failed dials count as well. */
  readonly failedResumes: number;
}

/**
 * Looks up what follows an end. Pure: the delay's length is the backoff's business.
 *
 * @example
 * ```ts
 * import { voiceVerdict } from "@discordgateway/edge/voice/core";
 *
 * const lost = { cause: "connection_lost", failedResumes: 0 } as const;
 * if (voiceVerdict({ ...lost, resumable: true }).action !== "resume") throw new Error("unexpected");
 * // Identifying twice with one session would be 4006.
 * if (voiceVerdict({ ...lost, resumable: false }).action !== "rejoin") throw new Error("unexpected");
 * ```
 */
export function voiceVerdict({ cause, resumable, failedResumes }: VoiceVerdictInput): VoiceVerdictRow {
  const row = VOICE_VERDICTS[cause];
  if (row.action !== "resume" || resumable && failedResumes < MAX_FAILED_VOICE_RESUMES) return row;
  return { ...row, action: "rejoin", delay: "backoff" };
}

/**
 * How a voice connection ended → what next, one pure table.
 *
 * A voice session ends in one of two ways. Either the voice server lost it or fell out with us: then the channel is joined
 * anew through the main gateway (op 4), which brings a fresh token, after a backoff. Or somebody in the guild ended it: then
 * only the main gateway knows what follows, and the right thing is to wait for it.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-close-event-codes
 */

import type { VoiceEndCause } from "./transitions.ts";

/**
 * What follows: nothing more; the same session on a new connection to the same endpoint; op 4 on the main gateway and a
 * new session; or to wait for what the main gateway says.
 */
export type VoiceVerdictAction = "stop" | "resume" | "rejoin" | "wait";

/** How long to wait first: `none` only for the first time in a row, `backoff` growing with every failure. */
export type VoiceVerdictDelay = "none" | "backoff";

/** One row of {@linkcode VOICE_VERDICTS}. */
export interface VoiceVerdictRow {
  /** What follows. Without a session a resume becomes a rejoin. */
  readonly action: VoiceVerdictAction;
  /** How long to wait first. */
  readonly delay: VoiceVerdictDelay;
  /** Why, in a sentence for a log line. */
  readonly why: string;
}

const stop = (why: string): VoiceVerdictRow => ({ action: "stop", delay: "none", why });
const resume = (why: string): VoiceVerdictRow => ({ action: "resume", delay: "backoff", why });
const rejoin = (why: string): VoiceVerdictRow => ({ action: "rejoin", delay: "backoff", why });
const wait = (why: string): VoiceVerdictRow => ({ action: "wait", delay: "none", why });

/**
 * One row per cause.
 *
 * @example
 * ```ts
 * import { VOICE_VERDICTS } from "@discordgateway/edge/voice/core";
 *
 * if (VOICE_VERDICTS.close_4014.action !== "wait") throw new Error("the main gateway says what follows");
 * if (VOICE_VERDICTS.close_4017.action !== "stop") throw new Error("without DAVE every attempt ends the same way");
 * ```
 */
export const VOICE_VERDICTS: { readonly [Cause in VoiceEndCause]: VoiceVerdictRow } = {
  close_below_4000: resume("The connection was closed for a reason outside the voice session"),
  close_4001: rejoin("The voice server did not know an opcode"),
  close_4002: rejoin("The voice server could not decode a payload"),
  close_4003: rejoin("The voice server got a payload before the identify"),
  close_4004: rejoin("The voice server's token is not valid; joining anew brings another"),
  close_4005: rejoin("The voice server got a second identify"),
  close_4006: rejoin("The voice session is no longer valid"),
  close_4009: rejoin("The voice session timed out"),
  close_4011: rejoin("The voice server was not found"),
  close_4012: rejoin("The voice server did not know the protocol"),
  close_4013: resume("The voice server's media part crashed"),
  close_4014: wait("Disconnected, moved, or without a channel; the main gateway says which"),
  close_4015: resume("The voice server crashed"),
  close_4016: rejoin("The voice server did not know the encryption mode"),
  close_4017: stop("The call requires DAVE, and this client did not offer it"),
  close_4020: rejoin("The voice server got a malformed payload"),
  close_4021: wait("The voice server counted too many payloads and wants no reconnect"),
  close_4022: wait("The call has ended or moved to another server; the main gateway says which"),
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

/**
 * How it ended → what next: the whole reconnection policy, one pure table.
 *
 * A resume costs nothing and Discord refuses it with op 9 at worst, while identifies are limited to a thousand a day and
 * running out resets the token. So whatever does not make a resume pointless is answered by a resume.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
 */

import type { SessionRecord } from "./session.ts";
import type { EndCause } from "./transitions.ts";

/** What follows: nothing more, the same session, or a new one. */
export type VerdictAction = "stop" | "resume" | "identify";

/**
 * How long to wait first: `none` only for the first time in a row, `backoff` growing with every connection that did not
 * prove itself, `invalid_session` at least 1–5 s at random.
 */
export type VerdictDelay = "none" | "backoff" | "invalid_session";

/** One row of {@linkcode VERDICTS}. */
export interface VerdictRow {
  /** What follows. Without a session a resume becomes an identify. */
  readonly action: VerdictAction;
  /** How long to wait first. */
  readonly delay: VerdictDelay;
  /** The session's own URL has shown that it cannot be reached: resume through the main gateway. */
  readonly dropResumeUrl?: true;
  /** Why, in a sentence for a log line. */
  readonly why: string;
}

// The marks tell a bundler that it may drop the table where nobody reads it.
// @__NO_SIDE_EFFECTS__
const stop = (why: string): VerdictRow => ({ action: "stop", delay: "none", why });
// @__NO_SIDE_EFFECTS__
const resume = (why: string): VerdictRow => ({ action: "resume", delay: "backoff", why });
// @__NO_SIDE_EFFECTS__
const resumeNow = (why: string): VerdictRow => ({ action: "resume", delay: "none", why });
// @__NO_SIDE_EFFECTS__
const identify = (why: string): VerdictRow => ({ action: "identify", delay: "backoff", why });

/**
 * One row per cause.
 *
 * @example
 * ```ts
 * import { VERDICTS } from "@discordgateway/edge/gateway";
 *
 * if (VERDICTS.close_4004.action !== "stop") throw new Error("a wrong token is final");
 * if (VERDICTS.reconnect.action !== "resume") throw new Error("op 7 asks for a resume");
 * ```
 */
export const VERDICTS: { readonly [Cause in EndCause]: VerdictRow } = {
  close_1000: resume("Discord closed normally, which leaves open whether the session lives; op 9 will say"),
  close_1001: resume("Discord went away, which leaves open whether the session lives; op 9 will say"),
  close_4000: resume("Discord had an unknown error"),
  close_4001: identify("Discord did not understand an opcode or a body, and does not resume after that"),
  close_4002: resume("Discord could not decode a frame"),
  close_4003: identify("Discord got a payload before an identify, or the session was invalidated"),
  close_4004: stop("The token is not valid"),
  close_4005: resume("Discord got a second identify"),
  close_4006: identify("The session is no longer valid"),
  close_4007: identify("The sequence number of the resume was not valid"),
  close_4008: resume("Discord counted too many frames"),
  close_4009: identify("The session timed out"),
  close_4010: stop("The shard is not valid"),
  close_4011: stop("The bot is in too many guilds for one shard"),
  close_4012: stop("The API version is not valid"),
  close_4013: stop("The intents are not valid"),
  close_4014: stop("An intent is privileged and not enabled for the application"),
  close_other: resume("The connection was closed with a code outside Discord's table"),
  connection_lost: resume("The connection was lost"),
  reconnect: resumeNow("Discord asked for a reconnect"),
  invalid_session: { action: "identify", delay: "invalid_session", why: "Discord invalidated the session" },
  invalid_session_resumable: {
    action: "resume",
    delay: "invalid_session",
    why: "Discord invalidated the session and lets it resume",
  },
  zombie: resumeNow("Nothing came from Discord between two heartbeats"),
  hello_timeout: resume("HELLO did not come in time"),
  ready_timeout: identify("READY did not come in time"),
  resumed_timeout: resume("RESUMED did not come in time"),
  frame_error: resume("A frame could not be read"),
  protocol_error: resume("A payload broke the protocol"),
  write_failed: resume("A frame could not be written"),
  identify_refused: stop("The identify limiter refused for good"),
  identify_limiter_failed: identify("The identify limiter could not be asked"),
  consumer_behind: resumeNow("The consumer fell behind; the session waits at Discord until it has caught up"),
  closed_keeping_session: stop("Closed by the program, keeping the session"),
  closed_ending_session: stop("Closed by the program"),
  dial_failed: {
    action: "resume",
    delay: "backoff",
    dropResumeUrl: true,
    why: "The connection could not be opened",
  },
  gateway_bot_failed: resume("GET /gateway/bot failed"),
  gateway_bot_unauthorized: stop("GET /gateway/bot refused the token"),
};

/**
 * Resumes that ended before RESUMED, in a row, after which the session is given up.
 *
 * @example
 * ```ts
 * import { MAX_FAILED_RESUMES, verdict } from "@discordgateway/edge/gateway";
 *
 * const session = { sessionId: "a", sequence: 9, resumeGatewayUrl: null, shardId: 0, shardCount: 1 };
 * const { action } = verdict({ cause: "connection_lost", session, failedResumes: MAX_FAILED_RESUMES });
 * if (action !== "identify") throw new Error(action);
 * ```
 */
export const MAX_FAILED_RESUMES = 3;

/** What {@linkcode verdict} weighs. */
export interface VerdictInput {
  /** How the connection ended. */
  readonly cause: EndCause;
  /** The session as it was then, `null` without one. */
  readonly session: SessionRecord | null;
  /** Resumes in a row that ended before RESUMED, this one included; failed dials do not count. */
  readonly failedResumes: number;
}

/** What to do next. */
export interface Verdict {
  /** What follows. */
  readonly action: VerdictAction;
  /** The session that is left: the one given (its URL dropped if need be), or `null`. */
  readonly session: SessionRecord | null;
  /** How long to wait first. */
  readonly delay: VerdictDelay;
  /** Why, in a sentence for a log line. */
  readonly why: string;
}

/**
 * Looks up what follows an end. Pure: the delay's length is {@linkcode delayMs}'s business.
 *
 * @example
 * ```ts
 * import { verdict } from "@discordgateway/edge/gateway";
 *
 * const session = { sessionId: "a", sequence: 9, resumeGatewayUrl: null, shardId: 0, shardCount: 1 };
 * if (verdict({ cause: "zombie", session, failedResumes: 0 }).action !== "resume") throw new Error("unexpected");
 * if (verdict({ cause: "zombie", session: null, failedResumes: 0 }).action !== "identify") throw new Error("unexpected");
 * if (verdict({ cause: "zombie", session, failedResumes: 3 }).action !== "identify") throw new Error("unexpected");
 * ```
 */
export function verdict({ cause, session, failedResumes }: VerdictInput): Verdict {
  const { action, delay, dropResumeUrl, why } = VERDICTS[cause];
  if (action === "stop") {
    return { action, session: cause === "closed_ending_session" ? null : session, delay, why };
  }
  if (action === "identify" || session === null || failedResumes >= MAX_FAILED_RESUMES) {
    return { action: "identify", session: null, delay, why };
  }
  return { action, session: dropResumeUrl ? { ...session, resumeGatewayUrl: null } : session, delay, why };
}

/** The shortest wait after op 9, and how much is added at most, in ms. */
const INVALID_SESSION_MIN_MS = 1_000;
const INVALID_SESSION_SPREAD_MS = 4_000;

/**
 * The length of a wait in ms.
 *
 * @param delay The verdict's word for it.
 * @param backoffMs What the backoff asks for: 0 after a connection that proved itself.
 * @param random A random number in [0, 1).
 *
 * @example
 * ```ts
 * import { delayMs } from "@discordgateway/edge/gateway";
 *
 * if (delayMs("none", 0, 0.5) !== 0 || delayMs("invalid_session", 0, 0.5) !== 3_000) throw new Error("unexpected");
 * if (delayMs("backoff", 8_000, 0.5) !== 8_000) throw new Error("unexpected");
 * ```
 */
export function delayMs(delay: VerdictDelay, backoffMs: number, random: number): number {
  if (delay !== "invalid_session") return backoffMs;
  return Math.max(backoffMs, INVALID_SESSION_MIN_MS + random * INVALID_SESSION_SPREAD_MS);
}

/**
 * How it ended → what next: the whole reconnection policy, one pure table.
 *
 * A resume costs nothing and Discord refuses it with op 9 at worst, while identifies are limited to a thousand a day and
 * running out resets the token. So whatever does not make a resume pointless is answered by a resume.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
 */

import type { SessionRecord } from "./session.ts";
import {
  CODE_VERDICTS,
  type CodeCause,
  type VerdictAction,
  type VerdictDelay,
  type VerdictRow,
} from "./close_code.ts";
import type { EndCause } from "./transitions.ts";

// The marks tell a bundler that it may drop the table where nobody reads it.
// @__NO_SIDE_EFFECTS__
const stop = (why: string): VerdictRow => ({ action: "stop", delay: "none", why });
// @__NO_SIDE_EFFECTS__
const resume = (why: string): VerdictRow => ({ action: "resume", delay: "backoff", why });
// @__NO_SIDE_EFFECTS__
const resumeNow = (why: string): VerdictRow => ({ action: "resume", delay: "none", why });
// @__NO_SIDE_EFFECTS__
const identify = (why: string): VerdictRow => ({ action: "identify", delay: "backoff", why });

/** One row per cause that is no close code of a table. */
const OTHER_VERDICTS: { readonly [Cause in Exclude<EndCause, CodeCause>]: VerdictRow } = {
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
 * One row per cause. Those of close codes come from the table of close codes.
 *
 * @example
 * ```ts
 * import { VERDICTS } from "@discordgateway/edge/gateway";
 *
 * if (VERDICTS.close_4004.action !== "stop") throw new Error("a wrong token is final");
 * if (VERDICTS.reconnect.action !== "resume") throw new Error("op 7 asks for a resume");
 * ```
 */
export const VERDICTS: { readonly [Cause in EndCause]: VerdictRow } = /* @__PURE__ */ Object.assign(
  {},
  CODE_VERDICTS,
  OTHER_VERDICTS,
);

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

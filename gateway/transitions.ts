/**
 * The gateway's state machine as data. `machine.ts` steps through {@linkcode TRANSITIONS} and ends by {@linkcode ENDS}; the
 * diagram in DESIGN.md is drawn from the same two tables, so it cannot differ from the code.
 */

import { type CodeCause, isCodeCause } from "./close_code.ts";
import type { MachineTables } from "./machine.ts";

/** Where a connection stands. */
export type GatewayPhase =
  | "awaiting_hello"
  | "awaiting_permit"
  | "identifying"
  | "resuming"
  | "live"
  | "closed";

/** What moves a connection on. */
export type GatewayTrigger = "HELLO, no session" | "HELLO, session" | "permit" | "READY" | "RESUMED";

/**
 * Every step of a connection but its end. A trigger without a row leaves the phase as it is.
 *
 * @example
 * ```ts
 * import { TRANSITIONS } from "@discordgateway/edge/gateway";
 *
 * if (TRANSITIONS.awaiting_permit?.permit !== "identifying") throw new Error("unexpected");
 * ```
 */
export const TRANSITIONS: {
  readonly [From in GatewayPhase]?: { readonly [On in GatewayTrigger]?: GatewayPhase };
} = {
  awaiting_hello: { "HELLO, no session": "awaiting_permit", "HELLO, session": "resuming" },
  awaiting_permit: { permit: "identifying" },
  identifying: { READY: "live" },
  // Discord never responds to a resume with READY. Should it, this is the session from then on.
  resuming: { RESUMED: "live", READY: "live" },
  live: { READY: "live" },
};

/** What goes out or is asked for on a trigger, for the diagram. */
export const EFFECTS: { readonly [On in GatewayTrigger]?: string } = {
  "HELLO, no session": "ask the identify limiter",
  "HELLO, session": "send RESUME",
  permit: "send IDENTIFY",
};

/** Why a connection ended, or could not begin. */
export type EndCause =
  | CloseCause
  | "connection_lost"
  | "reconnect"
  | "invalid_session"
  | "invalid_session_resumable"
  | "zombie"
  | "hello_timeout"
  | "ready_timeout"
  | "resumed_timeout"
  | "frame_error"
  | "protocol_error"
  | "write_failed"
  | "identify_refused"
  | "identify_limiter_failed"
  | "consumer_behind"
  | "closed_keeping_session"
  | "closed_ending_session"
  | "dial_failed"
  | "gateway_bot_failed"
  | "gateway_bot_unauthorized";

/** Discord closed the connection with a code of its tables, or with any other one. */
export type CloseCause = CodeCause | "close_other";

/** The causes that a state reports itself; the others belong to the time before there is a connection. */
export type StateEndCause = Exclude<
  EndCause,
  "dial_failed" | "gateway_bot_failed" | "gateway_bot_unauthorized"
>;

/** In which phases each cause can end a state. */
const OPEN: readonly GatewayPhase[] = [
  "awaiting_hello",
  "awaiting_permit",
  "identifying",
  "resuming",
  "live",
];
const AFTER_HELLO: readonly GatewayPhase[] = ["awaiting_permit", "identifying", "resuming", "live"];

/**
 * The phases that each cause can end; `close_*` stands for every close code.
 *
 * @example
 * ```ts
 * import { ENDS } from "@discordgateway/edge/gateway";
 *
 * if (ENDS.ready_timeout.join() !== "identifying") throw new Error("unexpected");
 * ```
 */
export const ENDS: {
  readonly [Cause in Exclude<StateEndCause, `close_${string}`> | "close_*"]: readonly GatewayPhase[];
} = {
  "close_*": OPEN,
  connection_lost: OPEN,
  reconnect: OPEN,
  invalid_session: OPEN,
  invalid_session_resumable: OPEN,
  frame_error: OPEN,
  write_failed: OPEN,
  closed_keeping_session: OPEN,
  closed_ending_session: OPEN,
  consumer_behind: OPEN,
  protocol_error: OPEN,
  zombie: AFTER_HELLO,
  hello_timeout: ["awaiting_hello"],
  identify_refused: ["awaiting_permit"],
  identify_limiter_failed: ["awaiting_permit"],
  ready_timeout: ["identifying"],
  resumed_timeout: ["resuming"],
};

/** Both tables, as a machine reads them. */
export const TABLES: MachineTables<GatewayPhase, GatewayTrigger> = {
  initial: "awaiting_hello",
  transitions: TRANSITIONS,
  ends: ENDS,
};

/**
 * The cause that a received close code stands for; `null` (no code, a cut) is a lost connection, and so are 0, 1005 and
 * 1006, by which runtimes say the same.
 *
 * @example
 * ```ts
 * import { closeCause } from "@discordgateway/edge/gateway";
 *
 * if (closeCause(4004) !== "close_4004" || closeCause(4321) !== "close_other") throw new Error("unexpected");
 * if (closeCause(null) !== "connection_lost") throw new Error("unexpected");
 * ```
 */
export function closeCause(code: number | null): CloseCause | "connection_lost" {
  if (code === null || code === 0 || code === 1005 || code === 1006) return "connection_lost";
  const cause = `close_${code}`;
  return isCodeCause(cause) ? cause : "close_other";
}

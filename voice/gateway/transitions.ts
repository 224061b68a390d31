/**
 * The voice gateway's state machine as data. `gateway/machine.ts` steps through {@linkcode VOICE_TRANSITIONS} and ends by
 * {@linkcode VOICE_ENDS}; the diagram in DESIGN.md is drawn from the same two tables.
 */

import type { MachineTables } from "../../gateway/machine.ts";
import { isVoiceCodeCause, type VoiceCodeCause } from "../wire/close_code.ts";

/** Where a voice connection stands. */
export type VoicePhase =
  | "awaiting_hello"
  | "identifying"
  | "discovering"
  | "selecting"
  | "resuming"
  | "live"
  | "closed";

/** What moves a voice connection on. */
export type VoiceTrigger =
  | "HELLO, no session"
  | "HELLO, session"
  | "READY"
  | "address"
  | "SESSION_DESCRIPTION"
  | "RESUMED";

/**
 * Every step of a voice connection but its end. A trigger without a row leaves the phase as it is.
 *
 * @example
 * ```ts
 * import { VOICE_TRANSITIONS } from "@discordgateway/edge/voice/core";
 *
 * if (VOICE_TRANSITIONS.discovering?.address !== "selecting") throw new Error("unexpected");
 * ```
 */
export const VOICE_TRANSITIONS: {
  readonly [From in VoicePhase]?: { readonly [On in VoiceTrigger]?: VoicePhase };
} = {
  awaiting_hello: { "HELLO, no session": "identifying", "HELLO, session": "resuming" },
  identifying: { READY: "discovering" },
  discovering: { address: "selecting" },
  selecting: { SESSION_DESCRIPTION: "live" },
  resuming: { RESUMED: "live" },
};

/** What goes out or is asked for on a trigger, for the diagram. */
export const VOICE_EFFECTS: { readonly [On in VoiceTrigger]?: string } = {
  "HELLO, no session": "send IDENTIFY",
  "HELLO, session": "send RESUME",
  READY: "ask for an address",
  address: "send SELECT_PROTOCOL",
  SESSION_DESCRIPTION: "deliver the key",
};

/** Why a voice connection ended, or could not begin. */
export type VoiceEndCause =
  | VoiceCloseCause
  | "connection_lost"
  | "zombie"
  | "hello_timeout"
  | "ready_timeout"
  | "session_description_timeout"
  | "resumed_timeout"
  | "frame_error"
  | "protocol_error"
  | "no_common_mode"
  | "write_failed"
  | "media_failed"
  | "closed"
  | "dial_failed";

/** Discord closed the connection with a code of its table, with one below 4000, or with any other one. */
export type VoiceCloseCause = VoiceCodeCause | "close_below_4000" | "close_other";

/** The causes that a state reports itself; a dial that failed belongs to the time before there is a connection. */
export type VoiceStateEndCause = Exclude<VoiceEndCause, "dial_failed">;

const OPEN: readonly VoicePhase[] = [
  "awaiting_hello",
  "identifying",
  "discovering",
  "selecting",
  "resuming",
  "live",
];
const AFTER_HELLO: readonly VoicePhase[] = OPEN.slice(1);
const AFTER_READY: readonly VoicePhase[] = OPEN.slice(2);

/**
 * The phases that each cause can end; `close_*` stands for every close code.
 *
 * @example
 * ```ts
 * import { VOICE_ENDS } from "@discordgateway/edge/voice/core";
 *
 * if (VOICE_ENDS.session_description_timeout.join() !== "selecting") throw new Error("unexpected");
 * ```
 */
export const VOICE_ENDS: {
  readonly [Cause in Exclude<VoiceStateEndCause, `close_${string}`> | "close_*"]: readonly VoicePhase[];
} = {
  "close_*": OPEN,
  connection_lost: OPEN,
  frame_error: OPEN,
  protocol_error: OPEN,
  write_failed: OPEN,
  closed: OPEN,
  zombie: AFTER_HELLO,
  hello_timeout: ["awaiting_hello"],
  ready_timeout: ["identifying"],
  no_common_mode: ["identifying"],
  session_description_timeout: ["selecting"],
  resumed_timeout: ["resuming"],
  media_failed: AFTER_READY,
};

/** Both tables, as a machine reads them. */
export const VOICE_TABLES: MachineTables<VoicePhase, VoiceTrigger> = {
  initial: "awaiting_hello",
  transitions: VOICE_TRANSITIONS,
  ends: VOICE_ENDS,
};

/**
 * The cause that a received close code stands for; `null` (no code, a cut) is a lost connection, and so are 0, 1005 and
 * 1006, by which runtimes say the same.
 *
 * @example
 * ```ts
 * import { voiceCloseCause } from "@discordgateway/edge/voice/core";
 *
 * if (voiceCloseCause(4015) !== "close_4015" || voiceCloseCause(1001) !== "close_below_4000") throw new Error("unexpected");
 * if (voiceCloseCause(4321) !== "close_other" || voiceCloseCause(1006) !== "connection_lost") throw new Error("unexpected");
 * ```
 */
export function voiceCloseCause(code: number | null): VoiceCloseCause | "connection_lost" {
  if (code === null || code === 0 || code === 1005 || code === 1006) return "connection_lost";
  if (code < 4000) return "close_below_4000";
  const cause = `close_${code}`;
  return isVoiceCodeCause(cause) ? cause : "close_other";
}

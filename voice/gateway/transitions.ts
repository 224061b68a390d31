/**
 * The voice connection's machine as data. The state steps through {@linkcode VOICE_TRANSITIONS} and ends by
 * {@linkcode VOICE_ENDS}; the diagram in DESIGN.md is drawn from the same two tables.
 */

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

/** One row of {@linkcode VOICE_TRANSITIONS}. */
export interface VoiceTransitionRow {
  /** The phase it starts in. */
  readonly from: VoicePhase;
  /** What happens. */
  readonly on: VoiceTrigger;
  /** The phase it leads to. */
  readonly to: VoicePhase;
  /** What goes out or is asked for on the way. */
  readonly does?: string;
}

/**
 * Every step of a voice connection's life but its end. A trigger without a row leaves the phase as it is.
 *
 * @example
 * ```ts
 * import { VOICE_TRANSITIONS } from "@discordgateway/edge/voice/core";
 *
 * const row = VOICE_TRANSITIONS.find((row) => row.on === "address");
 * if (row?.to !== "selecting") throw new Error("unexpected");
 * ```
 */
export const VOICE_TRANSITIONS: readonly VoiceTransitionRow[] = [
  { from: "awaiting_hello", on: "HELLO, no session", to: "identifying", does: "send IDENTIFY" },
  { from: "awaiting_hello", on: "HELLO, session", to: "resuming", does: "send RESUME" },
  { from: "identifying", on: "READY", to: "discovering", does: "ask for an address" },
  { from: "discovering", on: "address", to: "selecting", does: "send SELECT_PROTOCOL" },
  { from: "selecting", on: "SESSION_DESCRIPTION", to: "live", does: "hand out the key" },
  { from: "resuming", on: "RESUMED", to: "live" },
];

/**
 * The next phase by the table, `null` if the trigger means nothing in this phase.
 *
 * @example
 * ```ts
 * import { nextVoicePhase } from "@discordgateway/edge/voice/core";
 *
 * if (nextVoicePhase("resuming", "RESUMED") !== "live") throw new Error("unexpected");
 * if (nextVoicePhase("live", "READY") !== null) throw new Error("unexpected");
 * ```
 */
export function nextVoicePhase(from: VoicePhase, on: VoiceTrigger): VoicePhase | null {
  return VOICE_TRANSITIONS.find((row) => row.from === from && row.on === on)?.to ?? null;
}

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
export type VoiceCloseCause =
  | "close_below_4000"
  | "close_4001"
  | "close_4002"
  | "close_4003"
  | "close_4004"
  | "close_4005"
  | "close_4006"
  | "close_4009"
  | "close_4011"
  | "close_4012"
  | "close_4013"
  | "close_4014"
  | "close_4015"
  | "close_4016"
  | "close_4017"
  | "close_4020"
  | "close_4021"
  | "close_4022"
  | "close_other";

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

/** One row of {@linkcode VOICE_ENDS}. */
export interface VoiceEndRow {
  /** The cause; `close_*` stands for every close code. */
  readonly cause: Exclude<VoiceStateEndCause, VoiceCloseCause> | "close_*";
  /** The phases that it can end. */
  readonly from: readonly VoicePhase[];
}

/**
 * Every way into `closed`.
 *
 * @example
 * ```ts
 * import { VOICE_ENDS } from "@discordgateway/edge/voice/core";
 *
 * const timeout = VOICE_ENDS.find((row) => row.cause === "session_description_timeout");
 * if (timeout?.from.join() !== "selecting") throw new Error("unexpected");
 * ```
 */
export const VOICE_ENDS: readonly VoiceEndRow[] = [
  { cause: "close_*", from: OPEN },
  { cause: "connection_lost", from: OPEN },
  { cause: "frame_error", from: OPEN },
  { cause: "protocol_error", from: OPEN },
  { cause: "write_failed", from: OPEN },
  { cause: "closed", from: OPEN },
  { cause: "zombie", from: AFTER_HELLO },
  { cause: "hello_timeout", from: ["awaiting_hello"] },
  { cause: "ready_timeout", from: ["identifying"] },
  { cause: "no_common_mode", from: ["identifying"] },
  { cause: "session_description_timeout", from: ["selecting"] },
  { cause: "resumed_timeout", from: ["resuming"] },
  { cause: "media_failed", from: AFTER_READY },
];

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
  return CLOSE_CAUSES.find((cause) => cause === `close_${code}`) ?? "close_other";
}

const CLOSE_CAUSES: readonly VoiceCloseCause[] = [
  "close_4001",
  "close_4002",
  "close_4003",
  "close_4004",
  "close_4005",
  "close_4006",
  "close_4009",
  "close_4011",
  "close_4012",
  "close_4013",
  "close_4014",
  "close_4015",
  "close_4016",
  "close_4017",
  "close_4020",
  "close_4021",
  "close_4022",
];

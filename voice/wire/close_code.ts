/**
 * Why a voice connection was closed.
 *
 * One row holds a code, what follows it, and why. The names, the causes of an end, the rows of the verdict table and those
 * for tools derive from it.
 */

/**
 * What follows: nothing more; the same session on a new connection to the same endpoint; op 4 on the main gateway and a
 * new session; or to wait for what the main gateway says.
 */
export type VoiceVerdictAction = "stop" | "resume" | "rejoin" | "wait";

/** How long to wait first: `none` only for the first time in a row, `backoff` growing with every failure. */
export type VoiceVerdictDelay = "none" | "backoff";

/** One row of the verdict table. */
export interface VoiceVerdictRow {
  /** What follows. Without a session a resume becomes a rejoin. */
  readonly action: VoiceVerdictAction;
  /** How long to wait first. */
  readonly delay: VoiceVerdictDelay;
  /** Why, in a sentence for a log line. */
  readonly why: string;
}

type Row = readonly [code: number, action: VoiceVerdictAction, why: string];

/**
 * The codes that Discord documents, in ascending order.
 *
 * @internal
 */
export const VOICE_CODES = {
  UnknownOpcode: [4001, "rejoin", "The voice server did not know an opcode"],
  FailedToDecode: [4002, "rejoin", "The voice server could not decode a payload"],
  NotAuthenticated: [4003, "rejoin", "The voice server got a payload before the identify"],
  AuthenticationFailed: [
    4004,
    "rejoin",
    "The voice server's token is not valid; joining anew brings another",
  ],
  AlreadyAuthenticated: [4005, "rejoin", "The voice server got a second identify"],
  SessionNoLongerValid: [4006, "rejoin", "The voice session is no longer valid"],
  SessionTimeout: [4009, "rejoin", "The voice session timed out"],
  ServerNotFound: [4011, "rejoin", "The voice server was not found"],
  UnknownProtocol: [4012, "rejoin", "The voice server did not know the protocol"],
  Disconnected: [4014, "wait", "Disconnected, moved, or without a channel; the main gateway says which"],
  VoiceServerCrashed: [4015, "resume", "The voice server crashed"],
  UnknownEncryptionMode: [4016, "rejoin", "The voice server did not know the encryption mode"],
  DaveProtocolRequired: [4017, "stop", "The call requires DAVE, and this client did not offer it"],
  BadRequest: [4020, "rejoin", "The voice server got a malformed payload"],
  RateLimited: [4021, "wait", "The voice server counted too many payloads and wants no reconnect"],
  CallTerminated: [
    4022,
    "wait",
    "The call has ended or moved to another server; the main gateway says which",
  ],
} as const satisfies Readonly<Record<string, Row>>;

/**
 * Those that it sends all the same.
 *
 * @internal
 */
export const UNDOCUMENTED_VOICE_CODES = {
  WebRtcCrashed: [4013, "resume", "The voice server's media part crashed"],
} as const satisfies Readonly<Record<string, Row>>;

type Coded = typeof VOICE_CODES & typeof UNDOCUMENTED_VOICE_CODES;

/** The cause of an end by a close code that has a row. */
export type VoiceCodeCause = `close_${
  | typeof VOICE_CODES[keyof typeof VOICE_CODES][0]
  | typeof UNDOCUMENTED_VOICE_CODES[keyof typeof UNDOCUMENTED_VOICE_CODES][0]}`;

/** More about a code for the person who runs the bot: what happened and what to do about it. */
const EXPLANATIONS: { readonly [Name in keyof Coded]?: string } = {
  UnknownOpcode: "A sent payload had an opcode that the voice server does not know",
  FailedToDecode: "A sent payload could not be decoded",
  NotAuthenticated: "A payload was sent before the identify",
  AuthenticationFailed: "The voice server's token is wrong: the channel must be joined anew",
  AlreadyAuthenticated: "A second identify was sent on one connection",
  SessionNoLongerValid: "The voice session has ended: the channel must be joined anew",
  SessionTimeout: "The voice session was away for too long: the channel must be joined anew",
  ServerNotFound: "The voice server was not found: the channel must be joined anew",
  UnknownProtocol: "The protocol that was selected is unknown to the voice server",
  Disconnected:
    "The bot was disconnected or moved, the channel was deleted, or the main session was dropped: the main gateway says which",
  VoiceServerCrashed: "The voice server crashed, and the session can be resumed",
  UnknownEncryptionMode: "The voice server does not know the encryption mode that was selected",
  DaveProtocolRequired:
    "The call is end-to-end encrypted, and this client did not offer the DAVE protocol: give the voice connection a DAVE implementation",
  BadRequest: "A sent payload was malformed",
  RateLimited: "Too many payloads were sent: the voice server wants no reconnect",
  CallTerminated: "The call has ended, or goes on on another server: the main gateway says which",
  WebRtcCrashed: "The server's media part crashed",
};

/**
 * Discord's voice close codes, by Discord's names.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-close-event-codes
 *
 * @example
 * ```ts
 * import { VoiceCloseCode } from "@discordgateway/edge/voice";
 *
 * if (VoiceCloseCode.Disconnected !== 4014) throw new Error("unexpected");
 * ```
 */
export const VoiceCloseCode: { readonly [Name in keyof typeof VOICE_CODES]: typeof VOICE_CODES[Name][0] } =
  /* @__PURE__ */ codes();

/** One of the close codes in the constant of the same name. */
export type VoiceCloseCode = typeof VoiceCloseCode[keyof typeof VoiceCloseCode];

/** What one voice close code means. */
export interface VoiceCloseCodeRow {
  /** The number in the close frame. */
  readonly code: number;
  /** Discord's name for it. */
  readonly name: string;
  /** One sentence for the person who runs the bot: what happened and what to do about it. */
  readonly explanation: string;
  /** Whether Discord documents it. */
  readonly documented: boolean;
}

/**
 * Every close code of Discord's voice gateway, in ascending order, the undocumented 4013 included.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-close-event-codes
 *
 * @example
 * ```ts
 * import { VOICE_CLOSE_CODES } from "@discordgateway/edge/voice/core";
 *
 * const required = VOICE_CLOSE_CODES.find((row) => row.code === 4017);
 * if (!required?.explanation.includes("DAVE")) throw new Error("unexpected");
 * ```
 */
export const VOICE_CLOSE_CODES: readonly VoiceCloseCodeRow[] = /* @__PURE__ */ rows();

/** The verdict table's part for close codes. */
export const VOICE_CODE_VERDICTS: { readonly [Cause in VoiceCodeCause]: VoiceVerdictRow } =
  /* @__PURE__ */ verdicts();

/** Whether the cause is that of a close code with a row. */
export function isVoiceCodeCause(cause: string): cause is VoiceCodeCause {
  return Object.hasOwn(VOICE_CODE_VERDICTS, cause);
}

/**
 * Explains a voice close code to the person who runs the bot.
 *
 * @example
 * ```ts
 * import { describeVoiceCloseCode } from "@discordgateway/edge/voice";
 *
 * if (!describeVoiceCloseCode(4015).includes("crashed")) throw new Error("unexpected");
 * if (!describeVoiceCloseCode(4999).includes("4999")) throw new Error("unexpected");
 * ```
 */
export function describeVoiceCloseCode(code: number): string {
  const known = VOICE_CLOSE_CODES.find((one) => one.code === code);
  return known
    ? `${known.code} ${known.name}: ${known.explanation}`
    : `${code}: not in Discord's voice table`;
}

// Keys and values of what these return are the table's own, which `Object.fromEntries` cannot express.

function codes(): typeof VoiceCloseCode {
  return Object.fromEntries(
    Object.entries(VOICE_CODES).map(([name, [code]]) => [name, code]),
  ) as typeof VoiceCloseCode;
}

function verdicts(): typeof VOICE_CODE_VERDICTS {
  const rows: readonly Row[] = Object.values({ ...VOICE_CODES, ...UNDOCUMENTED_VOICE_CODES });
  const isDelayed = (action: VoiceVerdictAction) => action === "resume" || action === "rejoin";
  return Object.fromEntries(
    rows.map(([code, action, why]) => [
      `close_${code}`,
      { action, delay: isDelayed(action) ? "backoff" : "none", why },
    ]),
  ) as typeof VOICE_CODE_VERDICTS;
}

function rows(): VoiceCloseCodeRow[] {
  const table: Coded = { ...VOICE_CODES, ...UNDOCUMENTED_VOICE_CODES };
  const row = (name: keyof Coded): VoiceCloseCodeRow => {
    const [code, , why] = table[name];
    return { code, name, explanation: EXPLANATIONS[name] ?? why, documented: name in VOICE_CODES };
  };
  return (Object.keys(table) as (keyof Coded)[]).map(row).sort((a, b) => a.code - b.code);
}

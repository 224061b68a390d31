/**
 * Why a voice connection was closed.
 *
 * The table explains; what to do next is decided in `verdict.ts`, from more than the code.
 */

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
export const VoiceCloseCode = {
  UnknownOpcode: 4001,
  FailedToDecode: 4002,
  NotAuthenticated: 4003,
  AuthenticationFailed: 4004,
  AlreadyAuthenticated: 4005,
  SessionNoLongerValid: 4006,
  SessionTimeout: 4009,
  ServerNotFound: 4011,
  UnknownProtocol: 4012,
  Disconnected: 4014,
  VoiceServerCrashed: 4015,
  UnknownEncryptionMode: 4016,
  DaveProtocolRequired: 4017,
  BadRequest: 4020,
  RateLimited: 4021,
  CallTerminated: 4022,
} as const;

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

function row(code: number, name: string, explanation: string): VoiceCloseCodeRow {
  return { code, name, explanation, documented: true };
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
export const VOICE_CLOSE_CODES: readonly VoiceCloseCodeRow[] = [
  row(4001, "UnknownOpcode", "A sent payload had an opcode that the voice server does not know"),
  row(4002, "FailedToDecode", "A sent payload could not be decoded"),
  row(4003, "NotAuthenticated", "A payload was sent before the identify"),
  row(4004, "AuthenticationFailed", "The voice server's token is wrong: the channel must be joined anew"),
  row(4005, "AlreadyAuthenticated", "A second identify was sent on one connection"),
  row(4006, "SessionNoLongerValid", "The voice session has ended: the channel must be joined anew"),
  row(4009, "SessionTimeout", "The voice session was away for too long: the channel must be joined anew"),
  row(4011, "ServerNotFound", "The voice server was not found: the channel must be joined anew"),
  row(4012, "UnknownProtocol", "The protocol that was selected is unknown to the voice server"),
  { code: 4013, name: "WebRtcCrashed", explanation: "The server's media part crashed", documented: false },
  row(
    4014,
    "Disconnected",
    "The bot was disconnected or moved, the channel was deleted, or the main session was dropped: " +
      "the main gateway says which",
  ),
  row(4015, "VoiceServerCrashed", "The voice server crashed, and the session can be resumed"),
  row(4016, "UnknownEncryptionMode", "The voice server does not know the encryption mode that was selected"),
  row(
    4017,
    "DaveProtocolRequired",
    "The call is end-to-end encrypted, and this client did not offer the DAVE protocol: " +
      "give the voice connection a DAVE implementation",
  ),
  row(4020, "BadRequest", "A sent payload was malformed"),
  row(4021, "RateLimited", "Too many payloads were sent: the voice server wants no reconnect"),
  row(
    4022,
    "CallTerminated",
    "The call has ended, or goes on on another server: the main gateway says which",
  ),
];

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

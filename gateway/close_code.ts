/**
 * Why a gateway connection was closed, and which codes we may close it with.
 *
 * One table holds what Discord says by a code; it explains, and marks the codes after which no attempt can succeed
 * before a human has changed something. What to do after the others (resume, identify, how soon) is decided in one
 * place of its own, from more than the code. The codes that we send are two intents: end the session, or keep it.
 */

/**
 * Discord's close codes by Discord's names.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
 *
 * @example
 * ```ts
 * import { GatewayCloseCode } from "@discordgateway/edge/gateway";
 *
 * if (GatewayCloseCode.AuthenticationFailed !== 4004) throw new Error("unexpected");
 * ```
 */
export const GatewayCloseCode = {
  UnknownError: 4000,
  UnknownOpcode: 4001,
  DecodeError: 4002,
  NotAuthenticated: 4003,
  AuthenticationFailed: 4004,
  AlreadyAuthenticated: 4005,
  InvalidSeq: 4007,
  RateLimited: 4008,
  SessionTimedOut: 4009,
  InvalidShard: 4010,
  ShardingRequired: 4011,
  InvalidAPIVersion: 4012,
  InvalidIntents: 4013,
  DisallowedIntents: 4014,
} as const;

/** One of the close codes in the constant of the same name. */
export type GatewayCloseCode = typeof GatewayCloseCode[keyof typeof GatewayCloseCode];

/** What one close code means. */
export interface CloseCodeRow {
  /** The number in the close frame. */
  readonly code: number;
  /** Discord's name for it. */
  readonly name: string;
  /** One sentence for the person who runs the bot: what happened and what to do about it. */
  readonly explanation: string;
  /** Whether every further attempt would end the same way until a human changes the bot's settings. */
  readonly fatal: boolean;
}

/**
 * Every close code of Discord's gateway, in ascending order, the removed 4006 included.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
 *
 * @example
 * ```ts
 * import { CLOSE_CODES } from "@discordgateway/edge/gateway";
 *
 * const fatal = CLOSE_CODES.filter((row) => row.fatal).map((row) => row.code);
 * if (fatal.join() !== "4004,4010,4011,4012,4013,4014") throw new Error(`unexpected: ${fatal}`);
 * ```
 */
export const CLOSE_CODES: readonly CloseCodeRow[] = [
  {
    code: 4000,
    name: "UnknownError",
    explanation: "Discord had a fault of its own, and there is nothing to do but reconnect",
    fatal: false,
  },
  {
    code: 4001,
    name: "UnknownOpcode",
    explanation: "A sent payload had an opcode or a body that Discord does not know: check the last command",
    fatal: false,
  },
  {
    code: 4002,
    name: "DecodeError",
    explanation: "A sent payload was not valid JSON or was over 4096 bytes: check the last command",
    fatal: false,
  },
  {
    code: 4003,
    name: "NotAuthenticated",
    explanation: "A payload was sent before the identify, or after Discord had invalidated the session",
    fatal: false,
  },
  {
    code: 4004,
    name: "AuthenticationFailed",
    explanation:
      "The bot token is wrong or was reset: take a new one from the Bot page of the developer portal",
    fatal: true,
  },
  {
    code: 4005,
    name: "AlreadyAuthenticated",
    explanation: "A second identify was sent on a connection that had identified already",
    fatal: false,
  },
  {
    code: 4006,
    name: "SessionNoLongerValid",
    explanation: "The session has ended (Discord has removed this code), and a new one must be started",
    fatal: false,
  },
  {
    code: 4007,
    name: "InvalidSeq",
    explanation:
      "The resume named a sequence number that the session does not have, and a new one must be started",
    fatal: false,
  },
  {
    code: 4008,
    name: "RateLimited",
    explanation: "More than 120 payloads were sent within 60 seconds: send fewer commands",
    fatal: false,
  },
  {
    code: 4009,
    name: "SessionTimedOut",
    explanation: "The session was away for too long, and a new one must be started",
    fatal: false,
  },
  {
    code: 4010,
    name: "InvalidShard",
    explanation: "The shard id or the shard count is not allowed: the id must be below the count, " +
      "and a large bot's count a multiple of the one that Discord assigned",
    fatal: true,
  },
  {
    code: 4011,
    name: "ShardingRequired",
    explanation: "One shard would have more than 2500 guilds: start the bot with more shards",
    fatal: true,
  },
  {
    code: 4012,
    name: "InvalidAPIVersion",
    explanation: "The gateway URL asks for an API version that Discord does not serve: update this package",
    fatal: true,
  },
  {
    code: 4013,
    name: "InvalidIntents",
    explanation: "The intents are missing or have a bit that Discord does not know: check the intents given",
    fatal: true,
  },
  {
    code: 4014,
    name: "DisallowedIntents",
    explanation: "A privileged intent was asked for without permission: " +
      "enable it on the Bot page of the developer portal, or ask for fewer events",
    fatal: true,
  },
];

/**
 * Our close code for "keep the session": private, so Discord keeps it resumable for a few minutes.
 *
 * Never 1001 or 1012 instead: most runtimes refuse to send them, and 1001 ends the session.
 *
 * @see https://docs.discord.com/developers/events/gateway#disconnecting
 *
 * @example
 * ```ts
 * import { isSendableCloseCode, KEEP_SESSION_CLOSE_CODE } from "@discordgateway/edge/gateway";
 *
 * if (!isSendableCloseCode(KEEP_SESSION_CLOSE_CODE)) throw new Error("unexpected");
 * ```
 */
export const KEEP_SESSION_CLOSE_CODE = 4200;

/**
 * Our close code for "end the session": the bot goes offline at once and the session can't be resumed.
 *
 * @see https://docs.discord.com/developers/events/gateway#disconnecting
 *
 * @example
 * ```ts
 * import { END_SESSION_CLOSE_CODE, isSendableCloseCode } from "@discordgateway/edge/gateway";
 *
 * if (!isSendableCloseCode(END_SESSION_CLOSE_CODE)) throw new Error("unexpected");
 * ```
 */
export const END_SESSION_CLOSE_CODE = 1000;

/**
 * Whether `WebSocket.close()` takes this code on every runtime: 1000, or an integer from 3000 to 4999.
 *
 * @example
 * ```ts
 * import { isSendableCloseCode } from "@discordgateway/edge/gateway";
 *
 * if (!isSendableCloseCode(4200) || isSendableCloseCode(1001)) throw new Error("unexpected");
 * ```
 */
export function isSendableCloseCode(code: number): boolean {
  return code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999);
}

/** Codes that are not Discord's own; 1005 and 1006 are how some runtimes say that there was none. */
const OTHER_EXPLANATIONS: ReadonlyMap<number, string> = new Map([
  [END_SESSION_CLOSE_CODE, "NormalClosure: The connection was closed on purpose"],
  [1001, "GoingAway: The server is going away"],
  [1011, "InternalError: The server, or a proxy before it, had a fault"],
  [1012, "ServiceRestart: The server, or a proxy before it, restarts"],
  [1013, "TryAgainLater: The server, or a proxy before it, is overloaded"],
  [KEEP_SESSION_CLOSE_CODE, "KeepSession: Closed from this side, with the session kept for a resume"],
]);

/**
 * Puts a close code in words, `null` meaning that the connection ended without one.
 *
 * @example
 * ```ts
 * import { describeCloseCode } from "@discordgateway/edge/gateway";
 *
 * if (!describeCloseCode(4004).startsWith("4004 AuthenticationFailed: ")) throw new Error("unexpected");
 * if (describeCloseCode(null) !== "no close code: The connection was cut") throw new Error("unexpected");
 * ```
 */
export function describeCloseCode(code: number | null): string {
  if (code === null || code === 0 || code === 1005 || code === 1006) {
    return "no close code: The connection was cut";
  }
  const row = CLOSE_CODES.find((row) => row.code === code);
  if (row) return `${code} ${row.name}: ${row.explanation}`;
  const other = OTHER_EXPLANATIONS.get(code);
  return other ? `${code} ${other}` : `${code}: The code has no meaning known to this package`;
}

/**
 * Why a gateway connection was closed, and which codes we may close it with.
 *
 * One row holds a code, what follows it, and why. The names, the causes of an end, the rows of the verdict table and those
 * for tools derive from it. After `stop` no attempt can succeed before a person has changed something. The codes that we
 * send mean one of two things: end the session, or keep it.
 */

/** What follows: nothing more, the same session, or a new one. */
export type VerdictAction = "stop" | "resume" | "identify";

/**
 * How long to wait first: `none` only for the first time in a row, `backoff` growing with every connection that did not
 * prove itself, `invalid_session` at least 1–5 s at random.
 */
export type VerdictDelay = "none" | "backoff" | "invalid_session";

/** One row of the verdict table. */
export interface VerdictRow {
  /** What follows. Without a session a resume becomes an identify. */
  readonly action: VerdictAction;
  /** How long to wait first. */
  readonly delay: VerdictDelay;
  /** The session's own URL could not be reached: resume through the main gateway. */
  readonly dropResumeUrl?: true;
  /** Why, in a sentence for a log line. */
  readonly why: string;
}

type Row = readonly [code: number, action: VerdictAction, why: string];

/**
 * Discord's own codes, in ascending order.
 *
 * @internal
 */
export const DISCORD_CODES = {
  UnknownError: [4000, "resume", "Discord had an unknown error"],
  UnknownOpcode: [
    4001,
    "identify",
    "Discord did not understand an opcode or a body, and does not resume after that",
  ],
  DecodeError: [4002, "resume", "Discord could not decode a frame"],
  NotAuthenticated: [
    4003,
    "identify",
    "Discord got a payload before an identify, or the session was invalidated",
  ],
  AuthenticationFailed: [4004, "stop", "The token is not valid"],
  AlreadyAuthenticated: [4005, "resume", "Discord got a second identify"],
  // Discord has removed it, but compatible servers may still send it.
  SessionNoLongerValid: [4006, "identify", "The session is no longer valid"],
  InvalidSeq: [4007, "identify", "The sequence number of the resume was not valid"],
  RateLimited: [4008, "resume", "Discord counted too many frames"],
  SessionTimedOut: [4009, "identify", "The session timed out"],
  InvalidShard: [4010, "stop", "The shard is not valid"],
  ShardingRequired: [4011, "stop", "The bot is in too many guilds for one shard"],
  InvalidAPIVersion: [4012, "stop", "The API version is not valid"],
  InvalidIntents: [4013, "stop", "The intents are not valid"],
  DisallowedIntents: [4014, "stop", "An intent is privileged and not enabled for the application"],
} as const satisfies Readonly<Record<string, Row>>;

/**
 * Codes of the WebSocket protocol with a cause of their own: whether the session is still valid, only a resume tells.
 *
 * @internal
 */
export const WEBSOCKET_CODES = {
  NormalClosure: [1000, "resume", "Discord closed the connection normally"],
  GoingAway: [1001, "resume", "Discord closed the connection, since its server shuts down"],
} as const satisfies Readonly<Record<string, Row>>;

type Discord = typeof DISCORD_CODES;

/** The cause of an end by a close code that has a row. */
export type CodeCause = `close_${
  | typeof DISCORD_CODES[keyof typeof DISCORD_CODES][0]
  | typeof WEBSOCKET_CODES[keyof typeof WEBSOCKET_CODES][0]}`;

/** More about a code for the person who runs the bot: what happened and what to do about it. */
const EXPLANATIONS: { readonly [Name in keyof Discord]?: string } = {
  UnknownError: "Discord had a fault of its own, and there is nothing to do but reconnect",
  UnknownOpcode: "A sent payload had an opcode or a body that Discord does not know: check the last command",
  DecodeError: "A sent payload was not valid JSON or was over 4096 bytes: check the last command",
  NotAuthenticated: "A payload was sent before the identify, or after Discord had invalidated the session",
  AuthenticationFailed:
    "The bot token is wrong or was reset: take a new one from the Bot page of the developer portal",
  AlreadyAuthenticated: "A second identify was sent on a connection that had identified already",
  SessionNoLongerValid:
    "The session has ended (Discord has removed this code), and a new one must be started",
  InvalidSeq:
    "The resume named a sequence number that the session does not have, and a new one must be started",
  RateLimited: "More than 120 payloads were sent within 60 seconds: send fewer commands",
  SessionTimedOut: "The session was away for too long, and a new one must be started",
  InvalidShard: "The shard id or the shard count is not allowed: the id must be below the count, " +
    "and a large bot's count a multiple of the one that Discord assigned",
  ShardingRequired: "One shard would have more than 2500 guilds: start the bot with more shards",
  InvalidAPIVersion:
    "The gateway URL asks for an API version that Discord does not serve: update this package",
  InvalidIntents: "The intents are missing or have a bit that Discord does not know: check the intents given",
  DisallowedIntents: "A privileged intent was asked for without permission: " +
    "enable it on the Bot page of the developer portal, or ask for fewer events",
};

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
export const GatewayCloseCode: {
  readonly [Name in Exclude<keyof typeof DISCORD_CODES, "SessionNoLongerValid">]:
    typeof DISCORD_CODES[Name][0];
} = /* @__PURE__ */ codes();

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
export const CLOSE_CODES: readonly CloseCodeRow[] = /* @__PURE__ */ rows();

/** The verdict table's part for close codes. */
export const CODE_VERDICTS: { readonly [Cause in CodeCause]: VerdictRow } = /* @__PURE__ */ verdicts();

/** Whether the cause is that of a close code with a row. */
export function isCodeCause(cause: string): cause is CodeCause {
  return Object.hasOwn(CODE_VERDICTS, cause);
}

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

// Keys and values of what these return are the table's own, which `Object.fromEntries` cannot express.

function codes(): typeof GatewayCloseCode {
  const { SessionNoLongerValid: _, ...rows } = DISCORD_CODES;
  return Object.fromEntries(
    Object.entries(rows).map(([name, [code]]) => [name, code]),
  ) as typeof GatewayCloseCode;
}

function verdicts(): typeof CODE_VERDICTS {
  const rows: readonly Row[] = Object.values({ ...DISCORD_CODES, ...WEBSOCKET_CODES });
  return Object.fromEntries(
    rows.map(([code, action, why]) => [
      `close_${code}`,
      { action, delay: action === "stop" ? "none" : "backoff", why },
    ]),
  ) as typeof CODE_VERDICTS;
}

function rows(): CloseCodeRow[] {
  const names = Object.keys(DISCORD_CODES) as (keyof Discord)[];
  return names.map((name) => {
    const [code, action, why] = DISCORD_CODES[name];
    return { code, name, explanation: EXPLANATIONS[name] ?? why, fatal: action === "stop" };
  });
}

/** The bodies of IDENTIFY and RESUME: read, or refused with the close code that it costs. */

import { GatewayCloseCode } from "../../../gateway/close_code.ts";
import { ALL_INTENTS, PRIVILEGED_INTENTS } from "../../../gateway/intent.ts";
import { isInteger, isObject } from "../base/json.ts";
import { presenceFault } from "./command_check.ts";

/** A rule that was broken, and the close code that it costs. */
export interface Refusal {
  /** The close code. */
  readonly code: number;
  /** The rule, in plain words. */
  readonly rule: string;
}

/** An IDENTIFY that is right in itself. */
export interface IdentifyBody {
  /** The intents. */
  readonly intents: number;
  /** The shard's number and how many there are; `[0, 1]` where none was named. */
  readonly shard: readonly [id: number, count: number];
  /** Whether a shard was named. */
  readonly namedShard: boolean;
  /** From how many members on a guild is large. */
  readonly largeThreshold: number;
}

/** A RESUME that can be understood. */
export interface ResumeBody {
  /** The bare token, to be compared. */
  readonly token: string;
  /** The session. */
  readonly sessionId: string;
  /** The last sequence number that the client has. */
  readonly seq: number;
}

/** Reads the body of IDENTIFY, and checks what can be checked without its history. */
export function readIdentify(
  d: unknown,
  rules: { readonly token: string | null; readonly privilegedIntents: number },
): IdentifyBody | Refusal {
  const malformed = (rule: string): Refusal => ({ code: GatewayCloseCode.DecodeError, rule });
  if (!isObject(d)) return malformed("the body of IDENTIFY is an object");
  const { token, properties, compress, large_threshold: largeThreshold = 50, presence, capabilities } = d;
  if (typeof token !== "string") return malformed("IDENTIFY has a token");
  if (!isObject(properties)) return malformed("IDENTIFY has properties");
  for (const name of ["os", "browser", "device"]) {
    const value = properties[name] ?? properties[`$${name}`];
    if (value !== undefined && typeof value !== "string") return malformed(`properties.${name} is a string`);
  }
  if (compress !== undefined && typeof compress !== "boolean") return malformed("compress is a boolean");
  if (!isInteger(largeThreshold, 50, 250)) return malformed("large_threshold is an integer from 50 to 250");
  if (capabilities !== undefined && !isInteger(capabilities, 0)) {
    return malformed("capabilities is an integer from 0");
  }
  if (presence !== undefined && presence !== null) {
    const fault = presenceFault(presence);
    if (fault) return malformed(`presence: ${fault}`);
  }
  if (bareToken(token) !== rules.token) {
    return { code: GatewayCloseCode.AuthenticationFailed, rule: "the token is the bot's" };
  }
  return withIntents(d, largeThreshold, rules.privilegedIntents);
}

function withIntents(
  { intents, shard }: { readonly [key: string]: unknown },
  largeThreshold: number,
  allowed: number,
): IdentifyBody | Refusal {
  if (!isInteger(intents, 0) || intents > ALL_INTENTS) {
    return {
      code: GatewayCloseCode.InvalidIntents,
      rule: "IDENTIFY has intents, an integer of documented bits",
    };
  }
  if ((intents & ~ALL_INTENTS) !== 0) {
    return { code: GatewayCloseCode.InvalidIntents, rule: "the intents are documented bits" };
  }
  if ((intents & PRIVILEGED_INTENTS & ~allowed) !== 0) {
    return {
      code: GatewayCloseCode.DisallowedIntents,
      rule: "the privileged intents are enabled for the application",
    };
  }
  const common = { intents, largeThreshold };
  if (shard === undefined || shard === null) return { ...common, shard: [0, 1], namedShard: false };
  if (Array.isArray(shard) && shard.length === 2) {
    const [id, count]: unknown[] = shard;
    if (isInteger(id, 0) && isInteger(count, 1) && id < count) {
      return { ...common, shard: [id, count], namedShard: true };
    }
  }
  return { code: GatewayCloseCode.InvalidShard, rule: "shard is [id, count] with id below count" };
}

/** Reads the body of RESUME. */
export function readResume(d: unknown): ResumeBody | Refusal {
  if (isObject(d) && typeof d.token === "string" && typeof d.session_id === "string" && isInteger(d.seq, 0)) {
    return { token: bareToken(d.token), sessionId: d.session_id, seq: d.seq };
  }
  return {
    code: GatewayCloseCode.DecodeError,
    rule: "the body of RESUME has token, session_id and seq, an integer from 0",
  };
}

/** Documented without a prefix; clients in wide use send the one of the REST API, and Discord takes it. */
function bareToken(token: string): string {
  return token.startsWith("Bot ") ? token.slice(4) : token;
}

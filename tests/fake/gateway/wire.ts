/** The gateway's small print: URLs, close reasons, what a close does to a session, the order of keys. */

import { GatewayCloseCode } from "../../../gateway/close_code.ts";
import type { Refusal } from "./identify_check.ts";
import { parseObject } from "../base/json.ts";

/** What is wrong with the query of a dialled URL, `null` if nothing is. */
export function urlRefusal(url: string): Refusal | null {
  const query = new URL(url).searchParams;
  if (query.get("v") !== "10") return { code: GatewayCloseCode.InvalidAPIVersion, rule: "the URL has v=10" };
  const decodeError = (rule: string): Refusal => ({ code: GatewayCloseCode.DecodeError, rule });
  if (query.get("encoding") !== "json") return decodeError("the URL has encoding=json");
  if (query.has("compress")) return decodeError("the URL has no compress, which this fake does not speak");
  return null;
}

/** Whether the URL that was dialled is the one that READY names for a resume. */
export function isResumeUrl(
  { url, resumeUrl }: { readonly url: string; readonly resumeUrl: string },
): boolean {
  const dialled = new URL(url);
  const bare = new URL(resumeUrl);
  return dialled.host === bare.host && dialled.pathname === bare.pathname;
}

/** What Discord says along with a close code. */
export function closeReason(code: number): string {
  return CLOSE_REASONS.get(code) ?? "";
}

const CLOSE_REASONS: ReadonlyMap<number, string> = new Map<number, string>([
  [GatewayCloseCode.UnknownError, "Unknown error."],
  [GatewayCloseCode.UnknownOpcode, "Unknown opcode."],
  [GatewayCloseCode.DecodeError, "Error while decoding payload."],
  [GatewayCloseCode.NotAuthenticated, "Not authenticated."],
  [GatewayCloseCode.AuthenticationFailed, "Authentication failed."],
  [GatewayCloseCode.AlreadyAuthenticated, "Already authenticated."],
  [GatewayCloseCode.InvalidSeq, "Invalid seq."],
  [GatewayCloseCode.RateLimited, "Rate limited."],
  [GatewayCloseCode.SessionTimedOut, "Session timed out."],
  [GatewayCloseCode.InvalidShard, "Invalid shard."],
  [GatewayCloseCode.ShardingRequired, "Sharding required."],
  [GatewayCloseCode.InvalidAPIVersion, "Invalid API version."],
  [GatewayCloseCode.InvalidIntents, "Invalid intent(s)."],
  [GatewayCloseCode.DisallowedIntents, "Disallowed intent(s)."],
]);

/** Whether a session does not survive a close by the server with this code. */
export function endsSession(code: number): boolean {
  return SESSION_ENDING_CODES.has(code);
}

const SESSION_ENDING_CODES: ReadonlySet<number> = new Set<number>([
  GatewayCloseCode.UnknownOpcode,
  GatewayCloseCode.NotAuthenticated,
  GatewayCloseCode.AuthenticationFailed,
  GatewayCloseCode.InvalidSeq,
  GatewayCloseCode.SessionTimedOut,
  GatewayCloseCode.InvalidShard,
  GatewayCloseCode.ShardingRequired,
  GatewayCloseCode.InvalidAPIVersion,
  GatewayCloseCode.InvalidIntents,
  GatewayCloseCode.DisallowedIntents,
]);

/** The same payload with its body first. */
export function inAnotherOrder(frame: string): string {
  const payload = parseObject(frame);
  if (payload === null) return frame;
  const { d, op, s, t } = payload;
  return JSON.stringify({ d, op, s, t });
}

/** A session as plain JSON: what another process needs to go on where this one stopped. */

import { SessionRecordError } from "./errors.ts";

/**
 * A resumable session. Store it, and give it to a new shard: it resumes byte for byte as the old one would have.
 *
 * @see https://docs.discord.com/developers/events/gateway#resuming
 */
export interface SessionRecord {
  /** Discord's `session_id`. */
  readonly sessionId: string;
  /** The last sequence number that counts as seen: a resume replays everything after it. */
  readonly sequence: number;
  /** Discord's `resume_gateway_url`, `null` if it gave none. */
  readonly resumeGatewayUrl: string | null;
  /** This shard's number, from 0. */
  readonly shardId: number;
  /** How many shards the bot was split into when the session began. */
  readonly shardCount: number;
}

/**
 * Checks a record that comes from storage.
 *
 * @throws {SessionRecordError} Names the first field that is wrong.
 *
 * @example
 * ```ts
 * import { parseSessionRecord } from "@discordgateway/edge/gateway";
 *
 * const stored = '{"sessionId":"abc","sequence":7,"resumeGatewayUrl":null,"shardId":0,"shardCount":1}';
 * const record = parseSessionRecord(JSON.parse(stored));
 * if (record.sequence !== 7) throw new Error("unexpected");
 * ```
 */
export function parseSessionRecord(value: unknown): SessionRecord {
  if (typeof value !== "object" || value === null) throw fault("it is an object", value);
  const record: { [field in keyof SessionRecord]?: unknown } = value;
  const { sessionId, sequence, resumeGatewayUrl, shardId, shardCount } = record;
  if (typeof sessionId !== "string" || sessionId === "") throw fault("sessionId is a string", sessionId);
  if (!isCount(sequence)) throw fault("sequence is an integer from 0", sequence);
  if (
    resumeGatewayUrl !== null && (typeof resumeGatewayUrl !== "string" || !URL.canParse(resumeGatewayUrl))
  ) {
    throw fault("resumeGatewayUrl is a URL or null", resumeGatewayUrl);
  }
  if (!isCount(shardCount) || shardCount < 1) throw fault("shardCount is an integer from 1", shardCount);
  if (!isCount(shardId) || shardId >= shardCount) {
    throw fault("shardId is an integer below shardCount", shardId);
  }
  return { sessionId, sequence, resumeGatewayUrl, shardId, shardCount };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function fault(rule: string, value: unknown): SessionRecordError {
  const shown = typeof value === "string" || typeof value === "number" ? `${value}` : typeof value;
  return new SessionRecordError(`Cannot use the session record: ${rule}: ${shown}`);
}

/** Before the first dial: which shards, where, and whether Discord lets them identify. */

import { wait } from "../../ratelimit/wait.ts";
import { parseSessionRecord, type SessionRecord, SessionRecordError } from "../../gateway/mod.ts";
import { Backoff, sessionStartLimit } from "../../ratelimit/mod.ts";
import { GatewayBotError } from "../connect/errors.ts";
import { IdentifyBudgetError } from "./errors.ts";
import type { AnyFleetOptions } from "./options.ts";
import { type ShardSelection, shardSelection } from "./plan.ts";
import { askGatewayBot } from "../connect/ask_gateway_bot.ts";
import type { GatewayBot } from "../connect/gateway_bot.ts";
import type { Platform } from "../pipe/platform.ts";
import { sharedIdentifyLimiter } from "../connect/shared_identify_limiter.ts";

/** What is known before the first dial. */
export interface FleetPlan {
  /** Which shards. */
  readonly selection: ShardSelection;
  /** The gateway's URL; `null` where each shard asks by itself. */
  readonly url: string | null;
  /** How many shards may identify at once, as far as it is known. */
  readonly maxConcurrency: number;
}

/**
 * Checks the sessions of several shards.
 *
 * @throws {SessionRecordError} One is malformed, two are of one shard, or they do not belong together.
 */
export function parseSessions(
  values: readonly SessionRecord[],
  shards: AnyFleetOptions["shards"],
): readonly SessionRecord[] {
  const sessions = values.map(parseSessionRecord);
  const count = typeof shards === "number"
    ? shards
    : typeof shards === "object"
    ? shards.count
    : sessions[0]?.shardCount;
  const other = sessions.find(({ shardCount }) => shardCount !== count);
  if (other) {
    throw new SessionRecordError(
      `Cannot use the session records: all are of one shard count, ${count}: ${other.shardCount}`,
    );
  }
  const ids = sessions.map(({ shardId }) => shardId);
  const twice = ids.find((id, place) => ids.indexOf(id) !== place);
  if (twice !== undefined) {
    throw new SessionRecordError(`Cannot use the session records: each shard has one: ${twice}`);
  }
  return sessions;
}

/** The shards that are known without asking; `null` where Discord's recommendation is wanted. */
export function knownSelection(
  shards: AnyFleetOptions["shards"],
  sessions: readonly SessionRecord[],
): ShardSelection | null {
  if (shards !== undefined && shards !== "recommended") return shardSelection(shards);
  return sessions[0] ? shardSelection(sessions[0].shardCount) : null;
}

/**
 * Finds out what is not known yet. `GET /gateway/bot` is asked once for all shards, and not at all where the sessions or
 * the options say everything; where it fails it is asked again, `onFailure` is told, and only a refused token is final.
 *
 * @throws {GatewayBotError} The token was refused.
 * @throws {IdentifyBudgetError} More shards have to identify than may.
 * @throws the signal's reason, once it is aborted.
 */
export async function planFleet(
  options: AnyFleetOptions,
  { known, sessions, platform, signal, onFailure }: {
    readonly known: ShardSelection | null;
    readonly sessions: readonly SessionRecord[];
    readonly platform: Platform;
    readonly signal: AbortSignal;
    readonly onFailure: (error: unknown) => void;
  },
): Promise<FleetPlan> {
  const missing = (selection: ShardSelection) =>
    selection.ids.filter((id) => !sessions.some(({ shardId }) => shardId === id)).length;
  if (known && (options.url !== undefined || missing(known) === 0)) {
    checkDefaultLimiter(options, { platform, needed: missing(known) });
    return { selection: known, url: options.url ?? null, maxConcurrency: 1 };
  }
  const bot = await askUntilAnswered(options, { platform, signal, onFailure });
  const selection = known ?? shardSelection(bot.shards);
  checkBudget(bot, missing(selection));
  return {
    selection,
    url: options.url ?? bot.url,
    maxConcurrency: bot.session_start_limit.max_concurrency,
  };
}

/** Asks how many shards may identify, and refuses what Discord would. */
export async function planReshard(
  options: AnyFleetOptions,
  { to, platform, signal }: {
    readonly to: number | "recommended";
    readonly platform: Platform;
    readonly signal: AbortSignal;
  },
): Promise<FleetPlan> {
  if (options.url !== undefined && typeof to === "number") {
    const selection = shardSelection(to);
    checkDefaultLimiter(options, { platform, needed: to });
    return { selection, url: options.url, maxConcurrency: 1 };
  }
  const bot = await askGatewayBot(options, { platform, signal });
  const selection = shardSelection(to === "recommended" ? bot.shards : to);
  checkBudget(bot, selection.count);
  return {
    selection,
    url: options.url ?? bot.url,
    maxConcurrency: bot.session_start_limit.max_concurrency,
  };
}

async function askUntilAnswered(
  options: AnyFleetOptions,
  { platform, signal, onFailure }: {
    readonly platform: Platform;
    readonly signal: AbortSignal;
    readonly onFailure: (error: unknown) => void;
  },
): Promise<GatewayBot> {
  const backoff = new Backoff({ random: () => platform.random() });
  while (true) {
    try {
      return await askGatewayBot(options, { platform, signal });
    } catch (error) {
      const isRefused = error instanceof GatewayBotError && (error.status === 401 || error.status === 403);
      if (!(error instanceof GatewayBotError) || isRefused || signal.aborted) throw error;
      onFailure(error);
      await wait(backoff.next(), { clock: platform, signal });
      signal.throwIfAborted();
    }
  }
}

function checkBudget({ session_start_limit }: GatewayBot, needed: number): void {
  const { remaining = 0, resetAfterMs = 0 } = sessionStartLimit(session_start_limit);
  if (remaining < needed) throw new IdentifyBudgetError({ needed, remaining, resetAfterMs });
}

/** Without a response from Discord, the limiter of this process has what it has counted. */
function checkDefaultLimiter(
  { token, identifyLimiter }: AnyFleetOptions,
  { platform, needed }: { readonly platform: Platform; readonly needed: number },
): void {
  if (identifyLimiter) return;
  const { remaining, resetAt } = sharedIdentifyLimiter(token, platform);
  const resetAfterMs = Math.max(0, (resetAt ?? platform.now()) - platform.now());
  if (remaining < needed) throw new IdentifyBudgetError({ needed, remaining, resetAfterMs });
}

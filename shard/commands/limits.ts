/** Which commands Discord limits below the common budget, and by how much. */

import { type GatewayCommand, GatewayOpcode } from "../../gateway/mod.ts";
import { checkLog } from "../../ratelimit/commands/sliding_log.ts";
import type { QueueGate } from "../../ratelimit/mod.ts";

/**
 * The sub-limits of single commands. Each default is Discord's with a quarter of a second added, since frames that leave
 * a period apart may arrive a little closer.
 */
export interface CommandLimits {
  /**
   * Presence updates in any one period.
   *
   * @default {5}
   */
  readonly presences?: number;
  /**
   * The period of presence updates in ms.
   *
   * @default {20_250}
   */
  readonly presencePeriodMs?: number;
  /**
   * From one request for all members of a guild to the next one for the same guild, in ms.
   *
   * @default {30_250}
   */
  readonly guildMembersPeriodMs?: number;
}

/**
 * The outcome of a command: written; or never sent, because a newer presence update replaced it while it waited.
 */
export type CommandOutcome = "sent" | "superseded";

/** How long to wait after a RATE_LIMITED without a valid `retry_after`: a full period, in ms. */
export const DEFAULT_RETRY_MS = 30_000;

/** The gate that a command waits behind; `null` if only the common budget counts. */
export function subLimitOf(command: GatewayCommand, limits: CommandLimits): QueueGate | null {
  if (command.op === GatewayOpcode.PresenceUpdate) {
    const { presences = 5, presencePeriodMs = 20_250 } = limits;
    return { key: "presence", limit: presences, periodMs: presencePeriodMs, newestOnly: true };
  }
  if (command.op === GatewayOpcode.RequestGuildMembers && command.d.query === "" && command.d.limit === 0) {
    return guildMembersLimit(command.d.guild_id, limits);
  }
  return null;
}

/** The gate of requests for all members of this guild. */
export function guildMembersLimit(guildId: string, limits: CommandLimits): QueueGate {
  return { key: `members ${guildId}`, limit: 1, periodMs: limits.guildMembersPeriodMs ?? 30_250 };
}

/**
 * Checks the limits, and returns them.
 *
 * @throws {RangeError} A count that is no positive integer, or a period that is no positive number.
 */
export function checkedLimits(limits: CommandLimits = {}): CommandLimits {
  const { presences = 1, presencePeriodMs = 1, guildMembersPeriodMs = 1 } = limits;
  checkLog(presences, presencePeriodMs);
  checkLog(1, guildMembersPeriodMs);
  return limits;
}

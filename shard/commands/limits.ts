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
 * What became of a command: written, or replaced by a newer presence update while it waited, and never sent.
 */
export type CommandOutcome = "sent" | "superseded";

/** Where Discord says "rate limited" and not for how long, or nothing that makes sense: a full period, in ms. */
export const DEFAULT_RETRY_MS = 30_000;

/** The gate that a command waits behind; `null` where only the common budget counts. */
export function gateOf(command: GatewayCommand, limits: CommandLimits): QueueGate | null {
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
 * The limits as given, if there can be such.
 *
 * @throws {RangeError} A count that is no positive integer, or a period that is no positive number.
 */
export function checkedLimits(limits: CommandLimits = {}): CommandLimits {
  const { presences = 1, presencePeriodMs = 1, guildMembersPeriodMs = 1 } = limits;
  checkLog(presences, presencePeriodMs);
  checkLog(1, guildMembersPeriodMs);
  return limits;
}

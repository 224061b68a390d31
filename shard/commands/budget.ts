/** The budget of commands as a program sees it, with or without a connection. */

import type { GatewayState } from "../../gateway/mod.ts";
import { DEFAULT_COMMAND_LIMIT } from "../../ratelimit/commands/command_limiter.ts";

/**
 * What may be sent now, and how many callers wait.
 *
 * The numbers are of this instant: a command that is given now queues behind those that wait already.
 *
 * @see https://docs.discord.com/developers/events/gateway#rate-limiting
 */
export interface CommandBudget {
  /** Frames that Discord takes on one connection in 60 s, heartbeats included. */
  readonly limit: number;
  /**
   * Commands that could be sent right now without waiting, with capacity kept for every heartbeat that is due
   * during their minute; 0 without a usable session.
   */
  readonly available: number;
  /**
   * Milliseconds from now until the budget admits one more command: 0 = at once. `null` if it is not known:
   * without a usable session, or because heartbeats alone fill the budget.
   */
  readonly nextAvailableInMs: number | null;
  /** Callers that wait for the rate limit, for a usable session, or for a sub-limit. */
  readonly waiting: number;
}

/** Reads the budget off a connection's state; `null` without a connection. */
export function readBudget(state: GatewayState | null, now: number, waiting: number): CommandBudget {
  const at = state?.nextCommandAt(now) ?? Infinity;
  return {
    limit: state?.commandLimit ?? DEFAULT_COMMAND_LIMIT,
    available: state?.availableCommands(now) ?? 0,
    nextAvailableInMs: at < Infinity ? at - now : null,
    waiting,
  };
}

/** What a rate limit says no with. */

/**
 * A user command that was not sent, because the connection's budget of frames is spent and the caller would not wait.
 *
 * @example
 * ```ts
 * import { CommandLimiter, CommandRateLimitError } from "@discordgateway/edge/ratelimit";
 *
 * const limiter = new CommandLimiter({ limit: 2 });
 * limiter.record(0);
 * limiter.record(0);
 *
 * const now = 15_000;
 * const error = new CommandRateLimitError(limiter.nextAvailableAt(now, null), now);
 * if (error.nextAvailableAt !== 60_000) throw error;
 * if (error.message !== "Cannot send: the budget of frames is spent, time until the next command in ms: 45000") {
 *   throw error;
 * }
 * ```
 */
export class CommandRateLimitError extends Error {
  /** The name of the class. */
  override readonly name = "CommandRateLimitError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_COMMAND_RATE_LIMITED";
  /** When the next command is admitted, in ms on the limiter's clock; `Infinity` where heartbeats fill the budget. */
  readonly nextAvailableAt: number;

  /** Made from the limiter's result and the time of the call, both in ms on the same clock. */
  constructor(nextAvailableAt: number, now: number, options?: ErrorOptions) {
    super(
      `Cannot send: the budget of frames is spent, time until the next command in ms: ${
        nextAvailableAt - now
      }`,
      options,
    );
    this.nextAvailableAt = nextAvailableAt;
  }
}

/** Options of an {@linkcode IdentifyRefusedError}. */
export interface IdentifyRefusedErrorOptions extends ErrorOptions {
  /** How long until the daily budget is full again, in ms, where the limiter knows. */
  readonly resetAfterMs?: number;
}

/**
 * A shard that may not identify: the daily budget is spent, or the identify limiter answered `false`.
 *
 * @example
 * ```ts
 * import { IdentifyRefusedError } from "@discordgateway/edge/ratelimit";
 *
 * const error = new IdentifyRefusedError(3, { resetAfterMs: 60_000 });
 * if (error.code !== "ERR_IDENTIFY_REFUSED" || error.shardId !== 3) throw error;
 * if (error.message !== "Cannot identify shard 3: refused by the identify limiter, ms until its reset: 60000") {
 *   throw error;
 * }
 * ```
 */
export class IdentifyRefusedError extends Error {
  /** The name of the class. */
  override readonly name = "IdentifyRefusedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_IDENTIFY_REFUSED";
  /** The shard that was refused. */
  readonly shardId: number;
  /** How long until the daily budget is full again, in ms; `null` where the limiter did not say. */
  readonly resetAfterMs: number | null;

  /** Made by the limiter that refuses, or by the shard of one that answered `false`. */
  constructor(shardId: number, options: IdentifyRefusedErrorOptions = {}) {
    const { resetAfterMs } = options;
    const reset = resetAfterMs === undefined ? "" : `, ms until its reset: ${resetAfterMs}`;
    super(`Cannot identify shard ${shardId}: refused by the identify limiter${reset}`, options);
    this.shardId = shardId;
    this.resetAfterMs = resetAfterMs ?? null;
  }
}

/** What an {@linkcode IdentifyLimiterError} is made from. */
export interface IdentifyLimiterErrorOptions extends ErrorOptions {
  /** The shard that asked; `null` where new limits were to be taken over. */
  readonly shardId?: number | null;
}

/**
 * An identify limiter that could not be asked: its store is out of reach, or answered what nobody understands. Nothing
 * was permitted.
 *
 * @example
 * ```ts
 * import { IdentifyLimiterError } from "@discordgateway/edge/ratelimit";
 *
 * const cause = new Error("connect ECONNREFUSED 127.0.0.1:6379");
 * const error = new IdentifyLimiterError({ shardId: 3, cause });
 * if (error.code !== "ERR_IDENTIFY_LIMITER" || error.cause !== cause) throw error;
 * if (error.message !== "Cannot ask the identify limiter for shard 3") throw error;
 * ```
 */
export class IdentifyLimiterError extends Error {
  /** The name of the class. */
  override readonly name = "IdentifyLimiterError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_IDENTIFY_LIMITER";
  /** The shard that asked; `null` where new limits were to be taken over. */
  readonly shardId: number | null;

  /** Made by the limiter, or by the shard of a limiter that failed with another error. */
  constructor(options: IdentifyLimiterErrorOptions = {}) {
    const { shardId = null } = options;
    super(
      shardId === null
        ? "Cannot tell the identify limiter its limits"
        : `Cannot ask the identify limiter for shard ${shardId}`,
      options,
    );
    this.shardId = shardId;
  }
}

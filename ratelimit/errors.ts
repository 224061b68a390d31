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

  /** Made from the limiter's answer and the time of the question, both in ms on the same clock. */
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
 * A shard that may not identify: its identify limiter answered `false`.
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

  /** Made by the shard that was refused. */
  constructor(shardId: number, options: IdentifyRefusedErrorOptions = {}) {
    const { resetAfterMs } = options;
    const reset = resetAfterMs === undefined ? "" : `, ms until its reset: ${resetAfterMs}`;
    super(`Cannot identify shard ${shardId}: refused by the identify limiter${reset}`, options);
    this.shardId = shardId;
    this.resetAfterMs = resetAfterMs ?? null;
  }
}

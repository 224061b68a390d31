/** What a fleet reports to its user. */

import { messageOf } from "../../ratelimit/unknown.ts";

/** A shard, and what stopped it. */
export interface ShardFailure {
  /** The shard's number. */
  readonly shardId: number;
  /** What stopped it. */
  readonly error: unknown;
}

/**
 * Every shard of the fleet has stopped for good. `errors` has what stopped each, in the order of their ids.
 *
 * @example
 * ```ts
 * import { Fleet, FleetStoppedError } from "@discordgateway/edge/fleet";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const { token, dial, fetch } = new FakeDiscord({ privilegedIntents: 0, maxConcurrency: 2 });
 * const fleet = new Fleet({ token, intents: 1 << 15, shards: 2, dial, fetch });
 * const error = await fleet.run(() => {}).catch((error) => error);
 * if (!(error instanceof FleetStoppedError) || error.errors.length !== 2) throw error;
 * ```
 */
export class FleetStoppedError extends AggregateError {
  /** The name of the class. */
  override readonly name = "FleetStoppedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_FLEET_STOPPED";
  /** The shards, and what stopped each. */
  readonly shards: readonly ShardFailure[];

  /** Made by the fleet. */
  constructor(shards: readonly ShardFailure[]) {
    super(
      shards.map(({ error }) => error),
      `Cannot go on: every shard has stopped, the first one because: ${messageOf(shards[0]?.error)}`,
    );
    this.shards = shards;
  }
}

/**
 * Discord allows fewer identifies than the shards need; none was spent.
 *
 * Running out of them in the middle would leave half a bot, and one more than allowed resets its token.
 *
 * @see https://docs.discord.com/developers/events/gateway#session-start-limit-object
 *
 * @example
 * ```ts
 * import { Fleet, IdentifyBudgetError } from "@discordgateway/edge/fleet";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const { token, dial, fetch } = new FakeDiscord({ identifyLimit: { remaining: 3, resetAfter: 60_000 } });
 * const fleet = new Fleet({ token, intents: 1, shards: 4, dial, fetch });
 * const error = await fleet.run(() => {}).catch((error) => error);
 * if (!(error instanceof IdentifyBudgetError) || error.remaining !== 3) throw error;
 * ```
 */
export class IdentifyBudgetError extends Error {
  /** The name of the class. */
  override readonly name = "IdentifyBudgetError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_IDENTIFY_BUDGET";
  /** Identifies that the shards need. */
  readonly needed: number;
  /** Identifies that are left. */
  readonly remaining: number;
  /** How long until the budget is full again, in ms. */
  readonly resetAfterMs: number;

  /** Made by the fleet. */
  constructor(
    budget: { readonly needed: number; readonly remaining: number; readonly resetAfterMs: number },
  ) {
    const { needed, remaining, resetAfterMs } = budget;
    super(
      `Cannot start the shards: they need ${needed} identifies, and fewer are left until the reset in ` +
        `${Math.ceil(resetAfterMs)} ms: ${remaining}`,
    );
    this.needed = needed;
    this.remaining = remaining;
    this.resetAfterMs = resetAfterMs;
  }
}

/** How a reshard can fail: a new shard stopped for good, it took too long, or it was given up. */
export type ReshardErrorCode = "ERR_RESHARD_FAILED" | "ERR_RESHARD_TIMEOUT" | "ERR_RESHARD_ABORTED";

/**
 * A reshard that did not take place: the new set is closed, and the old one goes on as if nothing had been.
 *
 * @example
 * ```ts
 * import { ReshardError } from "@discordgateway/edge/fleet";
 *
 * const error = new ReshardError("shard 3 has stopped", { code: "ERR_RESHARD_FAILED", shardId: 3 });
 * if (error.message !== "Cannot reshard: shard 3 has stopped" || error.shardId !== 3) throw error;
 * ```
 */
export class ReshardError extends Error {
  /** The name of the class. */
  override readonly name = "ReshardError";
  /** Stable identifier for switch statements. */
  readonly code: ReshardErrorCode;
  /** The new shard that could not come up; `null` where it was not a single one. */
  readonly shardId: number | null;

  /** Made by the fleet. */
  constructor(
    why: string,
    options: { readonly code: ReshardErrorCode; readonly shardId?: number; readonly cause?: unknown },
  ) {
    super(`Cannot reshard: ${why}`, "cause" in options ? { cause: options.cause } : undefined);
    this.code = options.code;
    this.shardId = options.shardId ?? null;
  }
}

/**
 * A command for a guild whose shard is not in this fleet: another process has it.
 *
 * @example
 * ```ts
 * import { ShardNotHereError } from "@discordgateway/edge/fleet";
 *
 * const error = new ShardNotHereError(5, 16);
 * if (error.message !== "Cannot reach the shard: it is not in this fleet: 5 of 16") throw error;
 * ```
 */
export class ShardNotHereError extends Error {
  /** The name of the class. */
  override readonly name = "ShardNotHereError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_SHARD_NOT_HERE";
  /** The shard that was meant. */
  readonly shardId: number;
  /** How many shards the bot is split into. */
  readonly shardCount: number;

  /** Made by the fleet. */
  constructor(shardId: number, shardCount: number) {
    super(`Cannot reach the shard: it is not in this fleet: ${shardId} of ${shardCount}`);
    this.shardId = shardId;
    this.shardCount = shardCount;
  }
}

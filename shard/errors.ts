/** The error with which a shard ends. */

import type { EndCause } from "../gateway/mod.ts";

/**
 * Discord stopped the shard for good: a wrong token, intents that are not allowed, and so on.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
 *
 * @example
 * ```ts
 * import { Shard, ShardStoppedError } from "@discordgateway/edge/shard";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const { dial } = new FakeDiscord();
 * const shard = new Shard({ token: "not the bot's", url: "wss://gateway.discord.gg", intents: 0, dial });
 * const error = await shard.run(() => {}).catch((error) => error);
 * if (!(error instanceof ShardStoppedError) || error.closeCode !== 4004) throw error;
 * ```
 */
export class ShardStoppedError extends Error {
  /** The name of the class. */
  override readonly name = "ShardStoppedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_SHARD_STOPPED";
  /** The cause, a row of the verdict table. */
  readonly endCause: EndCause;
  /** Discord's close code, if one came. */
  readonly closeCode: number | null;

  /** Made by the shard. */
  constructor(
    { endCause, closeCode, why, cause }: {
      endCause: EndCause;
      closeCode: number | null;
      why: string;
      cause?: unknown;
    },
  ) {
    super(
      `Cannot go on: ${why}${closeCode === null ? "" : `: ${closeCode}`}`,
      cause === undefined ? undefined : { cause },
    );
    this.endCause = endCause;
    this.closeCode = closeCode;
  }
}

/** What a shard reports to its user. */

import type { EndCause, GatewayCommand } from "../gateway/mod.ts";

/**
 * The shard stopped for good because of what Discord said: a wrong token, intents that are not allowed, and so on.
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
  /** Discord's close code, where one came. */
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

/**
 * The shard closed before a command's turn came; the command is returned, it was never sent.
 *
 * @example
 * ```ts
 * import { CommandNotSentError, Shard } from "@discordgateway/edge/shard";
 *
 * const shard = new Shard({ token: "bot token", intents: 0 });
 * const sent = shard.send({ op: 31, d: { guild_ids: ["1"] } }).catch((error) => error);
 * await shard.close();
 * const error = await sent;
 * if (!(error instanceof CommandNotSentError) || error.command.op !== 31) throw error;
 * ```
 */
export class CommandNotSentError extends Error {
  /** The name of the class. */
  override readonly name = "CommandNotSentError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_COMMAND_NOT_SENT";
  /** The command as it was given to `send`. */
  readonly command: GatewayCommand;

  /** Made by the shard. */
  constructor(command: GatewayCommand, cause?: unknown) {
    super(`Cannot send op ${command.op}: the shard is closed`, cause ? { cause } : undefined);
    this.command = command;
  }
}

/**
 * A command was taken out of the queue because it could not be sent: the session is parked until the consumer has caught
 * up, and the consumer has taken nothing for a minute, as one does that waits for this very command.
 *
 * Send from elsewhere than from the handling of an event, or let more events wait.
 *
 * @example
 * ```ts
 * import { ConsumerStuckError } from "@discordgateway/edge/shard";
 *
 * const error = new ConsumerStuckError({ op: 31, d: { guild_ids: ["1"] } });
 * if (error.code !== "ERR_CONSUMER_STUCK" || error.command.op !== 31) throw error;
 * ```
 */
export class ConsumerStuckError extends Error {
  /** The name of the class. */
  override readonly name = "ConsumerStuckError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_CONSUMER_STUCK";
  /** The command as it was given to `send`; it was never sent. */
  readonly command: GatewayCommand;

  /** Made by the shard. */
  constructor(command: GatewayCommand) {
    super(`Cannot send op ${command.op}: the session waits for a consumer that does not go on`);
    this.command = command;
  }
}

/**
 * `GET /gateway/bot` failed.
 *
 * @example
 * ```ts
 * import { fetchGatewayBot, GatewayBotError } from "@discordgateway/edge/shard";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const { fetch } = new FakeDiscord();
 * const error = await fetchGatewayBot("not.the.bots.token", { fetch }).catch((error) => error);
 * if (!(error instanceof GatewayBotError) || error.status !== 401) throw error;
 * ```
 */
export class GatewayBotError extends Error {
  /** The name of the class. */
  override readonly name = "GatewayBotError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_GATEWAY_BOT";
  /** The HTTP status, `null` if no answer came. */
  readonly status: number | null;

  /** Made by {@linkcode fetchGatewayBot}. */
  constructor(message: string, options: { status: number | null; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
  }
}

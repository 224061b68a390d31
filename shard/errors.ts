/** What a shard reports to its user. */

import type { EndCause, GatewayCommand } from "../gateway/mod.ts";

/**
 * The shard stopped for good because of what Discord said: a wrong token, intents that are not allowed, and so on.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes
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

/** The shard closed before a command's turn came; the command is returned, it was never sent. */
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

/** `GET /gateway/bot` failed. */
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

/** The error of the REST request for the gateway's URL. */

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
  /** The HTTP status, `null` if no response came. */
  readonly status: number | null;

  /** Made by {@linkcode fetchGatewayBot}. */
  constructor(message: string, options: { status: number | null; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
  }
}

/** Opens the connections of one shard: to the URL of its session, or to that of the gateway, given or requested once. */

import { type EndCause, gatewayUrl, KEEP_SESSION_CLOSE_CODE, type SessionRecord } from "../../gateway/mod.ts";
import { abortable } from "../pipe/abortable.ts";
import { askGatewayBot, type AskGatewayBotOptions } from "./ask_gateway_bot.ts";
import type { Connection } from "../pipe/connection.ts";
import { type Dial, dial, DialError } from "../pipe/dial.ts";
import { GatewayBotError } from "./errors.ts";
import type { Platform } from "../pipe/platform.ts";
import type { ShardDialing, ShardLocating } from "./status.ts";

/** The part of a shard's options that concerns dialling. */
export interface DiallerOptions extends AskGatewayBotOptions {
  /** The gateway's URL; requested from the REST API by default. */
  readonly url?: string;
  /** Opens connections; a WebSocket by default. */
  readonly dial?: Dial;
  /** How long a handshake may take, in ms. */
  readonly dialDeadlineMs?: number;
}

/** Dials for one shard. */
export class GatewayDialler {
  readonly #options: DiallerOptions;
  readonly #platform: Platform;
  readonly #onStatus: (status: ShardLocating | ShardDialing) => void;
  /** The gateway's base URL, once it is known. */
  #url: string | null;

  /** Nothing is requested yet. */
  constructor(
    options: DiallerOptions,
    platform: Platform,
    onStatus: (status: ShardLocating | ShardDialing) => void,
  ) {
    this.#options = options;
    this.#platform = platform;
    this.#onStatus = onStatus;
    this.#url = options.url ?? null;
  }

  /**
   * Opens a connection to resume `session`, or to identify. The first response of the REST API also gives the identify
   * limiter Discord's limits. If the signal is aborted between the handshake and the microtask that delivers the
   * connection, the caller has to close it.
   *
   * @throws {GatewayBotError} The REST API failed, or did not respond in time.
   * @throws {DialError} The connection could not be opened.
   * @throws the signal's reason, once it is aborted.
   */
  async open(session: SessionRecord | null, signal: AbortSignal): Promise<Connection> {
    const { dial: dialFunction = dial, dialDeadlineMs } = this.#options;
    const url = resumeUrl(session) ?? gatewayUrl(await this.#find(signal));
    // The shard may have been closed since the response came.
    signal.throwIfAborted();
    this.#onStatus({ state: "dialing", url, action: session === null ? "identify" : "resume" });
    const dialing = dialFunction(url, {
      signal,
      ...(dialDeadlineMs !== undefined && { deadlineMs: dialDeadlineMs }),
    });
    return await abortable(dialing, signal, (connection) => connection.close(KEEP_SESSION_CLOSE_CODE));
  }

  async #find(signal: AbortSignal): Promise<string> {
    if (this.#url !== null) return this.#url;
    this.#onStatus({ state: "locating" });
    // The status callback may have closed the shard.
    signal.throwIfAborted();
    return this.#url = (await askGatewayBot(this.#options, { platform: this.#platform, signal })).url;
  }
}

/**
 * The cause in the verdict table for a connection that could not be opened.
 *
 * @throws the error itself, if another attempt could not succeed.
 */
export function dialFailure(error: unknown): { readonly cause: EndCause; readonly error: Error } {
  if (error instanceof DialError) return { cause: "dial_failed", error };
  if (!(error instanceof GatewayBotError)) throw error;
  const isUnauthorized = error.status === 401 || error.status === 403;
  return { cause: isUnauthorized ? "gateway_bot_unauthorized" : "gateway_bot_failed", error };
}

/** The session's own URL, or `null` without one that can be dialled. */
function resumeUrl(session: SessionRecord | null): string | null {
  if (!session?.resumeGatewayUrl) return null;
  try {
    return gatewayUrl(session.resumeGatewayUrl);
  } catch {
    // Not a WebSocket URL: the main gateway accepts resumes, too.
    return null;
  }
}

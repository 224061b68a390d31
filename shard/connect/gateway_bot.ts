/** `GET /gateway/bot`: where the gateway is, how many shards to run, and how many identifies are left. */

import { isObject } from "../../ratelimit/unknown.ts";
import type { SessionStartLimit } from "../../ratelimit/mod.ts";
import { abortable } from "../pipe/abortable.ts";
import { GatewayBotError } from "./errors.ts";
import { environmentVariable } from "../pipe/platform.ts";

/** The response of `GET /gateway/bot`. */
export interface GatewayBot {
  /** The gateway's WebSocket URL. */
  readonly url: string;
  /** The recommended number of shards. */
  readonly shards: number;
  /** The limits on identifies. */
  readonly session_start_limit: SessionStartLimit;
}

/** The part of `fetch` that is used. */
export type Fetch = (
  url: string,
  init: { readonly headers: Record<string, string>; readonly signal?: AbortSignal },
) => Promise<FetchResponse>;

/** The part of a fetch's `Response` that is used. */
export interface FetchResponse {
  /** HTTP status. */
  readonly status: number;
  /** The body, parsed. */
  json(): Promise<unknown>;
}

/** Options of {@linkcode fetchGatewayBot}. */
export interface GatewayBotOptions {
  /**
   * Base URL of the REST API, version included.
   *
   * @default {the environment variable DISCORD_API, or https://discord.com/api/v10}
   */
  readonly api?: string;
  /** The fetch to use; the runtime's by default. */
  readonly fetch?: Fetch;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
}

const DISCORD_API = "https://discord.com/api/v10";
const USER_AGENT = "DiscordBot (https://jsr.io/@discordgateway/edge, 0.1.0)";

/**
 * The REST API's base URL without a trailing slash: as given, by the environment variable `DISCORD_API`, or Discord's own.
 *
 * @example
 * ```ts
 * import { apiBaseUrl } from "@discordgateway/edge/shard";
 *
 * if (apiBaseUrl("http://127.0.0.1:8080/api/v10/") !== "http://127.0.0.1:8080/api/v10") throw new Error("unexpected");
 * ```
 */
export function apiBaseUrl(api?: string): string {
  return (api ?? environmentVariable("DISCORD_API") ?? DISCORD_API).replace(/\/+$/, "");
}

/**
 * Requests the gateway's URL and the limits of this bot.
 *
 * @throws {GatewayBotError} Any other status than 200, a response of another shape, or no response.
 * @throws {TypeError} The token has characters that no token has, such as spaces.
 *
 * @see https://docs.discord.com/developers/events/gateway#get-gateway-bot
 *
 * @example
 * ```ts
 * import { fetchGatewayBot } from "@discordgateway/edge/shard";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const discord = new FakeDiscord({ maxConcurrency: 16 });
 * const { session_start_limit } = await fetchGatewayBot(discord.token, { fetch: discord.fetch });
 * if (session_start_limit.max_concurrency !== 16) throw new Error("unexpected");
 * ```
 */
export async function fetchGatewayBot(token: string, options: GatewayBotOptions = {}): Promise<GatewayBot> {
  const { signal, fetch: fetchFunction = fetch } = options;
  const url = `${apiBaseUrl(options.api)}/gateway/bot`;
  // The runtime's own error about such a header would quote the token.
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new TypeError(`Cannot get ${url}: the token is printable ASCII without spaces`);
  }
  const headers = { "Authorization": `Bot ${token}`, "User-Agent": USER_AGENT };
  let status: number | null = null;
  let body: unknown;
  try {
    const request = async () => {
      const response = await fetchFunction(url, { headers, ...(signal && { signal }) });
      status = response.status;
      body = await response.json();
    };
    await (signal ? abortable(request(), signal) : request());
  } catch (cause) {
    throw new GatewayBotError(`Cannot get ${url}: ${reasons(cause)}`, { status, cause });
  }
  if (status !== 200) throw new GatewayBotError(`Cannot get ${url}: status ${status}`, { status });
  if (!isGatewayBot(body)) {
    throw new GatewayBotError(`Cannot get ${url}: the response is incomplete`, { status });
  }
  return body;
}

/** Deno and Node.js only say "fetch failed"; the reason is in the cause. */
function reasons(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function isGatewayBot(body: unknown): body is GatewayBot {
  if (!isObject(body) || !isObject(body.session_start_limit)) return false;
  const { total, remaining, reset_after, max_concurrency } = body.session_start_limit;
  const isWhole = [body.shards, total, max_concurrency].every((count) => isCount(count) && count >= 1);
  return typeof body.url === "string" && isWhole && isCount(remaining) && isCount(reset_after);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

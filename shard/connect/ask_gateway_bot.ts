/** Requests the URL of the gateway within a deadline, and passes the limits on to the identify limiter. */

import { type IdentifyLimiter, type SessionStartLimit, sessionStartLimit } from "../../ratelimit/mod.ts";
import { type Fetch, fetchGatewayBot, type GatewayBot } from "./gateway_bot.ts";
import { withDeadline } from "../pipe/deadline.ts";
import type { Platform } from "../pipe/platform.ts";
import { sharedIdentifyLimiter } from "./shared_identify_limiter.ts";

/** How long the REST API may take to respond, in ms. */
const DEADLINE_MS = 15_000;

/** The part of a shard's options that the request needs. */
export interface AskGatewayBotOptions {
  /** The bot's token, without a `Bot ` prefix. */
  readonly token: string;
  /** Base URL of the REST API. */
  readonly api?: string;
  /** Talks to the REST API; the runtime's `fetch` by default. */
  readonly fetch?: Fetch;
  /** Gets Discord's limits; by default one per token in this process. */
  readonly identifyLimiter?: IdentifyLimiter;
}

/**
 * Requests `GET /gateway/bot` within a deadline, and passes Discord's limits on to the identify limiter.
 *
 * @throws {GatewayBotError} The REST API failed, or did not respond in time.
 * @throws the signal's reason, once it is aborted.
 */
export async function askGatewayBot(
  options: AskGatewayBotOptions,
  { platform, signal }: { readonly platform: Platform; readonly signal: AbortSignal },
): Promise<GatewayBot> {
  const { token, api, fetch, identifyLimiter } = options;
  const gatewayBot = await withDeadline(
    (signal) =>
      fetchGatewayBot(token, { ...(api !== undefined && { api }), ...(fetch && { fetch }), signal }),
    {
      clock: platform,
      deadlineMs: DEADLINE_MS,
      signal,
      error: () => new Error(`No response within ${DEADLINE_MS} ms`),
    },
  );
  void update(identifyLimiter ?? sharedIdentifyLimiter(token, platform), gatewayBot.session_start_limit);
  return gatewayBot;
}

/**
 * Failures are ignored: a resume needs no limiter, and before an identify the limiter's `take` fails for the same reason.
 */
async function update(limiter: IdentifyLimiter, limits: SessionStartLimit): Promise<void> {
  try {
    await limiter.update?.(sessionStartLimit(limits));
  } catch {
    // See above.
  }
}

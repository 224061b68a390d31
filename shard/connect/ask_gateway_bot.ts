/** Asks Discord where the gateway is, within a deadline, and passes on what it allows. */

import { type IdentifyLimiter, type SessionStartLimit, sessionStartLimit } from "../../ratelimit/mod.ts";
import { type Fetch, fetchGatewayBot, type GatewayBot } from "./gateway_bot.ts";
import type { Platform } from "../pipe/platform.ts";
import { sharedIdentifyLimiter } from "./shared_identify_limiter.ts";

/** How long the REST API may take to answer, in ms. */
const DEADLINE_MS = 15_000;

/** The part of a shard's options that says whom to ask. */
export interface AskGatewayBotOptions {
  /** The bot's token, without a `Bot ` prefix. */
  readonly token: string;
  /** Base URL of the REST API. */
  readonly api?: string;
  /** Talks to the REST API; the runtime's `fetch` by default. */
  readonly fetch?: Fetch;
  /** Told what Discord allows; by default one per token in this process. */
  readonly identifyLimiter?: IdentifyLimiter;
}

/**
 * Asks the REST API within a deadline, and tells the identify limiter what Discord allows.
 *
 * @throws {GatewayBotError} The REST API did not answer as it should, or not in time.
 * @throws the signal's reason, once it is aborted.
 */
export async function askGatewayBot(
  options: AskGatewayBotOptions,
  { platform, signal }: { readonly platform: Platform; readonly signal: AbortSignal },
): Promise<GatewayBot> {
  const { token, api, fetch, identifyLimiter } = options;
  const request = new AbortController();
  const onAbort = () => request.abort(signal.reason);
  signal.addEventListener("abort", onAbort);
  const timer = platform.setTimeout(() => {
    request.abort(new Error(`No answer within ${DEADLINE_MS} ms`));
  }, DEADLINE_MS);
  try {
    const answer = await fetchGatewayBot(token, {
      ...(api !== undefined && { api }),
      ...(fetch && { fetch }),
      signal: request.signal,
    });
    tell(identifyLimiter ?? sharedIdentifyLimiter(token, platform), answer.session_start_limit);
    return answer;
  } finally {
    platform.clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * Neither waits nor fails: what follows may be a resume, which needs no limiter, and where it is an identify, the
 * limiter's `take` fails of the same.
 */
async function tell(limiter: IdentifyLimiter, limits: SessionStartLimit): Promise<void> {
  try {
    await limiter.update?.(sessionStartLimit(limits));
  } catch {
    // See above.
  }
}

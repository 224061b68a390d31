/** The default identify limiter: one per token in this process, since Discord counts per bot and not per shard. */

import {
  type Clock,
  MemoryIdentifyLimiter,
  type SessionStartLimit,
  sessionStartLimit,
} from "../../ratelimit/mod.ts";

const byClock = new WeakMap<Clock, Map<string, MemoryIdentifyLimiter>>();

/**
 * The limiter that all shards of a token share.
 *
 * @param limits Discord's current limits, if they are known; they replace the defaults of the limiter.
 *
 * @example
 * ```ts
 * import { sharedIdentifyLimiter, systemPlatform } from "@discordgateway/edge/shard";
 *
 * const first = sharedIdentifyLimiter("bot token", systemPlatform);
 * if (sharedIdentifyLimiter("bot token", systemPlatform) !== first) throw new Error("unexpected");
 * if (!await first.take(0)) throw new Error("no shard has identified yet");
 * ```
 */
export function sharedIdentifyLimiter(
  token: string,
  clock: Clock,
  limits?: SessionStartLimit,
): MemoryIdentifyLimiter {
  let byToken = byClock.get(clock);
  if (byToken === undefined) byClock.set(clock, byToken = new Map());
  let limiter = byToken.get(token);
  if (limiter === undefined) byToken.set(token, limiter = new MemoryIdentifyLimiter({ clock }));
  if (limits) limiter.update(sessionStartLimit(limits));
  return limiter;
}

/**
 * A sliding log with a constant reserve, after twilight's `CommandRatelimiter`.
 *
 * The log holds commands and the identify; each leaves it 60 s later. Its capacity is what remains of 120 after one
 * place for each heartbeat that can fall into 60 s, and one more for a heartbeat that the server asks for. Heartbeats
 * pass it by and are not logged.
 */

import { SlidingLog } from "../../../ratelimit/mod.ts";
import { LIMIT, PERIOD_MS, type PolicyKind } from "../policy.ts";

/** No interval reserves more. */
const MOST_RESERVED = 10;

/** How many commands in 60 s the reserve leaves. */
export function permits(intervalMs: number): number {
  return LIMIT - Math.min(MOST_RESERVED, Math.ceil(PERIOD_MS / intervalMs) + 1);
}

export const CONSTANT_RESERVE: PolicyKind = {
  name: "constant reserve",
  legend:
    "sliding log of 120 - (heartbeats per 60 s, rounded up, + 1); heartbeats are not in it (after twilight)",
  make(intervalMs) {
    const most = permits(intervalMs);
    const log = new SlidingLog(most, PERIOD_MS);
    return {
      commandAt: (now) => Math.max(now, log.dropsTo(most - 1)),
      heartbeatAt: (now) => now,
      record: (kind, now) => {
        if (kind !== "heartbeat") log.record(now);
      },
    };
  },
};

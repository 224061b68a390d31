/** The limiter itself, not a model of it. */

import { CommandLimiter } from "../../../ratelimit/mod.ts";
import { PERIOD_MS, type Policy, type PolicyKind } from "../policy.ts";

export const THIS_LIMITER: PolicyKind = {
  name: "this limiter",
  legend: "a command goes exactly when every heartbeat due in the 60 s after it still fits",
  make: () => thisLimiter(PERIOD_MS),
};

/** The limiter with another period: a shard's is a little longer by default. */
export function thisLimiter(periodMs: number): Policy {
  const limiter = new CommandLimiter({ limit: 120, periodMs });
  return {
    commandAt: (now, heartbeats) => limiter.nextAvailableAt(now, heartbeats),
    heartbeatAt: (now) => limiter.nextUrgentAt(now),
    record: (_kind, now) => limiter.record(now),
    requestedHeartbeatAt: (now, heartbeats) => limiter.requestedHeartbeatAt(now, heartbeats),
  };
}

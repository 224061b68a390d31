/**
 * A bucket that one timer refills as a whole, after discordeno's `LeakyBucket` as its shards use it.
 *
 * It has twice the place of the heartbeats in 60 s set aside. Commands and the identify use it up; the first use of a
 * full bucket starts the timer, which 60 s later gives everything back. Heartbeats pass it by.
 */

import { LIMIT, PERIOD_MS, type PolicyKind } from "../policy.ts";

export const REFILLED_BUCKET: PolicyKind = {
  name: "refilled bucket",
  legend: "120 - 2 x heartbeats per 60 s, all given back 60 s after the first use (after discordeno)",
  make(intervalMs) {
    const most = LIMIT - 2 * Math.ceil(PERIOD_MS / intervalMs);
    let used = 0;
    let refillsAt = -Infinity;
    return {
      commandAt: (now) => now >= refillsAt || used < most ? now : refillsAt,
      heartbeatAt: (now) => now,
      record: (kind, now) => {
        if (kind === "heartbeat") return;
        if (now >= refillsAt) {
          used = 0;
          refillsAt = now + PERIOD_MS;
        }
        used++;
      },
    };
  },
};

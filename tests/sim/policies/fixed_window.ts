/**
 * A fixed window with five reserved, after the Go project whose design this one follows.
 *
 * A channel holds 120 - 4 - 1 = 115 turns, four heartbeats and the identify being set aside. A ticker fills it every
 * 60 s from the opening of the connection on. Heartbeats pass it by.
 */

import { LIMIT, PERIOD_MS, type PolicyKind } from "../policy.ts";

const TURNS = LIMIT - 4 - 1;

export const FIXED_WINDOW: PolicyKind = {
  name: "fixed window",
  legend:
    "115 commands, all given back every 60 s from the opening of the connection on (after the Go project discordgateway)",
  make() {
    let window = 0;
    let used = 0;
    const windowAt = (now: number) => Math.floor(now / PERIOD_MS);
    return {
      commandAt: (now) => {
        if (windowAt(now) > window || used < TURNS) return now;
        return (window + 1) * PERIOD_MS;
      },
      heartbeatAt: (now) => now,
      record: (kind, now) => {
        if (kind !== "command") return;
        if (windowAt(now) > window) used = 0;
        window = windowAt(now);
        used++;
      },
    };
  },
};

/**
 * A token bucket, after arikawa's `NewSendLimiter` in its present form.
 *
 * It holds 5 tokens and gains 115 a minute, evenly: together never more than 120 in any 60 s. Each frame takes one,
 * whatever it is. There is one queue: a heartbeat waits behind whoever waited before it.
 */

import { LIMIT, PERIOD_MS, type PolicyKind } from "../policy.ts";

const BURST = 5;
const MS_PER_TOKEN = PERIOD_MS / (LIMIT - BURST);

export const TOKEN_BUCKET: PolicyKind = {
  name: "token bucket",
  legend: "5 tokens, 115 more a minute; heartbeats queue for them behind a waiting command (after arikawa)",
  make() {
    // The bucket as one number: the instant at which it will be full again. Each frame moves it on by one token.
    let fullAt = 0;
    const tokenAt = (now: number) => Math.max(now, fullAt - (BURST - 1) * MS_PER_TOKEN);
    return {
      commandAt: tokenAt,
      heartbeatAt: tokenAt,
      record: (_kind, now) => {
        fullAt = Math.max(fullAt, now) + MS_PER_TOKEN;
      },
      heartbeatsQueue: true,
    };
  },
};

/**
 * The budget over time: who holds each of the 120 places of the last 60 s, and whether an empty one is kept for a
 * heartbeat to come or wasted.
 *
 * An empty place is kept if a command that took it would stand in the way of a heartbeat that is due during the 60 s
 * after it. Whatever this project's own rule would let through is wasted.
 */

import { CommandLimiter, SlidingLog } from "../../ratelimit/mod.ts";
import { LIMIT, PERIOD_MS } from "./policy.ts";
import type { SentFrame } from "./saturate.ts";

/** A span of time during which nothing changes; the four figures add up to 120. */
export interface Span {
  readonly from: number;
  readonly to: number;
  /** Commands, and the identify, of the last 60 s. */
  readonly commands: number;
  /** Heartbeats of the last 60 s. */
  readonly heartbeats: number;
  /** Empty, and kept for a heartbeat. */
  readonly kept: number;
  /** Empty, and of use to nobody. */
  readonly wasted: number;
}

/**
 * The spans from 0 to `until`. The frames must go on for 60 s after it, since heartbeats to come matter; those are an
 * interval apart.
 */
export function timeline(frames: readonly SentFrame[], until: number): Span[] {
  const heartbeatTimes = frames.filter(({ kind }) => kind === "heartbeat").map(({ at }) => at);
  const changes = new Set([0, until]);
  for (const { at } of frames) changes.add(at).add(at + PERIOD_MS);
  for (const at of heartbeatTimes) changes.add(at - PERIOD_MS);
  const times = [...changes].filter((at) => at >= 0 && at <= until).sort((a, b) => a - b);

  const limiter = new CommandLimiter({ limit: LIMIT, periodMs: PERIOD_MS });
  const all = new SlidingLog(LIMIT, PERIOD_MS);
  const heartbeats = new SlidingLog(LIMIT, PERIOD_MS);
  const intervalMs = (heartbeatTimes[1] ?? Infinity) - (heartbeatTimes[0] ?? 0);
  const spans: Span[] = [];
  let sent = 0;
  for (const [index, from] of times.slice(0, -1).entries()) {
    const to = times[index + 1]!;
    for (; sent < frames.length && frames[sent]!.at <= from; sent++) {
      const { at, kind } = frames[sent]!;
      limiter.record(at);
      all.record(at);
      if (kind === "heartbeat") heartbeats.record(at);
    }
    const middle = (from + to) / 2;
    const nextAt = heartbeatTimes.find((at) => at > from) ?? Infinity;
    const live = all.liveAt(middle);
    const wasted = limiter.available(middle, { nextAt, intervalMs });
    const beating = heartbeats.liveAt(middle);
    spans.push({
      from,
      to,
      commands: live - beating,
      heartbeats: beating,
      kept: LIMIT - live - wasted,
      wasted,
    });
  }
  return spans;
}

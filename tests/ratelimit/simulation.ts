/**
 * Saturated demand against a command limiter, stepped from event to event: whenever a command is admitted, one goes.
 *
 * What is measured are the promises: the worst number of frames in any period, the lateness of heartbeats, and how
 * many commands the limiter lets through.
 */

import { CommandLimiter } from "../../ratelimit/mod.ts";

export interface Scenario {
  readonly intervalMs: number;
  /** When the first heartbeat is due. */
  readonly phaseMs: number;
  readonly minutes: number;
  /** The server asks for a heartbeat each time this has passed. */
  readonly requestEveryMs?: number;
}

export interface Measurement {
  /** Frames that are no heartbeats: one identify, then commands. */
  readonly commands: number;
  readonly heartbeats: number;
  readonly worstInAnyPeriod: number;
  readonly latestHeartbeatMs: number;
  /** From the request of a heartbeat to its sending. */
  readonly requestWaitsMs: readonly number[];
}

export function simulate(scenario: Scenario): Measurement {
  const { intervalMs, phaseMs, minutes, requestEveryMs = Infinity } = scenario;
  const limiter = new CommandLimiter();
  const sent: number[] = [];
  const requestWaitsMs: number[] = [];
  let heartbeats = 0;
  let latestHeartbeatMs = 0;
  let nextAt = phaseMs;
  let requestAt = requestEveryMs;
  let requestedSince: number | null = null;

  const send = (now: number) => {
    limiter.record(now);
    sent.push(now);
  };
  send(0);
  for (let now = 0;;) {
    const beatAt = Math.max(nextAt, limiter.nextUrgentAt(now));
    const commandAt = limiter.nextAvailableAt(now, { nextAt, intervalMs });
    now = Math.min(beatAt, commandAt, requestAt);
    if (now >= minutes * 60_000) break;
    if (now === beatAt) {
      send(now);
      heartbeats++;
      latestHeartbeatMs = Math.max(latestHeartbeatMs, now - nextAt);
      nextAt += intervalMs;
      if (requestedSince !== null) requestWaitsMs.push(now - requestedSince);
      requestedSince = null;
    } else if (now === requestAt) {
      nextAt = limiter.requestedBeatAt(now, { nextAt, intervalMs });
      requestedSince ??= now;
      requestAt += requestEveryMs;
    } else {
      send(now);
    }
  }
  return {
    commands: sent.length - heartbeats,
    heartbeats,
    worstInAnyPeriod: worstInAnyPeriod(sent, 60_000),
    latestHeartbeatMs,
    requestWaitsMs,
  };
}

/** The most entries in any window of one period; `times` ascend. */
export function worstInAnyPeriod(times: readonly number[], periodMs: number): number {
  let worst = 0;
  let first = 0;
  times.forEach((time, last) => {
    while (times[first]! + periodMs <= time) first++;
    worst = Math.max(worst, last - first + 1);
  });
  return worst;
}

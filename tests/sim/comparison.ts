/**
 * The limiters beside each other: ten minutes of saturated demand at three heartbeat intervals, from five phases of the
 * heartbeat and three instants of the first minute, with and without heartbeats that the server asks for.
 *
 * The task prints it, the documentation shows it, and a test holds it to what it is said to show.
 */

import { CONSTANT_RESERVE } from "./policies/constant_reserve.ts";
import { FIXED_WINDOW } from "./policies/fixed_window.ts";
import { REFILLED_BUCKET } from "./policies/refilled_bucket.ts";
import { THIS_LIMITER } from "./policies/this_limiter.ts";
import { TOKEN_BUCKET } from "./policies/token_bucket.ts";
import { LIMIT, PERIOD_MS, type PolicyKind } from "./policy.ts";
import { type Run, saturate } from "./saturate.ts";

/** All of them, this project's first. */
export const POLICIES: readonly PolicyKind[] = [
  THIS_LIMITER,
  CONSTANT_RESERVE,
  TOKEN_BUCKET,
  FIXED_WINDOW,
  REFILLED_BUCKET,
];

export const INTERVALS_MS: readonly number[] = [30_000, 41_250, 60_000];
/** When the first heartbeat is due, in parts of the interval. */
export const PHASES: readonly number[] = [0, 0.2, 0.4, 0.6, 0.8];
/** At once, in the middle of a window that began with the connection, and in its last second. */
export const DEMAND_FROM_MS: readonly number[] = [0, 30_000, 59_000];
export const MINUTES = 10;
/** A server that asks for a heartbeat about once a minute, out of step with everything else. */
export const REQUEST_EVERY_MS = 61_000;

/** What one policy did at one interval, over all phases and instants. */
export interface Summary {
  /** User commands per minute, on average. */
  readonly commandsPerMinute: number;
  /** User commands in the first 60 s of the demand, in the run with the fewest and in that with the most. */
  readonly firstMinute: readonly [least: number, most: number];
  /** The most frames of all kinds in any 60 s. */
  readonly worst: number;
  /** The lateness of the latest heartbeat, in ms. */
  readonly latestHeartbeatMs: number;
  /** From a request of a heartbeat to its sending, at most, in ms. */
  readonly longestAnswerMs: number;
  /** What it is a summary of. */
  readonly runs: readonly Run[];
}

/** A line of the comparison. */
export interface Line {
  readonly policy: PolicyKind;
  readonly intervalMs: number;
  /** Heartbeats by the schedule alone. */
  readonly scheduled: Summary;
  /** The server asks for heartbeats as well. */
  readonly requested: Summary;
}

/** Simulates everything. `onLine` hears of each line that is ready. */
export function compare(onLine: (line: Line) => void = () => {}): Line[] {
  const lines: Line[] = [];
  for (const intervalMs of INTERVALS_MS) {
    for (const policy of POLICIES) {
      const line = {
        policy,
        intervalMs,
        scheduled: summarize(policy, intervalMs, Infinity),
        requested: summarize(policy, intervalMs, REQUEST_EVERY_MS),
      };
      lines.push(line);
      onLine(line);
    }
  }
  return lines;
}

/** The most user commands per minute that any limiter could let through: what the heartbeats leave of 120. */
export function mostPerMinute(intervalMs: number): number {
  return LIMIT - PERIOD_MS / intervalMs;
}

/** All phases and instants with one policy. */
export function summarize(policy: PolicyKind, intervalMs: number, requestEveryMs: number): Summary {
  const runs = PHASES.flatMap((phase) =>
    DEMAND_FROM_MS.map((demandFromMs) =>
      saturate(policy.make(intervalMs), {
        intervalMs,
        firstHeartbeatMs: phase * intervalMs,
        demandFromMs,
        minutes: MINUTES,
        requestEveryMs,
      })
    )
  );
  const firstMinutes = runs.map(({ commandsInFirstMinute }) => commandsInFirstMinute);
  const commands = runs.reduce((sum, { count }) => sum + count.command, 0);
  return {
    commandsPerMinute: commands / (runs.length * MINUTES),
    firstMinute: [Math.min(...firstMinutes), Math.max(...firstMinutes)],
    worst: Math.max(...runs.map(({ worst }) => worst)),
    latestHeartbeatMs: Math.max(...runs.map(({ latestHeartbeatMs }) => latestHeartbeatMs)),
    longestAnswerMs: Math.max(0, ...runs.flatMap(({ requestWaitsMs }) => requestWaitsMs)),
    runs,
  };
}

/**
 * Saturated demand against one policy, stepped from event to event: from some instant on there is always a caller
 * who waits to send, and whenever the policy lets a command go, one goes.
 *
 * What is measured are the promises of a limiter: the worst number of frames in any 60 s, the lateness of heartbeats,
 * and how many commands get through.
 */

import { type FrameKind, PERIOD_MS, type Policy } from "./policy.ts";

/** The circumstances of a run. Times are ms since the connection opened and identified. */
export interface Circumstances {
  /** `heartbeat_interval` of HELLO. */
  readonly intervalMs: number;
  /** When the first heartbeat is due. */
  readonly firstHeartbeatMs: number;
  /** From when on there is demand. */
  readonly demandFromMs: number;
  /** How long the demand lasts. */
  readonly minutes: number;
  /** The server asks for a heartbeat each time this has passed; never by default. */
  readonly requestEveryMs?: number;
}

/** A frame that was sent. */
export interface SentFrame {
  readonly at: number;
  readonly kind: FrameKind;
}

/** What came of a run. */
export interface Run {
  /** Everything sent, in order. */
  readonly frames: readonly SentFrame[];
  /** Frames of each kind while there was demand. */
  readonly count: Readonly<Record<FrameKind, number>>;
  /** Commands in the first 60 s of the demand. */
  readonly commandsInFirstMinute: number;
  /** The most frames in any 60 s. */
  readonly worst: number;
  /** From the instant at which a heartbeat was due to its sending, at most, in ms. */
  readonly latestHeartbeatMs: number;
  /** From each request of a heartbeat to its sending, in ms. */
  readonly requestWaitsMs: readonly number[];
}

/** Runs it. */
export function saturate(policy: Policy, circumstances: Circumstances): Run {
  const { intervalMs, firstHeartbeatMs, demandFromMs, minutes, requestEveryMs = Infinity } = circumstances;
  const until = demandFromMs + minutes * 60_000;
  const frames: SentFrame[] = [];
  const requestWaitsMs: number[] = [];
  let latestHeartbeatMs = 0;
  let nextAt = firstHeartbeatMs;
  let requestAt = requestEveryMs;
  /** Since when a requested heartbeat has been owed. */
  let owedSince = Infinity;
  let callerSince = demandFromMs;

  const send = (kind: FrameKind, now: number) => {
    policy.record(kind, now);
    frames.push({ at: now, kind });
  };
  send("identify", 0);
  for (let now = 0;;) {
    const extraDueAt = policy.requestedHeartbeatAt ? Infinity : owedSince;
    const dueAt = Math.min(nextAt, extraDueAt);
    const heartbeatAt = policy.heartbeatAt(Math.max(now, dueAt));
    const commandAt = policy.commandAt(Math.max(now, demandFromMs), { nextAt, intervalMs });
    now = Math.min(heartbeatAt, commandAt, requestAt);
    if (now >= until) break;
    if (now === requestAt) {
      nextAt = policy.requestedHeartbeatAt?.(now, { nextAt, intervalMs }) ?? nextAt;
      owedSince = Math.min(owedSince, now);
      requestAt += requestEveryMs;
    } else if (now === heartbeatAt && !(policy.heartbeatsQueue && commandAt === now && callerSince < dueAt)) {
      send("heartbeat", now);
      latestHeartbeatMs = Math.max(latestHeartbeatMs, now - dueAt);
      const isExtra = dueAt !== nextAt;
      if (!isExtra) nextAt += intervalMs;
      if (owedSince < Infinity && (isExtra || policy.requestedHeartbeatAt)) {
        requestWaitsMs.push(now - owedSince);
        owedSince = Infinity;
      }
    } else {
      send("command", now);
      callerSince = now;
    }
  }

  const demanded = frames.filter(({ at }) => at >= demandFromMs);
  const count = { identify: 0, heartbeat: 0, command: 0 };
  for (const { kind } of demanded) count[kind]++;
  return {
    frames,
    count,
    commandsInFirstMinute:
      demanded.filter(({ at, kind }) => kind === "command" && at < demandFromMs + PERIOD_MS).length,
    worst: worstInAnyPeriod(frames.map(({ at }) => at), PERIOD_MS),
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

/**
 * 120 frames in any 60 s, heartbeats always on time, and no slot wasted on a constant reserve.
 *
 * Theory of operation. Every frame sent is logged, whatever it is. The heartbeats to come are known, so the load at
 * a future instant is known too: the logged frames that still count, plus the heartbeats due until then. It only rises
 * where a heartbeat is due. A user command sent at `t` adds one to the load during `[t, t + period)`, its window. It is
 * admitted exactly when the load at `t`, and at each heartbeat due during that window, stays within the limit with it.
 *
 * From this follows what the rest relies on: *sent when due, every scheduled heartbeat fits.* An admitted command keeps
 * it by the rule, a heartbeat sent on time only moves from the schedule to the log, and a heartbeat that the server asks for
 * waits until it keeps it. Identify and resume are not weighed against heartbeats: they open a connection, when the log
 * holds next to nothing.
 *
 * All instants are exact; nothing is polled. The log never grows by itself, so the first instant at which a load of
 * `n` is left is one lookup, and a call costs one lookup for each heartbeat in one life of a frame, two at the usual
 * interval. Heartbeats so dense that they fill the budget by themselves end the search at the `limit`-th.
 *
 * A heartbeat is never admitted above the limit either. Where the runtime's timer was late for one and the period is a
 * multiple of the interval, the budget being spent, the heartbeat one period later waits for as long as that one was late.
 *
 * A clock that goes back before the last frame is found out by the next question, not only by the next frame. A command
 * weighs an overdue heartbeat as one that goes with it or later. Should the clock then show less, the frames that had left by
 * the command's time would seem to count again, and leave that heartbeat no place.
 */

import { SlidingLog } from "./sliding_log.ts";

/** When heartbeats are due: at `nextAt`, then every `intervalMs`. */
export interface HeartbeatSchedule {
  /** The next heartbeat, in ms on the clock of `now`; one in the past is due now. */
  readonly nextAt: number;
  /** From one heartbeat to the next, in ms: `heartbeat_interval` of HELLO. */
  readonly intervalMs: number;
}

/** Frames that Discord takes on one connection in 60 s. */
export const DEFAULT_COMMAND_LIMIT = 120;

/** Options of a {@linkcode CommandLimiter}. */
export interface CommandLimiterOptions {
  /**
   * Frames in any one period, 2 or more: a heartbeat and a command.
   * @default {120}
   */
  readonly limit?: number;
  /**
   * The period in ms.
   * @default {60_000}
   */
  readonly periodMs?: number;
}

/**
 * Answers when a frame may be sent on one connection; a new connection takes a new limiter.
 *
 * It does not send and does not wait: ask, write the frame in the same turn, then {@linkcode CommandLimiter.record}.
 * `now` is always the present: one before the last frame is taken for a clock that went back.
 *
 * @see https://docs.discord.com/developers/events/gateway#rate-limiting
 *
 * @example
 * ```ts
 * import { CommandLimiter } from "@discordgateway/edge/ratelimit";
 *
 * const limiter = new CommandLimiter();
 * const heartbeats = { nextAt: 41_250, intervalMs: 41_250 };
 * limiter.record(0); // identify
 *
 * // One slot is kept for the heartbeat at 41.25 s; the one at 82.5 s is no concern of a command sent now.
 * if (limiter.available(0, heartbeats) !== 118) throw new Error("unexpected");
 * for (let n = 0; n < 118; n++) limiter.record(0);
 *
 * if (limiter.nextAvailableAt(0, heartbeats) !== 60_000) throw new Error("unexpected");
 * if (limiter.nextUrgentAt(41_250) !== 41_250) throw new Error("the heartbeat finds its slot");
 * ```
 */
export class CommandLimiter {
  /** Frames in any one period. */
  readonly limit: number;
  /** The period in ms. */
  readonly periodMs: number;
  readonly #log: SlidingLog;

  /**
   * Makes the limiter of a fresh connection.
   *
   * @throws {RangeError} where `limit` is no integer from 2 on, or `periodMs` no positive number.
   */
  constructor(options: CommandLimiterOptions = {}) {
    this.limit = options.limit ?? DEFAULT_COMMAND_LIMIT;
    if (!(this.limit >= 2)) {
      throw new RangeError(`Cannot limit commands: the limit must be 2 or more: ${this.limit}`);
    }
    this.periodMs = options.periodMs ?? 60_000;
    this.#log = new SlidingLog(this.limit, this.periodMs);
  }

  /**
   * Notes any frame sent at `now`: heartbeat, identify, resume or command.
   *
   * @throws {RangeError} where `now` is no finite number.
   */
  record(now: number): void {
    this.#log.record(now);
  }

  /** The first instant from `now` on at which one more frame of high priority (heartbeat, identify, resume) fits. */
  nextUrgentAt(now: number): number {
    this.#log.observe(now);
    return Math.max(now, this.#log.dropsTo(this.limit - 1));
  }

  /**
   * The first instant from `now` on at which a user command is admitted, if nothing is sent until then but the
   * heartbeats; `now` = go, `Infinity` = never, since the heartbeats alone fill the budget. `null` where no
   * heartbeats run.
   */
  nextAvailableAt(now: number, heartbeats: HeartbeatSchedule | null): number {
    let at = this.nextUrgentAt(now);
    if (!heartbeats) return at;
    const { firstAt, intervalMs, mostLive } = this.#upcoming(now, heartbeats);
    for (let heartbeat = 1;; heartbeat++) {
      const dueAt = firstAt + (heartbeat - 1) * intervalMs;
      if (!(dueAt < at + this.periodMs)) return at;
      const room = this.limit - Math.min(heartbeat, mostLive) - 1;
      if (room < 0) return Infinity;
      // No heartbeat of the schedule leaves before `now + periodMs`, when every logged frame has: the log alone decides.
      const freeAt = this.#log.dropsTo(room);
      if (freeAt > dueAt) at = Math.max(at, freeAt);
    }
  }

  /**
   * The first instant at which a heartbeat that the server asks for (op 1) can be sent, `heartbeats.nextAt` at the latest.
   *
   * It takes the place of the next scheduled one: make the result the schedule's new `nextAt`, and go on from there
   * by the interval. None of the following heartbeats is then late, and user commands wait behind this one too.
   *
   * @see https://docs.discord.com/developers/events/gateway#heartbeat-requests
   */
  requestedHeartbeatAt(now: number, heartbeats: HeartbeatSchedule): number {
    this.#log.observe(now);
    const { firstAt, intervalMs, mostLive } = this.#upcoming(now, heartbeats);
    let at = now;
    // Waiting makes room for each heartbeat of the shifted schedule, so the latest of their demands is the result.
    // From the `mostLive`-th on the demands are weaker than that of the one before.
    for (let heartbeat = 1; heartbeat <= Math.min(mostLive, this.limit) && at < firstAt; heartbeat++) {
      at = Math.max(at, this.#log.dropsTo(this.limit - heartbeat) - (heartbeat - 1) * intervalMs);
    }
    return Math.min(at, firstAt);
  }

  /** How many user commands could be sent right now. `null` where no heartbeats run. */
  available(now: number, heartbeats: HeartbeatSchedule | null): number {
    this.#log.observe(now);
    let free = this.limit - this.#log.liveAt(now);
    if (!heartbeats) return free;
    const { firstAt, intervalMs, mostLive } = this.#upcoming(now, heartbeats);
    for (let heartbeat = 1; free > 0; heartbeat++) {
      const dueAt = firstAt + (heartbeat - 1) * intervalMs;
      if (!(dueAt < now + this.periodMs)) return free;
      free = Math.min(free, this.limit - Math.min(heartbeat, mostLive) - this.#log.liveAt(dueAt));
    }
    return Math.max(0, free);
  }

  #upcoming(
    now: number,
    heartbeats: HeartbeatSchedule,
  ): { firstAt: number; intervalMs: number; mostLive: number } {
    const intervalMs = Math.max(0, heartbeats.intervalMs);
    return {
      firstAt: Math.max(now, heartbeats.nextAt),
      intervalMs,
      // How many heartbeats count at the instant of a heartbeat, itself included, once they have run for a period.
      mostLive: Math.ceil(this.periodMs / intervalMs),
    };
  }
}

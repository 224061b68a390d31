/**
 * When to heartbeat, and whether the peer still lives.
 *
 * The first heartbeat comes after a random part of the interval, so that a mass reconnect does not heartbeat in step; the next ones
 * an interval after the one before. A peer is a zombie when it has sent *nothing at all* since our last heartbeat, judged at the
 * next: an acknowledgement can be stuck behind a flood of events, and the flood proves life as well.
 *
 * @see https://docs.discord.com/developers/events/gateway#sending-heartbeats
 */

import type { HeartbeatSchedule } from "../ratelimit/mod.ts";

/**
 * The heartbeat of one connection, from its HELLO on.
 *
 * @example
 * ```ts
 * import { Heartbeat } from "@discordgateway/edge/gateway";
 *
 * const heartbeat = new Heartbeat(40_000, 0, 0.5);
 * heartbeat.sent(heartbeat.nextAt);          // the first heartbeat is jittered: at 20 s
 * if (!heartbeat.silent) throw new Error("nothing came since the heartbeat");
 * heartbeat.heard();
 * if (heartbeat.silent || heartbeat.nextAt !== 60_000) throw new Error("unexpected");
 * ```
 */
export class Heartbeat implements HeartbeatSchedule {
  #intervalMs: number;
  #nextAt: number;
  #silent = false;

  /**
   * Starts the schedule.
   *
   * @param intervalMs HELLO's `heartbeat_interval` in ms.
   * @param now When HELLO came, in ms.
   * @param jitter A random number in [0, 1).
   */
  constructor(intervalMs: number, now: number, jitter: number) {
    this.#intervalMs = intervalMs;
    this.#nextAt = now + intervalMs * jitter;
  }

  /** HELLO's `heartbeat_interval` in ms. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  /** When the next heartbeat is due, in ms. */
  get nextAt(): number {
    return this.#nextAt;
  }

  /** Nothing has come in since the last heartbeat: if the next one is due, the peer is a zombie. */
  get silent(): boolean {
    return this.#silent;
  }

  /** A frame of any kind came in. */
  heard(): void {
    this.#silent = false;
  }

  /** A heartbeat went out; the next follows an interval later. */
  sent(now: number): void {
    this.#silent = true;
    this.#nextAt = now + this.#intervalMs;
  }

  /** The next heartbeat goes out earlier, since Discord asked for it, or later, since the command budget is full. */
  moveTo(at: number): void {
    this.#nextAt = at;
  }

  /** HELLO came again with another interval: the next heartbeat comes no later than it would have by that. */
  changeInterval(intervalMs: number, now: number): void {
    this.#intervalMs = intervalMs;
    this.#nextAt = Math.min(this.#nextAt, now + intervalMs);
  }
}

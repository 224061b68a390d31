/**
 * What may go out on one gateway connection, and when. Heartbeats, IDENTIFY, RESUME and the user's commands share one budget:
 * it reserves capacity for scheduled heartbeats, and delays a heartbeat only when Discord asked for it unexpectedly.
 */

import { CommandLimiter, CommandRateLimitError } from "../ratelimit/mod.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Latency } from "./latency.ts";
import { GatewayOpcode } from "./opcode.ts";
import type { GatewayOutput } from "./state_io.ts";

/** The command budget, and the heartbeats within it. */
export class FrameBudget {
  readonly #limiter: CommandLimiter;
  /** How long acknowledgements take. */
  readonly latency: Latency = new Latency();
  #heartbeat: Heartbeat | null = null;
  #isRequested = false;
  /** IDENTIFY or RESUME is still to come, and needs its part of the budget. */
  #isOpening = true;

  /** No heartbeat is due before {@linkcode start}. */
  constructor(periodMs: number) {
    this.#limiter = new CommandLimiter({ periodMs });
  }

  /** Frames in any one window, heartbeats included. */
  get limit(): number {
    return this.#limiter.limit;
  }

  /** How many commands could be sent right now. */
  available(now: number): number {
    return this.#limiter.available(now, this.#heartbeat);
  }

  /** The first instant at which a command is allowed, `now` if at once. */
  nextAvailableAt(now: number): number {
    return this.#limiter.nextAvailableAt(now, this.#heartbeat);
  }

  /** IDENTIFY or RESUME goes out. */
  open(now: number): void {
    this.#isOpening = false;
    this.#limiter.record(now);
  }

  /**
   * A command goes out.
   *
   * @throws {CommandRateLimitError} The budget is used up.
   */
  admit(now: number): void {
    const at = this.nextAvailableAt(now);
    if (at > now) throw new CommandRateLimitError(at, now);
    this.#limiter.record(now);
  }

  /** The heartbeat's schedule; `null` before HELLO. */
  get heartbeat(): Heartbeat | null {
    return this.#heartbeat;
  }

  /** When the next heartbeat is due, in ms; `Infinity` before HELLO. */
  get heartbeatAt(): number {
    return this.#heartbeat?.nextAt ?? Infinity;
  }

  /** Discord asked for the next heartbeat, and the budget had no capacity at once. */
  get isHeartbeatRequested(): boolean {
    return this.#isRequested;
  }

  /**
   * HELLO came.
   *
   * @returns Whether it is the first one: a later one only changes the interval.
   */
  start(intervalMs: number, now: number, random: () => number): boolean {
    if (this.#heartbeat === null) {
      this.#heartbeat = new Heartbeat(intervalMs, now, random());
      return true;
    }
    this.#heartbeat.changeInterval(intervalMs, now);
    return false;
  }

  /** Discord asks for a heartbeat: it replaces the next scheduled one, at once if the budget allows it. */
  heartbeatRequested(sequence: number | null, now: number): readonly GatewayOutput[] {
    const heartbeat = this.#heartbeat;
    // Before HELLO there is no schedule to protect.
    if (heartbeat === null) return this.#isReserved(now) ? [] : [this.#heartbeatOutput(sequence, now)];
    heartbeat.moveTo(this.#limiter.requestedHeartbeatAt(now, heartbeat));
    this.#isRequested = true;
    return this.heartbeatDue(sequence, now);
  }

  /** The heartbeat that is due and allowed, if any. */
  heartbeatDue(sequence: number | null, now: number): readonly GatewayOutput[] {
    const heartbeat = this.#heartbeat;
    if (heartbeat === null || heartbeat.nextAt > now) return [];
    const allowedAt = this.#isReserved(now) ? now + heartbeat.intervalMs : this.#limiter.nextUrgentAt(now);
    if (allowedAt > now) {
      heartbeat.moveTo(allowedAt);
      return [];
    }
    heartbeat.sent(now);
    this.#isRequested = false;
    return [this.#heartbeatOutput(sequence, now)];
  }

  /** One more heartbeat would take the capacity that IDENTIFY or RESUME needs. */
  #isReserved(now: number): boolean {
    return this.#isOpening && this.#limiter.available(now, null) < 2;
  }

  #heartbeatOutput(sequence: number | null, now: number): GatewayOutput {
    this.latency.sent(now);
    this.#limiter.record(now);
    const frame = `{"op":${GatewayOpcode.Heartbeat},"d":${sequence ?? "null"}}`;
    return { type: "send", frame, what: "heartbeat" };
  }
}

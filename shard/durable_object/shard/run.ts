/**
 * One run of a hosted shard, from its start to its end. After a failure the host begins another run.
 *
 * A run connects the shard with the delivery of its events and with the keeper of its session, and detects whether the
 * shard is stuck.
 */

import { Timer } from "../../../ratelimit/timer.ts";
import type { LatencyReading } from "../../../gateway/mod.ts";
import { Delivery, type DeliveryOptions } from "../../delivery/delivery.ts";
import type { EventHandler, Numbered } from "../../events/event_queue.ts";
import type { Platform } from "../../pipe/platform.ts";
import { SessionKeeper, type SessionKeeperOptions } from "../../stores/session_keeper.ts";
import type { Shard } from "../../shard.ts";
import type { ShardStatus } from "../../status.ts";

/** The part of a shard that a run uses, for any type of event. */
type HostedShard<Event> =
  & Pick<Shard, "status" | "session" | "latency" | "queued" | "commands" | "send" | "close" | "acknowledge">
  & { run(handler: EventHandler<Event>): Promise<void> };

/** Options of a {@linkcode HostedRun}. */
export interface HostedRunOptions<Event> {
  /** Creates the shard, which reports its status. */
  readonly shard: (onStatus: (status: ShardStatus) => void) => HostedShard<Event>;
  /** How its events are handled. */
  readonly delivery: Pick<DeliveryOptions<Event>, "handler" | "deadLetter" | "deadlineMs" | "onFailure">;
  /** How its session is saved. */
  readonly keeping: Pick<SessionKeeperOptions, "saved" | "store" | "saveEveryMs" | "onError">;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** Called when the shard's status has changed. */
  readonly onStatus: (status: ShardStatus) => void;
  /** Called when an event is handled. */
  readonly onHandled: (now: number) => void;
}

/** A shard without any activity for this long is stuck, in ms. READY may take two minutes. */
const STUCK_MS = 300_000;
/** How long a session stays parked at Discord before it is resumed, in ms. Discord drops it after a few minutes. */
const PARK_MS = 45_000;
/** A shard that was live for this long, in ms, resets the counts of failures. */
const PROOF_MS = 60_000;

/** One shard, its delivery and its session keeper. */
export class HostedRun<Event extends Numbered & { readonly t: string }> {
  /** The shard. */
  readonly shard: HostedShard<Event>;
  /** Delivers its events. */
  readonly delivery: Delivery<Event>;
  /** Saves its session. */
  readonly keeper: SessionKeeper;
  readonly #options: HostedRunOptions<Event>;
  #ended: Promise<unknown> = Promise.resolve(null);
  /** When the shard was last active, in ms. */
  #movedAt: number;
  /** Acknowledged heartbeats at the last check. */
  #acknowledged = 0;
  #liveAt: number | null = null;
  #why: string | null = null;
  readonly #parkTimer: Timer;
  /** Called once this many events are handled. */
  #goal: { readonly handled: number; readonly reached: () => void } | null = null;

  /**
   * Creates a run; `begin` starts it.
   *
   * @throws what the constructor of `Shard` throws.
   */
  constructor(options: HostedRunOptions<Event>) {
    const { platform, delivery, keeping } = options;
    this.#options = options;
    this.#parkTimer = new Timer(platform);
    this.#movedAt = platform.now();
    this.shard = options.shard((status) => this.#onStatus(status));
    this.delivery = new Delivery({ ...delivery, platform, onHandled: () => this.#onHandled() });
    this.keeper = new SessionKeeper({ ...keeping, record: () => this.shard.session, clock: platform });
  }

  /** Why there is no connection; `null` while there is one. */
  get why(): string | null {
    return this.#why;
  }

  /** The latency of heartbeats; `null` without a connection. */
  get latency(): LatencyReading | null {
    return this.shard.latency;
  }

  /** Resolves when the run has ended, with its error. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }

  /** Starts the run. Calls `onEnd` once, with the error that ended it, after the session is stored. */
  begin(onEnd: (error: unknown) => void): void {
    this.#ended = this.shard.run(this.delivery.deliver).then(() => null, (error: unknown) => error).then(
      (error) => {
        this.#keep();
        onEnd(error);
        return error;
      },
    );
  }

  /** Whether a callback of {@linkcode HostedRun.whenHandled} is pending. */
  get hasGoal(): boolean {
    return this.#goal !== null;
  }

  /** Calls `reached` once, when every event received so far is handled; `null` removes the callback. */
  whenHandled(reached: (() => void) | null): void {
    const { handled, isBusy } = this.delivery;
    this.#goal = reached && { handled: handled + this.shard.queued.now + (isBusy ? 1 : 0), reached };
    this.#lookForGoal();
  }

  /** Ends the run; the event in hand stays unhandled. Resolves when the run no longer waits for the handler. */
  async close(options: { readonly keepSession: boolean }): Promise<void> {
    this.delivery.stop();
    await this.shard.close(options);
    await this.#ended;
  }

  /** Ends the run without waiting for the shard, which may be stuck; its session is stored when this returns. */
  abandon(): void {
    this.delivery.stop();
    // `close` never rejects, and may never resolve for a stuck shard.
    void this.shard.close({ keepSession: true });
    this.#keep();
  }

  /** Checks whether the run is proven, and in which state it is stuck, if it is. */
  watch(): { readonly isProven: boolean; readonly stuckIn: ShardStatus["state"] | null } {
    const now = this.#options.platform.now();
    const acknowledged = this.latency?.acknowledged ?? 0;
    if (acknowledged !== this.#acknowledged) this.#movedAt = now;
    this.#acknowledged = acknowledged;
    this.keeper.check();
    const { state } = this.shard.status;
    // The identify limiter and the handler decide how long these two states take.
    const mayTakeLong = state === "awaiting_permit" || state === "draining";
    return {
      isProven: this.#liveAt !== null && now - this.#liveAt >= PROOF_MS,
      stuckIn: mayTakeLong || now - this.#movedAt < STUCK_MS ? null : state,
    };
  }

  #onHandled(): void {
    const { platform, onHandled } = this.#options;
    this.shard.acknowledge();
    this.#movedAt = platform.now();
    onHandled(this.#movedAt);
    this.keeper.touch();
    this.#lookForGoal();
  }

  #lookForGoal(): void {
    const goal = this.#goal;
    if (goal === null || this.delivery.handled < goal.handled) return;
    this.#goal = null;
    goal.reached();
  }

  #onStatus(status: ShardStatus): void {
    const { platform, onStatus } = this.#options;
    this.#movedAt = platform.now();
    this.#parkTimer.clear();
    this.#liveAt = null;
    switch (status.state) {
      case "live":
        this.#liveAt = this.#movedAt;
        this.#why = null;
        // Saves a new session at once: without its record the next run would need an identify.
        this.keeper.check();
        this.keeper.touch();
        break;
      case "disconnected":
        this.#why = status.why;
        break;
      case "draining":
        this.#why = "The handler is behind: the session waits at Discord";
        // Only a resume keeps the session alive at Discord, and only the next run's shard can send one now.
        this.#parkTimer.set(PARK_MS, () => this.delivery.stopBetweenAttempts());
        break;
    }
    onStatus(status);
  }

  /** Saves the session, and clears the timers. */
  #keep(): void {
    this.#parkTimer.clear();
    this.keeper.stop();
    // `onError` has already been called with the error of a rejection.
    this.keeper.flush().catch(() => {});
  }
}

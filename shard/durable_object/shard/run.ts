/**
 * One run of a hosted shard: from its start to whatever ends it. The host makes another after a failure.
 *
 * It joins the shard to the delivery of its events and to the keeper of its session, and notices whether anything moves.
 */

import { Timer } from "../../../ratelimit/timer.ts";
import type { LatencyReading } from "../../../gateway/mod.ts";
import { Delivery, type DeliveryOptions } from "../../delivery/delivery.ts";
import type { EventHandler, Numbered } from "../../events/event_queue.ts";
import type { Platform } from "../../pipe/platform.ts";
import { SessionKeeper, type SessionKeeperOptions } from "../../stores/session_keeper.ts";
import type { Shard } from "../../shard.ts";
import type { ShardStatus } from "../../status.ts";

/** What is used of a shard, whatever events it was made for. */
type HostedShard<Event> =
  & Pick<Shard, "status" | "session" | "latency" | "queued" | "commands" | "send" | "close" | "acknowledge">
  & { run(handler: EventHandler<Event>): Promise<void> };

/** What a {@linkcode HostedRun} is made from. */
export interface HostedRunOptions<Event> {
  /** Makes the shard, which tells its status. */
  readonly shard: (onStatus: (status: ShardStatus) => void) => HostedShard<Event>;
  /** How its events are handled. */
  readonly delivery: Pick<DeliveryOptions<Event>, "handler" | "deadLetter" | "deadlineMs" | "onFailure">;
  /** How its session is kept. */
  readonly keeping: Pick<SessionKeeperOptions, "saved" | "store" | "saveEveryMs" | "onError">;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** The status has changed. */
  readonly onStatus: (status: ShardStatus) => void;
  /** An event is handled. */
  readonly onHandled: (now: number) => void;
}

/** A shard that shows no sign of life for so long is stuck, in ms. READY may take two minutes. */
const STUCK_MS = 300_000;
/** So long, in ms, a session that waits at Discord for the handler is left alone. Discord forgets it after a few minutes. */
const PARK_MS = 45_000;
/** A shard that was live for so long, in ms, has proved itself. */
const PROOF_MS = 60_000;

/** One shard, its delivery and its keeper. */
export class HostedRun<Event extends Numbered & { readonly t: string }> {
  /** The shard. */
  readonly shard: HostedShard<Event>;
  /** Hands its events out. */
  readonly delivery: Delivery<Event>;
  /** Saves its session. */
  readonly keeper: SessionKeeper;
  readonly #options: HostedRunOptions<Event>;
  #ended: Promise<unknown> = Promise.resolve(null);
  /** When it last showed that it is alive, in ms. */
  #movedAt: number;
  /** Heartbeats acknowledged, when they were last looked at. */
  #acknowledged = 0;
  #liveAt: number | null = null;
  #why: string | null = null;
  readonly #parkTimer: Timer;
  /** Whom to tell once so many events are handled. */
  #goal: { readonly handled: number; readonly reached: () => void } | null = null;

  /**
   * Makes a run that has not begun.
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

  /** Why there is no connection, `null` while there is one. */
  get why(): string | null {
    return this.#why;
  }

  /** How long heartbeats take; `null` without a connection. */
  get latency(): LatencyReading | null {
    return this.shard.latency;
  }

  /** Resolves when it is over, with what it ended of. */
  get ended(): Promise<unknown> {
    return this.#ended;
  }

  /** Begins. `onEnd` is told, once, what it ended of; by then the session is stored. */
  begin(onEnd: (error: unknown) => void): void {
    this.#ended = this.shard.run(this.delivery.deliver).then(() => null, (error: unknown) => error).then(
      (error) => {
        this.#keep();
        onEnd(error);
        return error;
      },
    );
  }

  /** Whether somebody waits for {@linkcode HostedRun.whenHandled}. */
  get hasGoal(): boolean {
    return this.#goal !== null;
  }

  /** Calls `reached` once, as soon as all that has come in so far is handled; `null` takes that back. */
  whenHandled(reached: (() => void) | null): void {
    const { handled, isBusy } = this.delivery;
    this.#goal = reached && { handled: handled + this.shard.queued.now + (isBusy ? 1 : 0), reached };
    this.#lookForGoal();
  }

  /** Ends it; the event in hand stays unhandled. Resolves when the handler is let go of. */
  async close(options: { readonly keepSession: boolean }): Promise<void> {
    this.delivery.stop();
    await this.shard.close(options);
    await this.#ended;
  }

  /** Gives it up, whether it answers or not; its session is stored when this returns. */
  abandon(): void {
    this.delivery.stop();
    // Closing a shard rejects with nothing, and a shard that is stuck may never finish it.
    void this.shard.close({ keepSession: true });
    this.#keep();
  }

  /** Looks whether it has proved itself, and whether it is stuck, in which state. */
  watch(): { readonly isProven: boolean; readonly stuckIn: ShardStatus["state"] | null } {
    const now = this.#options.platform.now();
    const acknowledged = this.latency?.acknowledged ?? 0;
    if (acknowledged !== this.#acknowledged) this.#movedAt = now;
    this.#acknowledged = acknowledged;
    this.keeper.check();
    const { state } = this.shard.status;
    // In these two somebody else decides how long it takes: the identify limiter, the handler.
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
        // A new session: without its record the next run would cost an identify.
        this.keeper.check();
        this.keeper.touch();
        break;
      case "disconnected":
        this.#why = status.why;
        break;
      case "draining":
        this.#why = "The handler is behind: the session waits at Discord";
        // A resume is what keeps it from being forgotten there, and only another shard can begin with one now.
        this.#parkTimer.set(PARK_MS, () => this.delivery.stopBetweenAttempts());
        break;
    }
    onStatus(status);
  }

  /** Writes what is not written yet, and lets go of the timers. */
  #keep(): void {
    this.#parkTimer.clear();
    this.keeper.stop();
    // It rejects with what `onError` was told already.
    this.keeper.flush().catch(() => {});
  }
}

/**
 * Supervises the runs of a hosted shard: decides when the next run begins, depending on how the last one ended.
 *
 * The counts of failures are stored: an object that loses its memory with each failure would otherwise retry without any
 * backoff.
 */

import { Timer } from "../../../ratelimit/timer.ts";
import { Backoff, IdentifyRefusedError } from "../../../ratelimit/mod.ts";
import { DeliveryStoppedError } from "../../delivery/delivery.ts";
import { ShardStoppedError } from "../../errors.ts";
import type { Numbered } from "../../events/event_queue.ts";
import type { Platform } from "../../pipe/platform.ts";
import type { HostRecord, StoredHostRecord } from "./record.ts";
import type { HostedRun } from "./run.ts";
import { LAUNCH_BACKOFF, persistentBackoffMs } from "../../../ratelimit/persistent_backoff.ts";
import { HostError } from "../errors.ts";
import type { ShardStatus } from "../../status.ts";

/** The longest wait before a failed shard is restarted, in ms. */
const MAX_RELAUNCH_MS = 300_000;

/** Options of a {@linkcode ShardSupervisor}. */
export interface ShardSupervisorOptions<Event extends Numbered & { readonly t: string }> {
  /** The record that survives the incarnation. */
  readonly record: StoredHostRecord;
  /** Creates a run without starting it; throws what the constructor of `Shard` throws. */
  readonly makeRun: (shard: HostRecord["shard"]) => HostedRun<Event>;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** Called when the status has changed. */
  readonly onChange: () => void;
  /** Called when a retiring shard has handled every event that it had received. */
  readonly onRetired: () => void;
  /** Called when Discord has stopped the shard permanently. */
  readonly onStopped: () => void;
  /** Called with each error. */
  readonly onError: (error: unknown) => void;
}

/** Begins runs, and watches the present one. */
export class ShardSupervisor<Event extends Numbered & { readonly t: string }> {
  readonly #options: ShardSupervisorOptions<Event>;
  readonly #relaunches: Backoff;
  #run: HostedRun<Event> | null = null;
  /** When the next run begins, on the platform's clock; `null` if none is scheduled. */
  #launchAt: number | null = null;
  readonly #launchTimer: Timer;
  /** Resolved and replaced when a run begins or the host stops. */
  #nextRun = Promise.withResolvers<void>();

  /** Creates a supervisor without a run. */
  constructor(options: ShardSupervisorOptions<Event>) {
    const { platform } = options;
    this.#options = options;
    this.#launchTimer = new Timer(options.platform);
    this.#relaunches = new Backoff({ random: () => 0.5 + platform.random() / 2, capMs: MAX_RELAUNCH_MS });
  }

  /** The present run; `null` between two runs. */
  get run(): HostedRun<Event> | null {
    return this.#run;
  }

  /** Whether the shard has to run. */
  get isRunning(): boolean {
    return this.#options.record.isRunning;
  }

  /** Resolves when the next run begins or the shard stops. */
  get nextRun(): Promise<void> {
    return this.#nextRun.promise;
  }

  /** Schedules the first run of a new incarnation, after the persistent backoff. */
  restore({ restarts, shortRuns }: HostRecord): void {
    this.#options.record.update({ restarts: restarts + 1, shortRuns: shortRuns + 1 });
    // Not synchronously: the class that holds the host is still under construction, and its handler may need its fields.
    this.#launchAfter(persistentBackoffMs(shortRuns + 1, LAUNCH_BACKOFF));
  }

  /** Begins a run. */
  begin(run: HostedRun<Event>): void {
    this.#cancelLaunch();
    this.#run = run;
    run.begin((error) => this.#ended(run, error));
    this.#announceRun();
  }

  /** Cancels a retirement, and begins a run if there is none and none is scheduled. */
  resume(): void {
    const { record } = this.#options;
    if (record.value?.retiring) {
      record.update({ retiring: false });
      this.#run?.whenHandled(null);
    }
    if (this.#run === null && this.#launchAt === null) this.#launchAfter(0);
  }

  /** Calls `onRetired` once every event received so far is handled, even if that takes more than the present run. */
  retire(): void {
    const { record, onRetired } = this.#options;
    if (!record.isRunning || record.value?.retiring) return;
    record.update({ retiring: true });
    this.#run?.whenHandled(onRetired);
  }

  /** Ends the present run and begins no other; `clear` then deletes its session. */
  async stop(
    { keepSession, clear }: { readonly keepSession: boolean; readonly clear: () => void },
  ): Promise<void> {
    this.#cancelLaunch();
    await this.#run?.close({ keepSession });
    clear();
    this.#options.onChange();
    this.#announceRun();
  }

  /** Checks the present run; replaces one that is stuck. */
  watch(): void {
    const { platform, onError } = this.#options;
    const run = this.#run;
    if (run === null) {
      // The launch timer may have been lost.
      if (this.#launchAt === null || platform.now() >= this.#launchAt) this.#launch();
      return;
    }
    const { isProven, stuckIn } = run.watch();
    if (isProven) this.#forgetFailures();
    if (stuckIn === null) return;
    onError(
      new HostError(
        `Cannot wait any longer: the shard has shown no sign of life in this state: ${stuckIn}`,
        { code: "ERR_SHARD_HOST_STUCK" },
      ),
    );
    this.#run = null;
    run.abandon();
    this.#launch();
  }

  /** Reacts to a new status of the present run's shard. */
  shardChanged(status: ShardStatus): void {
    const { record, onChange, onRetired, onError } = this.#options;
    if (status.state === "disconnected" && status.error) onError(status.error);
    // The retirement began in an earlier run: its events have been replayed to this one by now.
    const run = this.#run;
    if (status.state === "live" && record.value?.retiring && run && !run.hasGoal) {
      run.whenHandled(onRetired);
    }
    onChange();
  }

  #launchAfter(delayMs: number): void {
    const { platform, onChange } = this.#options;
    this.#cancelLaunch();
    this.#launchAt = platform.now() + delayMs;
    this.#launchTimer.set(delayMs, () => this.#launch());
    onChange();
  }

  #launch(): void {
    const { record, makeRun, onError } = this.#options;
    if (!record.value?.running || this.#run) return;
    try {
      this.begin(makeRun(record.value.shard));
    } catch (error) {
      onError(error);
      this.#launchAfter(this.#relaunches.next());
    }
  }

  #cancelLaunch(): void {
    this.#launchTimer.clear();
    this.#launchAt = null;
  }

  /** Decides what follows a run that has ended. */
  #ended(run: HostedRun<Event>, error: unknown): void {
    const { record, onChange, onStopped, onError } = this.#options;
    if (this.#run !== run) return;
    this.#run = null;
    if (!record.isRunning) return;
    if (error instanceof ShardStoppedError) {
      // Discord would refuse every attempt, and each could cost an identify.
      onError(error);
      record.update({ running: false });
      this.#cancelLaunch();
      onChange();
      onStopped();
    } else if (error instanceof DeliveryStoppedError) {
      this.#launchAfter(0);
    } else {
      onError(error);
      this.#launchAfter(error instanceof IdentifyRefusedError ? MAX_RELAUNCH_MS : this.#relaunches.next());
    }
  }

  #forgetFailures(): void {
    const { record } = this.#options;
    this.#relaunches.reset();
    const { shortRuns = 0, identifies = 0 } = record.value ?? {};
    if (shortRuns > 0 || identifies > 0) record.update({ shortRuns: 0, identifies: 0 });
  }

  #announceRun(): void {
    this.#nextRun.resolve();
    this.#nextRun = Promise.withResolvers();
  }
}

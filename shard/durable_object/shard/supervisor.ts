/**
 * The runs of a hosted shard, one after the other: when the next one begins, and what follows from how the last ended.
 *
 * Counts of failures are stored, since an object that loses its memory over each failure would otherwise try for ever at
 * full speed.
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

/** The longest wait before a shard that failed is made anew, in ms. */
const MAX_RELAUNCH_MS = 300_000;

/** What a {@linkcode ShardSupervisor} is made from. */
export interface ShardSupervisorOptions<Event extends Numbered & { readonly t: string }> {
  /** What is remembered from one incarnation of the object to the next. */
  readonly record: StoredHostRecord;
  /** Makes a run that has not begun; throws what the constructor of `Shard` throws. */
  readonly makeRun: (shard: HostRecord["shard"]) => HostedRun<Event>;
  /** Clock, timers and jitter. */
  readonly platform: Platform;
  /** The status has changed. */
  readonly onChange: () => void;
  /** Everything is handled that the shard had when it was to retire. */
  readonly onRetired: () => void;
  /** Discord has stopped it for good. */
  readonly onStopped: () => void;
  /** Something went wrong. */
  readonly onError: (error: unknown) => void;
}

/** Begins runs, and watches over the one that there is. */
export class ShardSupervisor<Event extends Numbered & { readonly t: string }> {
  readonly #options: ShardSupervisorOptions<Event>;
  readonly #relaunches: Backoff;
  #run: HostedRun<Event> | null = null;
  /** When the next run begins, where one is waited for. */
  #launchAt: number | null = null;
  readonly #launchTimer: Timer;
  /** Resolved, and replaced, whenever a run begins or the host stops. */
  #turn = Promise.withResolvers<void>();

  /** Begins nothing yet. */
  constructor(options: ShardSupervisorOptions<Event>) {
    const { platform } = options;
    this.#options = options;
    this.#launchTimer = new Timer(options.platform);
    this.#relaunches = new Backoff({ random: () => 0.5 + platform.random() / 2, capMs: MAX_RELAUNCH_MS });
  }

  /** The run that there is, `null` between two. */
  get run(): HostedRun<Event> | null {
    return this.#run;
  }

  /** Whether the shard is to run. */
  get isRunning(): boolean {
    return this.#options.record.isRunning;
  }

  /** Resolves when the next run begins, or the shard stops. */
  get nextRun(): Promise<void> {
    return this.#turn.promise;
  }

  /** The object was made anew while its shard was to run: begins after the wait that is due. */
  restore({ restarts, shortRuns }: HostRecord): void {
    this.#options.record.update({ restarts: restarts + 1, shortRuns: shortRuns + 1 });
    // Not in this turn: the class that the host is a field of is not made yet, and its handler may need it.
    this.#launchAfter(persistentBackoffMs(shortRuns + 1, LAUNCH_BACKOFF));
  }

  /** Begins a run. */
  begin(run: HostedRun<Event>): void {
    this.#cancelLaunch();
    this.#run = run;
    run.begin((error) => this.#ended(run, error));
    this.#nextTurn();
  }

  /** It is to run, and not to retire: begins at once where nothing is under way. */
  resume(): void {
    const { record } = this.#options;
    if (record.value?.retiring) {
      record.update({ retiring: false });
      this.#run?.whenHandled(null);
    }
    if (this.#run === null && this.#launchAt === null) this.#launchAfter(0);
  }

  /** Tells `onRetired` once all is handled that has come in so far, also if that takes more than this run. */
  retire(): void {
    const { record, onRetired } = this.#options;
    if (!record.isRunning || record.value?.retiring) return;
    record.update({ retiring: true });
    this.#run?.whenHandled(onRetired);
  }

  /** Ends the run that there is, and begins no other; `clear` then forgets what it has left. */
  async stop(
    { keepSession, clear }: { readonly keepSession: boolean; readonly clear: () => void },
  ): Promise<void> {
    this.#cancelLaunch();
    await this.#run?.close({ keepSession });
    clear();
    this.#options.onChange();
    this.#nextTurn();
  }

  /** Looks whether all goes well; replaces a run that is stuck. */
  watch(): void {
    const { platform, onError } = this.#options;
    const run = this.#run;
    if (run === null) {
      // The timer of a launch may be gone with whatever else went wrong.
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

  /** The shard of the run that there is has a new status. */
  shardChanged(status: ShardStatus): void {
    const { record, onChange, onRetired, onError } = this.#options;
    if (status.state === "disconnected" && status.error) onError(status.error);
    // Another run than the one that was told: by now the events that the old one had are here again.
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

  /** A run is over; what comes after it? */
  #ended(run: HostedRun<Event>, error: unknown): void {
    const { record, onChange, onStopped, onError } = this.#options;
    if (this.#run !== run) return;
    this.#run = null;
    if (!record.isRunning) return;
    if (error instanceof ShardStoppedError) {
      // Discord will say the same each time; every attempt could cost an identify.
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

  #nextTurn(): void {
    this.#turn.resolve();
    this.#turn = Promise.withResolvers();
  }
}

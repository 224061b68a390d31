/**
 * A shard in a Durable Object, which may end at any time, without notice, and with all its timers.
 *
 * The alarm survives and starts a new incarnation, whose constructor restores the stored session. Between alarms, timers
 * do the work: an alarm may come a minute late, and a heartbeat must not.
 *
 * Each write costs, so little is stored: the session at once, its sequence every few seconds, and whether to run.
 */

import { InOrder } from "../in_order.ts";
import { HostCounters, statusOf } from "./status.ts";
import type {
  DirectMessageEventName,
  GatewayCommand,
  GuildEventName,
  UngatedEventName,
} from "../../../gateway/mod.ts";
import type { QueueOptions } from "../../../ratelimit/mod.ts";
import { checkCommand } from "../../commands/check.ts";
import { type DurableObjectStateLike, kvOf } from "../object_state.ts";
import { ErrorLog } from "../error_log.ts";
import type { ShardEvent, WantedName } from "../../events/event.ts";
import { type Platform, systemPlatform, wallClock } from "../../pipe/platform.ts";
import { isShard, StoredHostRecord } from "./record.ts";
import type { HostedRun } from "./run.ts";
import { sendWithin } from "./send.ts";
import { nextRun } from "./next_run.ts";
import { DurableObjectSessionStore } from "../../stores/durable_object.ts";
import { respond } from "./http.ts";
import {
  checkHostOptions,
  DEFAULT_SEND_DEADLINE_MS,
  type ShardHostOptions,
  type ShardHostSendResult,
  type ShardHostStartOptions,
  type ShardHostStatus,
} from "./options.ts";
import { ShardSupervisor } from "./supervisor.ts";
import { WatchdogAlarm } from "./watchdog_alarm.ts";

/**
 * Hosts one shard in a Durable Object. Create it in a field of your class, and forward `alarm`; the class has to be
 * SQLite-backed.
 *
 * After {@linkcode ShardHost.start} the shard runs until {@linkcode ShardHost.stop}. It resumes after evictions, deploys
 * and crashes, and every event reaches the handler at least once.
 *
 * @see https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/
 *
 * @example
 * ```ts
 * import { ShardHost } from "@discordgateway/edge/durable-object";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * // In a worker: export class Bot extends DurableObject { #host = new ShardHost(this.ctx, { … }); … }
 * const values = new Map<string, unknown>();
 * const storage = {
 *   kv: {
 *     get: (key: string) => values.get(key),
 *     put: (key: string, value: unknown) => void values.set(key, value),
 *     delete: (key: string) => values.delete(key),
 *   },
 *   getAlarm: () => Promise.resolve(null),
 *   setAlarm: () => Promise.resolve(),
 *   deleteAlarm: () => Promise.resolve(),
 * };
 * const { token, dial, fetch } = new FakeDiscord();
 * const heard = Promise.withResolvers<void>();
 * const host = new ShardHost({ storage }, {
 *   token, dial, fetch,                           // leave out dial and fetch to talk to Discord
 *   guildEvents: ["MESSAGE_CREATE"],
 *   events: ["READY"],
 *   handler: (event) => heard.resolve(),
 * });
 * await host.start();
 * await heard.promise;
 * await host.stop();
 * if (host.status.running) throw new Error("unexpected");
 * ```
 */
export class ShardHost<
  const Guild extends GuildEventName = never,
  const DirectMessage extends DirectMessageEventName = never,
  const Ungated extends UngatedEventName = never,
> {
  readonly #options: ShardHostOptions<Guild, DirectMessage, Ungated>;
  readonly #sessions: DurableObjectSessionStore;
  readonly #platform: Platform;
  readonly #wall: () => number;
  readonly #record: StoredHostRecord;
  readonly #errors: ErrorLog;
  readonly #alarm: WatchdogAlarm;
  readonly #supervisor: ShardSupervisor<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>;
  readonly #counters: HostCounters;
  /** The alarm is set, but the record does not say yet that the shard has to run. */
  #isStarting = false;
  /** Runs starts and stops one at a time. */
  readonly #orders = new InOrder();

  /**
   * Restores the record of the previous incarnation. If the shard has to run, it starts right after the constructor.
   *
   * @param ctx The object's own, `this.ctx`.
   * @throws {HostError} `ERR_SHARD_HOST_STORAGE`: the class is not SQLite-backed.
   * @throws {RangeError} `alarmEveryMs` or `handlerDeadlineMs` below 1, or `saveEveryMs` below 0.
   */
  constructor(ctx: DurableObjectStateLike, options: ShardHostOptions<Guild, DirectMessage, Ungated>) {
    const { alarmEveryMs } = checkHostOptions(options);
    this.#options = options;
    const kv = kvOf(ctx.storage);
    this.#sessions = new DurableObjectSessionStore(kv);
    const platform = this.#platform = options.platform ?? systemPlatform;
    this.#wall = options.wallClock ?? wallClock;
    this.#counters = new HostCounters({ now: platform.now(), wallNow: this.#wall() });
    this.#errors = new ErrorLog(options.token, this.#wall);
    const record = this.#record = new StoredHostRecord(kv);
    const onError = (error: unknown) => this.#errors.note(error);
    this.#alarm = new WatchdogAlarm({
      storage: ctx.storage,
      platform,
      wallClock: this.#wall,
      everyMs: alarmEveryMs,
      isWanted: () => record.isRunning,
      onError,
    });
    this.#supervisor = new ShardSupervisor({
      record,
      makeRun: (shard) => this.#makeRun(shard),
      platform,
      onChange: () => this.#changed(),
      onRetired: () => void this.stop().catch(onError),
      onStopped: () => void this.#alarm.delete().catch(onError),
      onError,
    });
    if (!record.value?.running) return;
    void this.#alarm.armIfMissing();
    this.#supervisor.restore(record.value);
  }

  /** The shard's status, as JSON. */
  get status(): ShardHostStatus {
    return statusOf({
      record: this.#record.value,
      run: this.#supervisor.run,
      counters: this.#counters,
      errors: this.#errors,
      now: this.#platform.now(),
    });
  }

  /**
   * Starts the shard, and restarts it in every later incarnation of the object. Does nothing if it runs already.
   *
   * @throws {RangeError} `shard` is not a number and a greater count.
   * @throws what the constructor of `Shard` throws, or the storage's error; then the shard is not started. A running
   * shard continues, unless `shard` names another one.
   */
  start(options: ShardHostStartOptions = {}): Promise<ShardHostStatus> {
    return this.#orders.run(() => this.#start(options));
  }

  async #start(options: ShardHostStartOptions): Promise<ShardHostStatus> {
    const before = this.#record.value;
    const shard = options.shard ?? before?.shard ?? [0, 1];
    if (!isShard(shard)) {
      throw new RangeError(`Cannot start: a shard is a number and a greater count: ${JSON.stringify(shard)}`);
    }
    const isSame = before !== null && before.shard[0] === shard[0] && before.shard[1] === shard[1];
    if (before?.running && isSame) {
      this.#supervisor.resume();
      return this.status;
    }
    if (before && !isSame) await this.#stop(false);
    const run = this.#makeRun(shard);
    this.#isStarting = true;
    try {
      // Without an alarm, nothing would start the next incarnation.
      await this.#alarm.set();
    } finally {
      this.#isStarting = false;
    }
    this.#record.set({
      running: true,
      retiring: false,
      shard: [shard[0], shard[1]],
      restarts: 0,
      shortRuns: 0,
      identifies: before?.identifies ?? 0,
      identifiedAt: before?.identifiedAt ?? 0,
    });
    this.#errors.last = null;
    this.#supervisor.begin(run);
    return this.status;
  }

  /**
   * Stops the shard. It stays stopped across incarnations of the object, until it is started again.
   *
   * The event that the handler is working on stays unhandled. With `keepSession` Discord therefore replays it after the
   * next start; a handler that stops its own shard should do so after it has returned.
   *
   * @param options `keepSession`: keep the session alive at Discord for a few minutes, so that a start can resume it.
   * Otherwise the session ends and the bot goes offline at once.
   */
  stop({ keepSession = false }: { readonly keepSession?: boolean } = {}): Promise<void> {
    return this.#orders.run(() => this.#stop(keepSession));
  }

  async #stop(keepSession: boolean): Promise<void> {
    if (this.#record.isRunning) this.#record.update({ running: false, retiring: false });
    await this.#supervisor.stop({ keepSession, clear: () => keepSession || this.#sessions.clear() });
    await this.#alarm.delete();
  }

  /**
   * Stops the shard and ends its session once every event received so far is handled. Returns at once; `status.running`
   * is false when it has stopped. For a shard that a reshard has replaced.
   */
  retire(): void {
    this.#supervisor.retire();
  }

  /**
   * The object's alarm: forward it from your class. Sets the next alarm first, then checks whether the shard runs. Never
   * throws: after six failures in a row Cloudflare would drop the alarm.
   */
  async alarm(_info?: unknown): Promise<void> {
    try {
      if (!this.#record.isRunning && !this.#isStarting) return;
      const isArmed = await this.#alarm.arm();
      if (this.#record.isRunning) this.#supervisor.watch();
      // Cloudflare delivers this alarm again if the object ends before this returns.
      if (!isArmed) await this.#alarm.armPatiently();
    } catch (error) {
      this.#errors.note(error);
    }
  }

  /**
   * Sends a command through the shard. Waits, at most `sendDeadlineMs`, until there is a usable session and the rate limit
   * allows the command, also across reconnects and restarts of the shard; resolves when the command is written.
   *
   * @throws {CommandError} A command that Discord would not accept, or of more than 4096 bytes; nothing was sent.
   * @throws {HostError} `ERR_SHARD_HOST_STOPPED`: the shard is stopped, or was stopped while the command waited.
   * `ERR_SHARD_HOST_DEADLINE`: the command was not sent within `sendDeadlineMs`.
   * @throws the signal's reason, if it is aborted before the command is sent.
   */
  async send(command: GatewayCommand, options: QueueOptions = {}): Promise<void> {
    const encoded = checkCommand(command);
    const { sendDeadlineMs: deadlineMs = DEFAULT_SEND_DEADLINE_MS } = this.#options;
    await sendWithin({ deadlineMs, platform: this.#platform }, encoded, this.#supervisor, options);
  }

  /**
   * Sends a command as {@linkcode ShardHost.send} does, and returns a failure as JSON. For RPC, which drops the class
   * and the `code` of an error.
   */
  async trySend(command: GatewayCommand): Promise<ShardHostSendResult> {
    try {
      await this.send(command);
      return { ok: true };
    } catch (error) {
      return { ok: false, error: this.#errors.report(error) };
    }
  }

  /**
   * The same methods over HTTP, by the last part of the path: `GET status`, `POST start` (`{ "shard": [0, 1] }` or
   * nothing), `POST stop` (`{ "keepSession": true }` or nothing), `POST send` (a command). Failures are JSON:
   * `{ "error": { "name", "code", "message" } }`.
   *
   * Every caller of this method controls the bot: authorize external requests before you forward them.
   */
  fetch(request: Request): Promise<Response> {
    return respond(this, request, (error) => this.#errors.report(error));
  }

  #makeRun(
    shard: readonly [id: number, count: number],
  ): HostedRun<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> {
    return nextRun(shard, this.#options, {
      record: this.#record,
      sessions: this.#sessions,
      platform: this.#platform,
      wallClock: this.#wall,
      onStatus: (status) => this.#supervisor.shardChanged(status),
      counters: this.#counters,
      errors: this.#errors,
    });
  }

  #changed(): void {
    this.#counters.since = this.#wall();
    try {
      this.#options.onStatus?.(this.status);
    } catch (error) {
      this.#errors.note(error);
    }
  }
}

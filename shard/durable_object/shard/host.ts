/**
 * A shard inside a Durable Object: an object that may die at any time, without notice, and with all its timers.
 *
 * What brings it back is its alarm, the one thing that outlives it. Whenever the object is made anew, for whatever reason,
 * the constructor takes up the stored session, and the alarm sees to it that it is made anew. Between alarms, timers do the
 * work: an alarm may come a minute late, and a heartbeat must not.
 *
 * What is stored is little, and written with care for its price: the session at once, its sequence every few seconds, and
 * one small record of whether to run.
 */

import type {
  DirectMessageEventName,
  GatewayCommand,
  GuildEventName,
  UngatedEventName,
} from "../../../gateway/mod.ts";
import type { TurnOptions } from "../../../ratelimit/mod.ts";
import { checkCommand } from "../../commands/check.ts";
import { type DurableObjectStateLike, kvOf } from "../object_state.ts";
import { ErrorLog } from "../error_log.ts";
import type { ShardEvent, WantedName } from "../../events/event.ts";
import { EventRate } from "./event_rate.ts";
import { type Platform, systemPlatform, wallClock } from "../../pipe/platform.ts";
import { isShard, StoredHostRecord } from "./record.ts";
import type { HostedLife } from "./run.ts";
import { sendWithin } from "./send.ts";
import { nextLife } from "./next_run.ts";
import { DurableObjectSessionStore } from "../../stores/durable_object.ts";
import { respond } from "./http.ts";
import type { ShardHostOptions, ShardHostStatus } from "./options.ts";
import type { ErrorReport } from "../errors.ts";
import { ShardSupervisor } from "./supervisor.ts";
import { WatchdogAlarm } from "./watchdog_alarm.ts";

const DEFAULT_ALARM_EVERY_MS = 30_000;
const DEFAULT_SEND_DEADLINE_MS = 30_000;

/**
 * Hosts one shard in a Durable Object. Make it in a field of your class, and forward `alarm`; the class has to be
 * SQLite-backed.
 *
 * After {@linkcode ShardHost.start} the shard runs until {@linkcode ShardHost.stop}, over evictions, deploys and crashes:
 * each ends in a RESUME, and every event reaches the handler at least once.
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
  readonly #rate: EventRate;
  #since: number;
  #handled = 0;
  #failures = 0;
  /** The alarm is set, but it does not stand in the record yet that the shard is to run. */
  #isStarting = false;
  /** Settles when the last start or stop has. */
  #ordered: Promise<unknown> = Promise.resolve();

  /**
   * Restores what an earlier life of the object has left: if the shard is to run, it starts right after this.
   *
   * @param ctx The object's own, `this.ctx`.
   * @throws {HostError} `ERR_SHARD_HOST_STORAGE`: the class is not SQLite-backed.
   * @throws {RangeError} `alarmEveryMs` or `handlerDeadlineMs` below 1, or `saveEveryMs` below 0.
   */
  constructor(ctx: DurableObjectStateLike, options: ShardHostOptions<Guild, DirectMessage, Ungated>) {
    const { alarmEveryMs = DEFAULT_ALARM_EVERY_MS, saveEveryMs = 0, handlerDeadlineMs = 1 } = options;
    if (!(alarmEveryMs >= 1 && saveEveryMs >= 0 && handlerDeadlineMs >= 1)) {
      throw new RangeError(
        "Cannot host a shard: alarmEveryMs and handlerDeadlineMs are at least 1, saveEveryMs at least 0: " +
          `${alarmEveryMs}, ${handlerDeadlineMs}, ${saveEveryMs}`,
      );
    }
    this.#options = options;
    const kv = kvOf(ctx.storage);
    this.#sessions = new DurableObjectSessionStore(kv);
    const platform = this.#platform = options.platform ?? systemPlatform;
    this.#wall = options.wallClock ?? wallClock;
    this.#since = this.#wall();
    this.#rate = new EventRate(platform.now());
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
      makeLife: (shard) => this.#makeLife(shard),
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

  // What it is doing.

  /** What the shard is doing, as JSON. */
  get status(): ShardHostStatus {
    const record = this.#record.value;
    const { life } = this.#supervisor;
    const failing = life?.delivery.failing ?? null;
    const session = life?.shard.session ?? null;
    return {
      running: record?.running ?? false,
      shard: record?.shard ?? null,
      state: life?.shard.status.state ?? (record?.running ? "waiting" : "stopped"),
      since: this.#since,
      why: life?.why ?? null,
      latency: latencyOf(life),
      events: {
        handled: this.#handled,
        perSecond: this.#rate.perSecond(this.#platform.now()),
        queued: life?.shard.queued.now ?? 0,
        failures: this.#failures,
      },
      commands: life?.shard.commands ?? null,
      failing: failing && { ...failing, error: this.#errors.report(failing.error) },
      sequence: session && { handled: session.sequence, saved: life?.keeper.saved?.sequence ?? null },
      restarts: record?.restarts ?? 0,
      lastError: this.#errors.last,
    };
  }

  // Acting.

  /**
   * Starts the shard, and from now on brings it back whenever the object was gone. Does nothing if it is to run already.
   *
   * @param options `shard`: its number and how many there are; the last ones, or `[0, 1]`. Other ones than before end the
   * old session.
   * @throws {RangeError} `shard` is not a number and a count.
   * @throws what the constructor of `Shard` throws, or what the storage failed of; then it is not started. A running shard
   * goes on, unless another was asked for.
   */
  start(
    options: { readonly shard?: readonly [id: number, count: number] } = {},
  ): Promise<ShardHostStatus> {
    return this.#inOrder(() => this.#start(options));
  }

  async #start(options: { readonly shard?: readonly [id: number, count: number] }): Promise<ShardHostStatus> {
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
    const life = this.#makeLife(shard);
    this.#isStarting = true;
    try {
      // Without an alarm the first death would be the last.
      await this.#alarm.set();
    } finally {
      this.#isStarting = false;
    }
    this.#record.set({
      running: true,
      retiring: false,
      shard: [shard[0], shard[1]],
      restarts: 0,
      shortLives: 0,
      identifies: before?.identifies ?? 0,
      identifiedAt: before?.identifiedAt ?? 0,
    });
    this.#errors.last = null;
    this.#supervisor.begin(life);
    return this.status;
  }

  /**
   * Stops the shard. It stays stopped, whatever happens to the object, until it is started again.
   *
   * The event that the handler has in hand stays unhandled. With `keepSession` it therefore comes again after the next
   * start; a handler that stops its own shard should do so after it has returned.
   *
   * @param options `keepSession`: leave the session alive at Discord for a few minutes, so that a start can resume it.
   * Otherwise it ends and the bot goes offline at once.
   */
  stop(options: { readonly keepSession?: boolean } = {}): Promise<void> {
    const { keepSession = false } = options;
    return this.#inOrder(() => this.#stop(keepSession));
  }

  async #stop(keepSession: boolean): Promise<void> {
    if (this.#record.isRunning) this.#record.update({ running: false, retiring: false });
    await this.#supervisor.stop({ keepSession, clear: () => keepSession || this.#sessions.clear() });
    await this.#alarm.delete();
  }

  /**
   * Stops the shard, and ends its session, once everything is handled that it has received so far; returns at once, and
   * `status.running` shows when it has happened. For a shard whose place others have taken.
   */
  retire(): void {
    this.#supervisor.retire();
  }

  /**
   * The object's alarm: forward it from your class. Sets the next one first, then looks whether the shard runs. Never
   * throws: after six failures in a row Cloudflare would drop the alarm for good.
   */
  async alarm(_info?: unknown): Promise<void> {
    try {
      if (!this.#record.isRunning && !this.#isStarting) return;
      const isArmed = await this.#alarm.arm();
      if (this.#record.isRunning) this.#supervisor.watch();
      // As long as this alarm is being delivered, it is not lost, even if the object dies.
      if (!isArmed) await this.#alarm.armPatiently();
    } catch (error) {
      this.#errors.note(error);
    }
  }

  /**
   * Sends a command through the shard. Resolves when it is written; until then the caller waits for its turn, through
   * reconnects and restarts of the shard, at most `sendDeadlineMs`.
   *
   * @throws {CommandError} A command that Discord would not accept, or of more than 4096 bytes; nothing was sent.
   * @throws {HostError} `ERR_SHARD_HOST_STOPPED`: the shard is not to run, or was stopped meanwhile.
   * `ERR_SHARD_HOST_DEADLINE`: the command's turn did not come in time; it was not sent.
   * @throws the signal's reason, if it is aborted before the command's turn.
   */
  async send(command: GatewayCommand, options: TurnOptions = {}): Promise<void> {
    checkCommand(command);
    const { sendDeadlineMs = DEFAULT_SEND_DEADLINE_MS } = this.#options;
    const through = {
      isRunning: () => this.#record.isRunning,
      life: () => this.#supervisor.life,
      turn: () => this.#supervisor.turn,
      platform: this.#platform,
    };
    await sendWithin(sendDeadlineMs, command, through, options);
  }

  /**
   * Sends a command as {@linkcode ShardHost.send} does, and returns a failure as JSON. For RPC, which carries no class and
   * no `code` of an error.
   */
  async trySend(
    command: GatewayCommand,
  ): Promise<{ readonly ok: true } | { readonly ok: false; readonly error: ErrorReport }> {
    try {
      await this.send(command);
      return { ok: true };
    } catch (error) {
      return { ok: false, error: this.#errors.report(error) };
    }
  }

  /**
   * The same over HTTP, by the last part of the path: `GET status`, `POST start` (`{ "shard": [0, 1] }` or nothing), `POST
   * stop` (`{ "keepSession": true }` or nothing), `POST send` (a command). Failures are JSON: `{ "error": { "name", "code",
   * "message" } }`.
   *
   * Whoever reaches it commands the bot: never forward requests from outside to it unchecked.
   */
  fetch(request: Request): Promise<Response> {
    return respond(this, request, (error) => this.#errors.report(error));
  }

  /** One start or stop after the other: each takes several turns. */
  #inOrder<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#ordered.then(act);
    this.#ordered = done.catch(() => {});
    return done;
  }

  #makeLife(
    shard: readonly [id: number, count: number],
  ): HostedLife<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> {
    return nextLife(shard, this.#options, {
      record: this.#record,
      sessions: this.#sessions,
      platform: this.#platform,
      wallClock: this.#wall,
      onStatus: (status) => this.#supervisor.shardChanged(status),
      onHandled: (now) => {
        this.#handled++;
        this.#rate.count(now);
      },
      onFailure: (error) => {
        this.#failures++;
        this.#errors.note(error);
      },
      onError: (error) => this.#errors.note(error),
    });
  }

  #changed(): void {
    this.#since = this.#wall();
    try {
      this.#options.onStatus?.(this.status);
    } catch (error) {
      this.#errors.note(error);
    }
  }
}

function latencyOf(
  life: { readonly latency: HostedLife<never>["latency"] } | null,
): ShardHostStatus["latency"] {
  const { meanMs = null, recentMs = [] } = life?.latency ?? {};
  const [lastMs] = recentMs;
  return meanMs === null || lastMs === undefined ? null : { meanMs, lastMs };
}

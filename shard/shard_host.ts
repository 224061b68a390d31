/**
 * A shard inside a Durable Object: an object that may die at any time, without notice, and with all its timers.
 *
 * What brings it back is its alarm, the one thing that outlives it. Whenever the object is made anew, for whatever reason,
 * the constructor takes up the stored session, and the alarm sees to it that it is made anew. Between alarms, timers do the
 * work: an alarm may come a minute late, and a heartbeat must not.
 *
 * What is stored is little, and written with care for its price: the session at once, its sequence every few seconds, and
 * one small record of whether to run. Counts of failures are in it, too, since an object that loses its memory over
 * each failure would otherwise try for ever at full speed.
 */

import {
  type DirectMessageEventName,
  encodeCommand,
  type GatewayCommand,
  type GuildEventName,
  type LatencyReading,
  type SessionRecord,
  type UngatedEventName,
} from "../gateway/mod.ts";
import { Backoff, type IdentifyLimiter, IdentifyRefusedError, type TurnOptions } from "../ratelimit/mod.ts";
import { abortable } from "./abortable.ts";
import { DeliveryStoppedError } from "./delivery.ts";
import type {
  DurableObjectKvLike,
  DurableObjectStateLike,
  DurableObjectStorageLike,
} from "./durable_object_state.ts";
import { CommandNotSentError, ShardStoppedError } from "./errors.ts";
import type { ShardEvent, WantedName } from "./event.ts";
import { EventRate } from "./event_rate.ts";
import { type Host, systemHost, wallClock } from "./host.ts";
import { HostedLife } from "./hosted_life.ts";
import { type HostRecord, isShard, readHostRecord, writeHostRecord } from "./host_record.ts";
import { LAUNCH_PACE, PacedIdentifyLimiter, paceMs } from "./pace.ts";
import { DEFAULT_SAVE_EVERY_MS } from "./session_keeper.ts";
import type { SessionStore } from "./session_store.ts";
import { DurableObjectSessionStore } from "./session_store_durable_object.ts";
import { sharedIdentifyLimiter } from "./shared_identify_limiter.ts";
import { Shard } from "./shard.ts";
import { respond } from "./shard_host_http.ts";
import {
  type ErrorReport,
  reportError,
  ShardHostError,
  type ShardHostOptions,
  type ShardHostStatus,
} from "./shard_host_options.ts";

const DEFAULT_ALARM_EVERY_MS = 30_000;
const DEFAULT_HANDLER_DEADLINE_MS = 60_000;
const DEFAULT_SEND_DEADLINE_MS = 30_000;
/** An isolate has 128 MB, for all objects in it; parsed events take several times their text. */
const DEFAULT_MAX_QUEUED_SIZE = 4 * 1024 * 1024;
/** An alarm that could not be set is tried again after so many ms. */
const REARM_MS = 1_000;
/** So often: an alarm's delivery may take 15 minutes. */
const REARM_ATTEMPTS = 600;
/** The longest wait before a shard that failed is made anew, in ms. */
const MAX_RELAUNCH_MS = 300_000;

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
  readonly #storage: DurableObjectStorageLike;
  readonly #kv: DurableObjectKvLike;
  readonly #sessions: DurableObjectSessionStore;
  readonly #host: Host;
  readonly #wall: () => number;
  readonly #rate: EventRate;
  readonly #relaunches: Backoff;
  #record: HostRecord | null;
  #life: HostedLife<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> | null = null;
  /** When the next life begins, where one is waited for. */
  #launchAt: number | null = null;
  #launchTimer: unknown = null;
  /** The alarm is set, but it does not stand in the record yet that the shard is to run. */
  #isStarting = false;
  #since: number;
  #handled = 0;
  #failures = 0;
  #lastError: ErrorReport & { readonly at: number } | null = null;
  /** Settles when the last start or stop has. */
  #ordered: Promise<unknown> = Promise.resolve();
  /** Resolved, and replaced, whenever a life begins or the host stops. */
  #turn = Promise.withResolvers<void>();

  /**
   * Restores what an earlier life of the object has left: if the shard is to run, it starts right after this.
   *
   * @param ctx The object's own, `this.ctx`.
   * @throws {ShardHostError} `ERR_SHARD_HOST_STORAGE`: the class is not SQLite-backed.
   * @throws {RangeError} `alarmEveryMs` or `handlerDeadlineMs` below 1, or `saveEveryMs` below 0.
   */
  constructor(ctx: DurableObjectStateLike, options: ShardHostOptions<Guild, DirectMessage, Ungated>) {
    const { alarmEveryMs = 1, saveEveryMs = 0, handlerDeadlineMs = 1 } = options;
    if (!(alarmEveryMs >= 1 && saveEveryMs >= 0 && handlerDeadlineMs >= 1)) {
      throw new RangeError(
        "Cannot host a shard: alarmEveryMs and handlerDeadlineMs are at least 1, saveEveryMs at least 0: " +
          `${alarmEveryMs}, ${handlerDeadlineMs}, ${saveEveryMs}`,
      );
    }
    this.#options = options;
    this.#storage = ctx.storage;
    this.#kv = kvOf(ctx.storage);
    this.#sessions = new DurableObjectSessionStore(this.#kv);
    const host = this.#host = options.host ?? systemHost;
    this.#wall = options.wallClock ?? wallClock;
    this.#since = this.#wall();
    this.#rate = new EventRate(host.now());
    this.#relaunches = new Backoff({ random: () => 0.5 + host.random() / 2, capMs: MAX_RELAUNCH_MS });
    this.#record = readHostRecord(this.#kv);
    if (this.#record?.running) this.#restore(this.#record);
  }

  // What it is doing.

  /** What the shard is doing, as JSON. */
  get status(): ShardHostStatus {
    const record = this.#record;
    const life = this.#life;
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
        perSecond: this.#rate.perSecond(this.#host.now()),
        queued: life?.shard.queued.now ?? 0,
        failures: this.#failures,
      },
      commands: life?.shard.commands ?? null,
      failing: failing && { ...failing, error: this.#report(failing.error) },
      sequence: session && { handled: session.sequence, saved: life?.keeper.saved?.sequence ?? null },
      restarts: record?.restarts ?? 0,
      lastError: this.#lastError,
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
    const before = this.#record;
    const shard = options.shard ?? before?.shard ?? [0, 1];
    if (!isShard(shard)) {
      throw new RangeError(`Cannot start: a shard is a number and a greater count: ${JSON.stringify(shard)}`);
    }
    const isSame = before !== null && before.shard[0] === shard[0] && before.shard[1] === shard[1];
    if (before?.running && isSame) {
      if (before.retiring) {
        this.#update({ retiring: false });
        this.#life?.whenHandled(null);
      }
      if (this.#life === null && this.#launchAt === null) this.#launchAfter(0);
      return this.status;
    }
    if (before && !isSame) await this.#stop(false);
    const life = this.#makeLife(shard);
    this.#isStarting = true;
    try {
      // Without an alarm the first death would be the last.
      await this.#setAlarm();
    } finally {
      this.#isStarting = false;
    }
    this.#record = {
      running: true,
      retiring: false,
      shard: [shard[0], shard[1]],
      restarts: 0,
      shortLives: 0,
      identifies: before?.identifies ?? 0,
      identifiedAt: before?.identifiedAt ?? 0,
    };
    writeHostRecord(this.#kv, this.#record);
    this.#lastError = null;
    this.#begin(life);
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
    if (this.#record?.running) this.#update({ running: false, retiring: false });
    this.#cancelLaunch();
    await this.#life?.close({ keepSession });
    if (!keepSession) this.#sessions.clear();
    this.#changed();
    this.#turn.resolve();
    this.#turn = Promise.withResolvers();
    await this.#storage.deleteAlarm();
  }

  /**
   * Stops the shard, and ends its session, once everything is handled that it has received so far; returns at once, and
   * `status.running` shows when it has happened. For a shard whose place others have taken.
   */
  retire(): void {
    if (!this.#record?.running || this.#record.retiring) return;
    this.#update({ retiring: true });
    this.#life?.whenHandled(() => this.#retired());
  }

  /**
   * The object's alarm: forward it from your class. Sets the next one first, then looks whether the shard runs. Never
   * throws: after six failures in a row Cloudflare would drop the alarm for good.
   */
  async alarm(_info?: unknown): Promise<void> {
    try {
      if (!this.#record?.running && !this.#isStarting) return;
      const isArmed = await this.#arm();
      if (this.#record?.running) this.#watch();
      // As long as this alarm is being delivered, it is not lost, even if the object dies.
      if (!isArmed) await this.#armPatiently();
    } catch (error) {
      this.#note(error);
    }
  }

  /**
   * Sends a command through the shard. Resolves when it is written; until then the caller waits for its turn, through
   * reconnects and restarts of the shard, at most `sendDeadlineMs`.
   *
   * @throws {CommandError} A command that Discord would not accept; nothing was sent.
   * @throws {PayloadTooLargeError} More than 4096 bytes.
   * @throws {ShardHostError} `ERR_SHARD_HOST_STOPPED`: the shard is not to run, or was stopped meanwhile.
   * `ERR_SHARD_HOST_DEADLINE`: the command's turn did not come in time; it was not sent.
   * @throws the signal's reason, if it is aborted before the command's turn.
   */
  async send(command: GatewayCommand, options: TurnOptions = {}): Promise<void> {
    encodeCommand(command);
    const { sendDeadlineMs = DEFAULT_SEND_DEADLINE_MS } = this.#options;
    const giveUp = new AbortController();
    const onAbort = () => giveUp.abort(options.signal?.reason);
    if (options.signal?.aborted) onAbort();
    options.signal?.addEventListener("abort", onAbort);
    const timer = this.#host.setTimeout(() => {
      const text = `Cannot send op ${command.op}: its turn did not come within ms: ${sendDeadlineMs}`;
      giveUp.abort(new ShardHostError(text, { code: "ERR_SHARD_HOST_DEADLINE" }));
    }, sendDeadlineMs);
    try {
      await this.#sendThroughLives(command, { ...options, signal: giveUp.signal });
    } finally {
      this.#host.clearTimeout(timer);
      options.signal?.removeEventListener("abort", onAbort);
    }
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
      return { ok: false, error: this.#report(error) };
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
    return respond(this, request, (error) => this.#report(error));
  }

  // Lives.

  #retired(): void {
    this.stop().catch((error) => this.#note(error));
  }

  /** One start or stop after the other: each takes several turns. */
  #inOrder<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#ordered.then(act);
    this.#ordered = done.catch(() => {});
    return done;
  }

  #restore(record: HostRecord): void {
    this.#update({ restarts: record.restarts + 1, shortLives: record.shortLives + 1 });
    void this.#armIfMissing();
    // Not in this turn: the class that we are a field of is not made yet, and its handler may need it.
    this.#launchAfter(paceMs(record.shortLives + 1, LAUNCH_PACE));
  }

  #launchAfter(delayMs: number): void {
    this.#launchAt = this.#host.now() + delayMs;
    if (this.#launchTimer !== null) this.#host.clearTimeout(this.#launchTimer);
    this.#launchTimer = this.#host.setTimeout(() => this.#launch(), delayMs);
    this.#changed();
  }

  #launch(): void {
    if (!this.#record?.running || this.#life) return;
    try {
      this.#begin(this.#makeLife(this.#record.shard));
    } catch (error) {
      this.#note(error);
      this.#launchAfter(this.#relaunches.next());
    }
  }

  #makeLife(
    shardOf: readonly [id: number, count: number],
  ): HostedLife<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> {
    const {
      handler,
      handlerDeadlineMs = DEFAULT_HANDLER_DEADLINE_MS,
      deadLetter,
      saveEveryMs = DEFAULT_SAVE_EVERY_MS,
      alarmEveryMs: _alarm,
      sendDeadlineMs: _send,
      onStatus: _status,
      wallClock: _wall,
      ...shardOptions
    } = this.#options;
    const session = this.#loadSession(shardOf);
    return new HostedLife({
      shard: (onStatus) =>
        new Shard({
          maxQueuedSize: DEFAULT_MAX_QUEUED_SIZE,
          ...shardOptions,
          host: this.#host,
          shard: shardOf,
          session,
          identifyLimiter: this.#pacedLimiter(),
          onStatus,
        }),
      delivery: {
        handler,
        deadLetter,
        deadlineMs: handlerDeadlineMs,
        onFailure: ({ error }) => {
          this.#failures++;
          this.#note(error);
        },
      },
      keeping: {
        saved: session,
        store: this.#sessionsAfter(session),
        saveEveryMs,
        onError: (error) => this.#note(error),
      },
      host: this.#host,
      onStatus: (status) => {
        if (status.state === "disconnected" && status.error) this.#note(status.error);
        // Another life than the one that was told: by now the events that the old one had are here again.
        const life = this.#life;
        if (status.state === "live" && this.#record?.retiring && life && !life.hasGoal) {
          life.whenHandled(() => this.#retired());
        }
        this.#changed();
      },
      onHandled: (now) => {
        this.#handled++;
        this.#rate.count(now);
      },
    });
  }

  #begin(life: HostedLife<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>): void {
    if (this.#launchTimer !== null) this.#host.clearTimeout(this.#launchTimer);
    this.#launchTimer = this.#launchAt = null;
    this.#life = life;
    life.begin((error) => this.#ended(life, error));
    this.#turn.resolve();
    this.#turn = Promise.withResolvers();
  }

  /** A life is over; what comes after it? */
  #ended(life: HostedLife<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>, error: unknown): void {
    if (this.#life !== life) return;
    this.#life = null;
    if (!this.#record?.running) return;
    if (error instanceof ShardStoppedError) {
      // Discord will say the same each time; every attempt could cost an identify.
      this.#note(error);
      this.#update({ running: false });
      this.#cancelLaunch();
      this.#changed();
      void this.#storage.deleteAlarm().catch((failure) => this.#note(failure));
    } else if (error instanceof DeliveryStoppedError) {
      this.#launchAfter(0);
    } else {
      this.#note(error);
      this.#launchAfter(error instanceof IdentifyRefusedError ? MAX_RELAUNCH_MS : this.#relaunches.next());
    }
  }

  // Watching.

  /** Sets the next alarm. `false` if it could not be set. */
  async #arm(): Promise<boolean> {
    try {
      await this.#setAlarm();
      return true;
    } catch (error) {
      this.#note(error);
      return false;
    }
  }

  #setAlarm(): Promise<void> {
    const { alarmEveryMs = DEFAULT_ALARM_EVERY_MS } = this.#options;
    return this.#storage.setAlarm(this.#wall() + alarmEveryMs);
  }

  /** Tries until the alarm is set: without one the next death would be the last. */
  async #armPatiently(): Promise<void> {
    for (let attempt = 0; attempt < REARM_ATTEMPTS && this.#record?.running; attempt++) {
      await new Promise<void>((resolve) => this.#host.setTimeout(resolve, REARM_MS));
      if (this.#record?.running && await this.#arm()) return;
    }
  }

  /**
   * Sets the alarm where there is none. Were it set in any case, a constructor that runs because of an alarm would push
   * that alarm away.
   */
  async #armIfMissing(): Promise<void> {
    try {
      const isMissing = await this.#storage.getAlarm() === null;
      if (isMissing && this.#record?.running && !await this.#arm()) await this.#armPatiently();
    } catch (error) {
      this.#note(error);
    }
  }

  #watch(): void {
    const life = this.#life;
    if (life === null) {
      // The timer of a launch may be gone with whatever else went wrong.
      if (this.#launchAt === null || this.#host.now() >= this.#launchAt) this.#launch();
      return;
    }
    const { isProven, stuckIn } = life.watch();
    if (isProven) this.#forgetFailures();
    if (stuckIn === null) return;
    this.#note(
      new ShardHostError(
        `Cannot wait any longer: the shard has shown no sign of life in this state: ${stuckIn}`,
        {
          code: "ERR_SHARD_HOST_STUCK",
        },
      ),
    );
    this.#life = null;
    life.abandon();
    this.#launch();
  }

  #forgetFailures(): void {
    this.#relaunches.reset();
    if (!this.#record) return;
    const { shortLives, identifies } = this.#record;
    if (shortLives > 0 || identifies > 0) this.#update({ shortLives: 0, identifies: 0 });
  }

  #pacedLimiter(): IdentifyLimiter {
    const { token, identifyLimiter } = this.#options;
    const last = () => this.#record ?? { identifies: 0, identifiedAt: 0 };
    return new PacedIdentifyLimiter({
      limiter: identifyLimiter ?? sharedIdentifyLimiter(token, this.#host),
      last,
      // Nothing leaves the object before this is stored: no identify goes uncounted.
      count: () => this.#update({ identifies: last().identifies + 1, identifiedAt: this.#wall() }),
      host: this.#host,
      wallClock: this.#wall,
    });
  }

  // Helpers.

  async #sendThroughLives(
    command: GatewayCommand,
    options: TurnOptions & { readonly signal: AbortSignal },
  ): Promise<void> {
    const { signal } = options;
    while (true) {
      if (signal.aborted) throw signal.reason;
      const life = this.#life;
      if (!this.#record?.running) {
        throw new ShardHostError(`Cannot send op ${command.op}: the shard is stopped`, {
          code: "ERR_SHARD_HOST_STOPPED",
        });
      }
      if (life === null) {
        await abortable(this.#turn.promise, signal);
        continue;
      }
      try {
        await life.shard.send(command, options);
        return;
      } catch (error) {
        if (!(error instanceof CommandNotSentError)) throw error;
        // This life is over: the next one, if there is one, sends it.
        await abortable(life.ended, signal);
      }
    }
  }

  #loadSession([id, count]: readonly [id: number, count: number]): SessionRecord | null {
    try {
      const session = this.#sessions.load();
      if (session === null || session.shardId === id && session.shardCount === count) return session;
    } catch (error) {
      this.#note(error);
    }
    this.#sessions.clear();
    return null;
  }

  /** The stored sessions; a write beyond `start` shows that this life gets somewhere. */
  #sessionsAfter(start: SessionRecord | null): SessionStore {
    const sessions = this.#sessions;
    return {
      load: () => sessions.load(),
      clear: () => sessions.clear(),
      save: (record) => {
        sessions.save(record);
        const isProgress = start !== null && record.sessionId === start.sessionId &&
          record.sequence > start.sequence;
        if (isProgress && this.#record && this.#record.shortLives > 0) this.#update({ shortLives: 0 });
      },
    };
  }

  #update(change: Partial<HostRecord>): void {
    if (!this.#record) return;
    this.#record = { ...this.#record, ...change };
    writeHostRecord(this.#kv, this.#record);
  }

  #cancelLaunch(): void {
    if (this.#launchTimer !== null) this.#host.clearTimeout(this.#launchTimer);
    this.#launchTimer = this.#launchAt = null;
  }

  #changed(): void {
    this.#since = this.#wall();
    const { onStatus } = this.#options;
    try {
      onStatus?.(this.status);
    } catch (error) {
      this.#note(error);
    }
  }

  #note(error: unknown): void {
    this.#lastError = { ...this.#report(error), at: this.#wall() };
  }

  #report(error: unknown): ErrorReport {
    return reportError(error, this.#options.token);
  }
}

/** The synchronous part of an object's storage; throws where there is none. */
export function kvOf(storage: DurableObjectStorageLike): DurableObjectKvLike {
  let kv: DurableObjectKvLike | undefined;
  let cause: unknown;
  try {
    kv = storage.kv;
  } catch (error) {
    cause = error;
  }
  if (kv) return kv;
  throw new ShardHostError("Cannot host a shard: its class has to be SQLite-backed (new_sqlite_classes)", {
    code: "ERR_SHARD_HOST_STORAGE",
    cause,
  });
}

function latencyOf(life: { readonly latency: LatencyReading | null } | null): ShardHostStatus["latency"] {
  const { meanMs = null, recentMs = [] } = life?.latency ?? {};
  const [lastMs] = recentMs;
  return meanMs === null || lastMs === undefined ? null : { meanMs, lastMs };
}

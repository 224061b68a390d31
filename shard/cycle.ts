/**
 * The cycle of a shard: *dial → loop → verdict → wait*.
 *
 * The cause of a connection's end is looked up in the verdict table, and the next round resumes or identifies by it; the
 * verdict *stop* ends the shard with a typed error. Events go to the shard, which reports when too many wait.
 */

import { type Backlog, untilDrained } from "./park.ts";
import {
  delayMs,
  type EndCause,
  type GatewayDispatch,
  type GatewayEnd,
  type GatewayPhase,
  GatewayState,
  KEEP_SESSION_CLOSE_CODE,
  type LatencyReading,
  type SessionRecord,
  verdict,
} from "../gateway/mod.ts";
import { Backoff } from "../ratelimit/mod.ts";
import type { Commands } from "./commands/commands.ts";
import type { Connection } from "./pipe/connection.ts";
import { ShardStoppedError } from "./errors.ts";
import type { EventQueue } from "./events/event_queue.ts";
import { dialFailure, type DiallerOptions, GatewayDialler } from "./connect/dialler.ts";
import { HandledSession, type SessionQueue } from "./events/handled_session.ts";
import type { Platform } from "./pipe/platform.ts";
import { ConnectionLoop } from "./connect/loop.ts";
import type { Settings, ShardOptions } from "./options.ts";
import { sharedIdentifyLimiter } from "./connect/shared_identify_limiter.ts";
import { wait } from "../ratelimit/wait.ts";
import type { ShardStatus } from "./status.ts";
import type { WantedNames } from "./events/wanted_names.ts";

/** Options of a {@linkcode Cycle}. */
export interface CycleOptions {
  /** The shard's options that concern connections. */
  readonly options: DiallerOptions & Pick<ShardOptions, "gateway" | "onStatus">;
  /** The checked options that an identify needs. */
  readonly settings: Pick<Settings, "session" | "shard" | "intents">;
  /** Clock, timers and randomness. */
  readonly platform: Platform;
  /** The names of the events that the connection delivers. */
  readonly wanted: WantedNames;
  /** The events that wait for the consumer. */
  readonly queue: SessionQueue & Pick<EventQueue<never>, "finish" | "length" | "drained">;
  /** The commands that the program sends. */
  readonly commands: Commands;
  /** Takes each event, with the length of its frame. */
  onEvent(event: GatewayDispatch, size: number): void;
}

/** How a connection ended, or why it could not be opened. */
interface Ended extends Pick<GatewayEnd, "closeCode" | "proven" | "progressed" | "error" | "session"> {
  readonly cause: EndCause;
  readonly phase: GatewayPhase | null;
}

/** All connections of one shard, one after another. */
export class Cycle {
  readonly #options: CycleOptions["options"];
  readonly #settings: CycleOptions["settings"];
  readonly #platform: Platform;
  readonly #wanted: WantedNames;
  readonly #queue: CycleOptions["queue"];
  readonly #commands: Commands;
  readonly #onEvent: CycleOptions["onEvent"];
  readonly #handled: HandledSession;
  readonly #backoff: Backoff;
  readonly #dialler: GatewayDialler;
  /** Aborted when the shard closes: ends a dial, a REST request and a wait. */
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #status: ShardStatus = { state: "idle" };
  /** The session between connections; during one, its state has the current record. */
  #session: SessionRecord | null;
  #failedResumes = 0;
  /** The backlog for which the session is parked. */
  #behind: Backlog;
  #state: GatewayState | null = null;
  #loop: ConnectionLoop | null = null;

  /** Nothing is opened yet. */
  constructor({ options, settings, platform, wanted, queue, commands, onEvent }: CycleOptions) {
    this.#options = options;
    this.#settings = settings;
    this.#platform = platform;
    this.#wanted = wanted;
    this.#queue = queue;
    this.#commands = commands;
    this.#onEvent = onEvent;
    this.#handled = new HandledSession(queue);
    this.#session = settings.session;
    this.#behind = queue;
    this.#dialler = new GatewayDialler(options, platform, (status) => this.#setStatus(status));
    this.#backoff = new Backoff({ random: () => platform.random() });
  }

  /** What the shard is doing. */
  get status(): ShardStatus {
    return this.#status;
  }

  /** The session to resume after a restart. */
  get session(): SessionRecord | null {
    return this.#handled.record(this.#received);
  }

  /** Heartbeats of the current connection; `null` without one. */
  get latency(): LatencyReading | null {
    return this.#state?.latency ?? null;
  }

  /** Opens the first connection, if it is not open yet. */
  start(): void {
    if (this.#running !== null || this.#closing.signal.aborted) return;
    // The first status callback may act on the shard, so it must not run inside of this call.
    this.#running = Promise.resolve().then(() => this.#run());
  }

  /** A caller joined the queue of commands. */
  commandsWaiting(): void {
    this.#loop?.commandsWaiting();
  }

  /** Too much waits: parks the session at Discord until this backlog has been taken. */
  fallBehind(behind: Backlog): void {
    this.#behind = behind;
    this.#loop?.close({ keepSession: true, consumerBehind: true });
  }

  /** Closes for good. Resolves when nothing runs any more. */
  async close({ keepSession }: { readonly keepSession: boolean }): Promise<void> {
    if (!this.#closing.signal.aborted) this.#close({ keepSession, error: null });
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    try {
      while (!signal.aborted) {
        const ended = await this.#connect();
        if (!signal.aborted) await this.#decide(ended);
      }
    } catch (error) {
      // A closed shard has its error already; the reason of an aborted dial or wait is not another one.
      if (signal.aborted) return;
      try {
        this.#close({ keepSession: true, error });
      } catch {
        // `onStatus` threw on the first failure, which the consumer gets anyway.
      }
    }
  }

  /** One connection, from the first request to its end. */
  async #connect(): Promise<Ended> {
    const session = this.#session;
    const { signal } = this.#closing;
    let connection: Connection;
    try {
      connection = await this.#dialler.open(session, signal);
    } catch (error) {
      const failure = dialFailure(error);
      return { ...failure, session, phase: null, closeCode: null, proven: false, progressed: false };
    }
    // In the microtask that starts the connection: no other code closes it if the shard was closed before.
    if (signal.aborted) connection.close(KEEP_SESSION_CLOSE_CODE);
    signal.throwIfAborted();
    return await this.#converse(connection);
  }

  /** Runs a loop over the connection until it ends. */
  #converse(connection: Connection): Promise<Ended> {
    const { token, identifyLimiter, gateway } = this.#options;
    const { intents, shard } = this.#settings;
    const { presence } = this.#commands;
    const platform = this.#platform;
    const state = new GatewayState({
      ...gateway,
      ...(presence && { presence }),
      token,
      intents,
      shard,
      session: this.#session,
      wanted: this.#wanted.names,
      random: () => platform.random(),
      now: platform.now(),
    });
    this.#state = state;
    this.#commands.connecting(state);
    return new Promise((resolve, reject) => {
      const guarded = (act: () => void) => {
        try {
          act();
        } catch (error) {
          reject(error);
        }
      };
      this.#loop = new ConnectionLoop({
        connection,
        state,
        platform,
        identifyLimiter: identifyLimiter ?? sharedIdentifyLimiter(token, platform),
        shardId: shard[0],
        commands: this.#commands.queue,
        onEvent: this.#onEvent,
        onPhase: () => {
          const { phase } = state;
          if (phase === "live") this.#commands.requests.connected();
          if (phase !== "closed") guarded(() => this.#setStatus({ state: phase }));
        },
        onEnd: (end) => {
          this.#state = null;
          this.#loop = null;
          this.#session = end.session;
          const { cause, closeCode } = end;
          this.#commands.disconnected({ parked: cause === "consumer_behind", closeCode });
          resolve(end);
        },
      });
      // Reported last: the callback may close the shard, and with it the loop.
      this.#setStatus({ state: "awaiting_hello" });
      this.#loop?.start();
    });
  }

  /** Looks up the next action, and waits until it is due. */
  async #decide(ended: Ended): Promise<void> {
    if (ended.proven) this.#backoff.reset();
    if (ended.proven || ended.progressed) this.#failedResumes = 0;
    else if (ended.phase === "resuming") this.#failedResumes++;

    const { cause, closeCode, error } = ended;
    const { action, session, delay, why } = verdict({
      cause,
      session: ended.session,
      failedResumes: this.#failedResumes,
    });
    if (action === "stop") throw this.#stopError(ended, why);
    if (session === null && this.#session !== null) {
      this.#failedResumes = 0;
      this.#handled.lose(this.#session, cause);
    }
    this.#session = session;

    if (cause === "consumer_behind") {
      this.#setStatus({ state: "draining", queued: this.#behind.length });
      return await this.#park(this.#behind);
    }
    const isFirst = this.#backoff.attempts === 0;
    const backoffMs = this.#backoff.next();
    const waitMs = delayMs(delay, delay === "none" && isFirst ? 0 : backoffMs, this.#platform.random());
    this.#setStatus({ state: "disconnected", cause, why, closeCode, error, action, delayMs: waitMs });
    await wait(waitMs, { clock: this.#platform, signal: this.#closing.signal });
  }

  /** Waits until the backlog is taken; a consumer that is stuck has its commands rejected. */
  async #park(backlog: Backlog): Promise<void> {
    await untilDrained(backlog, { clock: this.#platform, onStuck: () => this.#commands.rejectWaiting() });
    this.#commands.disconnected({ parked: false, closeCode: null });
  }

  #stopError({ cause, closeCode, error }: Ended, why: string): Error {
    if (error !== null && cause !== "gateway_bot_unauthorized") return error;
    return new ShardStoppedError({ endCause: cause, closeCode, why, ...(error && { cause: error }) });
  }

  /** The current session with the last received sequence. */
  get #received(): SessionRecord | null {
    return this.#state?.session ?? this.#session;
  }

  #close({ keepSession, error }: { keepSession: boolean; error: unknown }): void {
    // After a failure the consumer still gets the waiting events, and the record follows it.
    const session = error === null ? this.session : this.#received;
    this.#closing.abort(new Error("The shard was closed"));
    this.#loop?.close({ keepSession });
    this.#session = keepSession ? session : null;
    this.#queue.finish(error);
    this.#commands.close(error);
    this.#setStatus({ state: "closed", error });
  }

  #setStatus(status: ShardStatus): void {
    this.#status = status;
    this.#options.onStatus?.(status);
  }
}

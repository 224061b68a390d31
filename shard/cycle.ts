/**
 * The cycle of a shard: *dial → loop → verdict → wait*.
 *
 * Whatever ends a connection is looked up in the verdict table, and the next round resumes or identifies by it; a verdict
 * of *stop* ends the shard with a typed error. What comes in on the way goes to the shard, which says when it is too much.
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

/** What a cycle is made from. */
export interface CycleOptions {
  /** The shard's options, of which the cycle takes what concerns connections. */
  readonly options: DiallerOptions & Pick<ShardOptions, "gateway" | "onStatus">;
  /** Who the shard is, and what it asks for. */
  readonly settings: Pick<Settings, "session" | "shard" | "intents">;
  /** Clock, timers and randomness. */
  readonly platform: Platform;
  /** The names that the connection hands out. */
  readonly wanted: WantedNames;
  /** What waits for the consumer. */
  readonly queue: SessionQueue & Pick<EventQueue<never>, "finish" | "length" | "drained">;
  /** What the program asks of Discord. */
  readonly commands: Commands;
  /** Takes each event, with the length of its frame. */
  onEvent(event: GatewayDispatch, size: number): void;
}

/** How a connection ended, or why there was none. */
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
  /** Aborted when the shard closes: ends a dial, a request and a wait. */
  readonly #closing = new AbortController();
  #running: Promise<void> | null = null;
  #status: ShardStatus = { state: "idle" };
  /** The session between connections; a connected state knows better. */
  #session: SessionRecord | null;
  #failedResumes = 0;
  /** What did not keep up. */
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

  /** Heartbeats of the present connection; `null` without one. */
  get latency(): LatencyReading | null {
    return this.#state?.latency ?? null;
  }

  /** Opens the first connection, where that has not happened yet. */
  start(): void {
    if (this.#running !== null || this.#closing.signal.aborted) return;
    // Whoever is told of the first status may act on the shard: not in the midst of the call that starts it.
    this.#running = Promise.resolve().then(() => this.#run());
  }

  /** Somebody joined the queue of commands. */
  commandsWaiting(): void {
    this.#loop?.commandsWaiting();
  }

  /** More waits than may: parks the session at Discord until this has been taken. */
  fallBehind(behind: Backlog): void {
    this.#behind = behind;
    this.#loop?.close({ keepSession: true, consumerBehind: true });
  }

  /** Ends it for good. Resolves when nothing runs any more. */
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
      // A closed shard has its reason already; what its dial or wait was aborted with is not another.
      if (signal.aborted) return;
      try {
        this.#close({ keepSession: true, error });
      } catch {
        // `onStatus` threw while it was told of the first failure, which the consumer learns of anyway.
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
    // In the very turn that runs the connection: in whichever earlier one the shard is closed, nobody else sees it.
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
      // Told last: whoever hears it may close the shard, and with it the loop.
      this.#setStatus({ state: "awaiting_hello" });
      this.#loop?.start();
    });
  }

  /** Looks up what follows, and waits until it may. */
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

  /** The present session with the last sequence that came in. */
  get #received(): SessionRecord | null {
    return this.#state?.session ?? this.#session;
  }

  #close({ keepSession, error }: { keepSession: boolean; error: unknown }): void {
    // After a failure the consumer still gets what waits, and the record goes on following it.
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

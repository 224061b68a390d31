/**
 * The shard: keeps one session alive over as many connections as it takes.
 *
 * A cycle is *dial → loop → verdict → wait*. Whatever ends a connection is looked up in the verdict table, and the next
 * cycle resumes or identifies by it; a verdict of *stop* ends the shard with a typed error. Events go through one
 * bounded queue, from which one consumer takes them: an iterator, a stream, or a handler.
 */

import {
  delayMs,
  type DirectMessageEventName,
  type EndCause,
  type EventName,
  type GatewayCommand,
  type GatewayDispatch,
  type GatewayEnd,
  type GatewayPhase,
  GatewayState,
  gatewayUrl,
  type GuildEventName,
  KEEP_SESSION_CLOSE_CODE,
  type LatencyReading,
  type RequestChannelInfo,
  type RequestGuildMembers,
  type SessionRecord,
  type UngatedEventName,
  verdict,
} from "../gateway/mod.ts";
import { Backoff, type TurnOptions } from "../ratelimit/mod.ts";
import { abortable } from "./abortable.ts";
import type { CommandBudget } from "./command_budget.ts";
import type { CommandOutcome } from "./command_gates.ts";
import { Commands } from "./commands.ts";
import type { Connection } from "./connection.ts";
import { dial, DialError } from "./dial.ts";
import { GatewayBotError, ShardStoppedError } from "./errors.ts";
import type { ShardEvent, WantedName } from "./event.ts";
import { type EventHandler, EventQueue } from "./event_queue.ts";
import { GatewayAddress } from "./gateway_address.ts";
import type { GuildMembersChunk } from "./guild_members.ts";
import type { ChannelInfo, SoundboardSounds } from "./guild_requests.ts";
import { type Host, systemHost } from "./host.ts";
import { Listeners } from "./listeners.ts";
import { ConnectionLoop } from "./loop.ts";
import type { ShardOptions } from "./options.ts";
import type { Answers, RequestOptions } from "./requests.ts";
import { settingsOf } from "./settings.ts";
import { sharedIdentifyLimiter } from "./shared_identify_limiter.ts";
import type { ShardStatus } from "./status.ts";
import { readyUserId, userIdOf } from "./user_id.ts";

/** How a connection ended, or why there was none. */
interface Ended extends Pick<GatewayEnd, "closeCode" | "proven" | "progressed" | "error" | "session"> {
  readonly cause: EndCause;
  readonly phase: GatewayPhase | null;
}

/** A consumer that takes nothing for so long, in ms, while the session waits for it, waits for something itself. */
const STUCK_MS = 60_000;

/** Something that waits for the consumer, and that the session is parked for when it is too much. */
interface Backlog {
  readonly length: number;
  drained(): Promise<void>;
}

/**
 * A bot's connection to Discord that reconnects, resumes and backs off by itself.
 *
 * It starts when its events are first asked for, and has one consumer: `for await`, {@linkcode Shard.events} or
 * {@linkcode Shard.run}. Only an explicit {@linkcode Shard.close} ends the session at Discord; leaving the loop by
 * `break` or an error, and `await using`, keep it, so that the next start can resume.
 *
 * @see https://docs.discord.com/developers/events/gateway
 *
 * @example
 * ```ts
 * import { Shard } from "@discordgateway/edge";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const discord = new FakeDiscord();
 * const shard = new Shard({
 *   token: discord.token,
 *   guildEvents: ["MESSAGE_CREATE"],
 *   events: ["READY"],
 *   dial: discord.dial,                        // leave out dial and fetch to talk to Discord
 *   fetch: discord.fetch,
 * });
 *
 * for await (const event of shard) {
 *   if (event.t === "READY") discord.sendMessage({ content: "hello" });
 *   if (event.t === "MESSAGE_CREATE") {
 *     if (event.d.author.id === "") throw new Error("d is typed by t");
 *     break;
 *   }
 * }
 * ```
 */
export class Shard<
  const Guild extends GuildEventName = never,
  const DirectMessage extends DirectMessageEventName = never,
  const Ungated extends UngatedEventName = never,
> implements AsyncIterable<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>, AsyncDisposable {
  readonly #options: ShardOptions<Guild, DirectMessage, Ungated>;
  readonly #host: Host;
  readonly #shard: readonly [id: number, count: number];
  readonly #intents: number;
  /** The names that the user gave; `null` = every event is wanted. */
  readonly #named: ReadonlySet<string> | null;
  /** What the connection hands out: these, and what answers an open request. */
  readonly #wanted: Set<string> | null;
  readonly #listeners: Listeners;
  readonly #queue: EventQueue<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>;
  readonly #commands: Commands;
  readonly #backoff: Backoff;
  readonly #address: GatewayAddress;
  /** Aborted when the shard closes: ends a dial, a request and a wait. */
  readonly #closing = new AbortController();
  #events: ReadableStream<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> | null = null;
  #consumed = false;
  #running: Promise<void> | null = null;
  #status: ShardStatus = { state: "idle" };
  /** The session between connections; a connected state knows better. */
  #session: SessionRecord | null;
  /** Sessions that Discord has dropped, by their number in the queue, as long as something of them is not handled. */
  readonly #lostSessions = new Map<number, SessionRecord>();
  #failedResumes = 0;
  /** What did not keep up. */
  #behind: Backlog;
  #state: GatewayState | null = null;
  #loop: ConnectionLoop | null = null;
  #userId: string | null;

  /**
   * Makes a shard; nothing is opened yet.
   *
   * @throws {TypeError} No token, or neither events nor intents.
   * @throws {RangeError} `maxQueuedEvents` or `maxQueuedSize` below 1.
   * @throws {SessionRecordError} The session record is malformed or belongs to another shard.
   */
  constructor(options: ShardOptions<Guild, DirectMessage, Ungated>) {
    const { session, shard, intents, named, queueLimits, commandLimits } = settingsOf(options);
    this.#options = options;
    this.#host = options.host ?? systemHost;
    this.#session = session;
    this.#shard = shard;
    this.#intents = intents;
    this.#named = named;
    // READY says who the bot is.
    this.#wanted = named && new Set([...named, "READY"]);
    this.#listeners = new Listeners(this.#wanted);
    this.#queue = new EventQueue(queueLimits);
    this.#behind = this.#queue;
    this.#commands = new Commands({
      host: this.#host,
      intents,
      limits: commandLimits,
      wanted: this.#wanted,
      maxSize: queueLimits.maxSize,
      onWaiting: () => this.#loop?.commandsWaiting(),
    });
    this.#userId = userIdOf(options.token);
    this.#address = new GatewayAddress(options, this.#host);
    this.#backoff = new Backoff({ random: () => this.#host.random() });
  }

  // What it is doing.

  /** What the shard is doing. */
  get status(): ShardStatus {
    return this.#status;
  }

  /**
   * The session with the last *handled* sequence: store it, and a shard made from it takes up exactly after that event.
   * `null` before READY. A session that Discord has dropped stays here until its last event and SESSION_GAP are handled:
   * a restart before that finds it refused, and learns of the gap.
   */
  get session(): SessionRecord | null {
    const session = this.#lostSessions.get(this.#queue.oldestSession) ?? this.#received;
    return session && { ...session, sequence: this.#queue.handled(session.sequence) };
  }

  /** How long heartbeats of the present connection took to be acknowledged; `null` without a connection. */
  get latency(): LatencyReading | null {
    return this.#state?.latency ?? null;
  }

  /** Events that wait for the consumer now, and the most that ever did. */
  get queued(): { readonly now: number; readonly peak: number } {
    return { now: this.#queue.length, peak: this.#queue.peak };
  }

  /** The bot's user id: from READY, and before that from the token; `null` if neither has said it. */
  get userId(): string | null {
    return this.#userId;
  }

  /** The intents that the shard identifies with. */
  get intents(): number {
    return this.#intents;
  }

  /** What is left of the budget of commands, and how many callers wait for it. */
  get commands(): CommandBudget {
    return this.#commands.budget;
  }

  // Consuming events: one way per shard.

  /**
   * Iterates over the events. Leaving the loop closes the shard and keeps the session.
   *
   * @throws {TypeError} If the shard has a consumer already.
   */
  [Symbol.asyncIterator](): AsyncIterator<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>, void> {
    this.#takeConsumer("iterate");
    return {
      next: () => {
        this.#start();
        return this.#queue.next();
      },
      return: async () => {
        await this.close({ keepSession: true });
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * The events as a stream, to `pipeTo` anywhere. An event counts as handled when the next one is pulled.
   *
   * @throws {TypeError} If the shard has another consumer already.
   */
  get events(): ReadableStream<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> {
    if (this.#events) return this.#events;
    this.#takeConsumer("stream");
    return this.#events = new ReadableStream({
      pull: async (controller) => {
        this.#start();
        const { done, value } = await this.#queue.next();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await this.close({ keepSession: true });
      },
    }, { highWaterMark: 0 });
  }

  /**
   * Calls `handler` with each event, one at a time: the cheapest way to consume. An event counts as handled when the
   * handler has returned, or what it returned has resolved.
   *
   * Resolves when the shard is closed; rejects with what stopped the shard, or with what the handler threw.
   *
   * @throws {TypeError} If the shard has a consumer already.
   */
  async run(handler: EventHandler<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>): Promise<void> {
    this.#takeConsumer("run");
    const consumed = this.#queue.consume(handler);
    this.#start();
    try {
      await consumed;
    } finally {
      await this.close({ keepSession: true });
    }
  }

  /**
   * Hears events as they come in, besides the consumer and ahead of it. They need not be named in the options, but their
   * intents must be there. For parts that live next to the consumer, such as a voice connection: what they hear is not
   * queued, holds nothing up, and counts as handled only with the consumer's events after it.
   *
   * @param listener Takes each event in the turn in which it comes in. Must not throw.
   * @returns How to stop it.
   *
   * @example
   * ```ts
   * import { Shard } from "@discordgateway/edge";
   * import { FakeDiscord } from "@discordgateway/edge/testing";
   *
   * const { token, dial, fetch, guilds } = new FakeDiscord();
   * const shard = new Shard({ token, events: ["READY"], intents: 1, dial, fetch });
   * const guild = new Promise<string>((resolve) => shard.listen(["GUILD_CREATE"], ({ d }) => resolve(d.id)));
   * const running = shard.run(({ t }) => {
   *   if (t !== "READY") throw new Error("the consumer gets what it named");
   * });
   * if (await guild !== guilds[0]?.id) throw new Error("unexpected");
   * await shard.close();
   * await running;
   * ```
   */
  listen<Name extends EventName>(
    names: readonly Name[],
    listener: (event: GatewayDispatch<Name>) => void,
  ): () => void {
    return this.#listeners.add(names, listener);
  }

  /** Counts the event in hand as handled now, before the next one is asked for. */
  acknowledge(): void {
    this.#queue.acknowledge();
  }

  // Acting.

  /**
   * Sends a command. Resolves when it is written; until then the caller waits for its turn: under the rate limit, and for
   * a usable session, through any number of reconnects.
   *
   * Of presence updates only the newest waits: one that is replaced while it waits resolves at once, as `"superseded"`.
   * Neither they nor requests for all members of a guild, which Discord limits a second time, hold up other commands.
   *
   * @throws {CommandError} A command that Discord would not accept; nothing was sent, no turn was spent.
   * @throws {PayloadTooLargeError} More than 4096 bytes.
   * @throws {CommandNotSentError} The shard closed first; carries the command.
   * @throws {ConsumerStuckError} The session is parked for a consumer that takes nothing; carries the command.
   * @throws the signal's reason, if it is aborted before the command's turn.
   */
  async send(command: GatewayCommand, options: TurnOptions = {}): Promise<CommandOutcome> {
    return await this.#commands.send(command, options);
  }

  /**
   * Asks for members of a guild, and iterates over the chunks that answer. It is sent when the first one is asked for.
   *
   * A request that Discord answers with RATE_LIMITED is sent again when Discord allows it. After a lost session it is
   * sent again too; chunks that have not changed are not handed out twice.
   *
   * @throws {CommandError} The request is malformed: neither or both of `query` and `user_ids`, no `limit`, …
   * @throws {MissingIntentError} The full list needs GUILD_MEMBERS, presences need GUILD_PRESENCES.
   * @throws {RequestError} From the iterator: no chunk within `deadlineMs`, or the shard closed in between.
   * @throws {CommandNotSentError} From the iterator: the shard closed before its turn.
   *
   * @see https://docs.discord.com/developers/events/gateway-events#request-guild-members
   *
   * @example
   * ```ts
   * import { Shard } from "@discordgateway/edge";
   * import { FakeDiscord } from "@discordgateway/edge/testing";
   *
   * const { token, dial, fetch, guilds } = new FakeDiscord({ guilds: [{ members: 1_500 }] });
   * await using shard = new Shard({ token, guildEvents: ["GUILD_MEMBER_ADD"], events: ["READY"], dial, fetch });
   * for await (const event of shard) {
   *   if (event.t !== "READY") continue;
   *   let count = 0;
   *   for await (const { members } of shard.requestGuildMembers({ guild_id: guilds[0]!.id, query: "", limit: 0 })) {
   *     count += members.length;
   *   }
   *   if (count !== 1_501) throw new Error("unexpected");
   *   break;
   * }
   * ```
   */
  requestGuildMembers(
    request: RequestGuildMembers,
    options: RequestOptions = {},
  ): Answers<GuildMembersChunk> {
    return this.#commands.requestGuildMembers(request, options);
  }

  /**
   * Asks for the soundboard sounds of guilds, and iterates over the answers, one for each, as they come.
   *
   * @throws {RequestError} From the iterator: no answer within `deadlineMs`; names the guilds that are missing.
   * @throws {PayloadTooLargeError} From the iterator: too many guilds for one frame.
   * @throws {CommandNotSentError} From the iterator: the shard closed before its turn.
   *
   * @see https://docs.discord.com/developers/events/gateway-events#request-soundboard-sounds
   */
  requestSoundboardSounds(
    guildIds: readonly string[],
    options: RequestOptions = {},
  ): Answers<SoundboardSounds> {
    return this.#commands.requestSoundboardSounds(guildIds, options);
  }

  /**
   * Asks for what a guild's voice channels show: their status, since when somebody talks there.
   *
   * @throws {RequestError} No answer within `deadlineMs`, or the shard closed in between.
   * @throws {CommandNotSentError} The shard closed before its turn.
   *
   * @see https://docs.discord.com/developers/events/gateway-events#request-channel-info
   */
  async requestChannelInfo(
    guildId: string,
    fields: RequestChannelInfo["fields"],
    options: RequestOptions = {},
  ): Promise<ChannelInfo> {
    return await this.#commands.requestChannelInfo(guildId, fields, options);
  }

  /**
   * Closes the shard for good. Events that still wait are dropped; commands that wait are rejected.
   *
   * Nobody waits for the peer's answer. A peer that is dead and never answers leaves the runtime's own socket behind until
   * TCP gives up; on Deno and Node that alone can keep a process alive, which `exit` ends.
   *
   * @param options `keepSession`: leave the session alive at Discord for a few minutes, to be resumed from the record
   * that is returned. Otherwise it ends and the bot goes offline at once.
   * @returns The session record with the last handled sequence, or `null` if the session was not kept or there is none.
   */
  async close(options: { readonly keepSession?: boolean } = {}): Promise<SessionRecord | null> {
    const { keepSession = false } = options;
    if (!this.#closing.signal.aborted) this.#close({ keepSession, error: null });
    await this.#running;
    return keepSession ? this.session : null;
  }

  /** Closes the shard, keeping the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ keepSession: true });
  }

  // The cycle.

  #takeConsumer(how: string): void {
    if (this.#consumed) throw new TypeError(`Cannot ${how}: the shard has a consumer already`);
    this.#consumed = true;
  }

  #start(): void {
    if (this.#running === null && !this.#closing.signal.aborted) this.#running = this.#cycle();
  }

  async #cycle(): Promise<void> {
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
    const { signal } = this.#closing;
    const { dial: dialFunction = dial, dialDeadlineMs } = this.#options;
    const action = this.#session === null ? "identify" : "resume";
    let connection: Connection;
    try {
      const url = this.#resumeUrl() ?? gatewayUrl(await this.#address.find(signal));
      this.#setStatus({ state: "dialing", url, action });
      const dialing = dialFunction(url, {
        signal,
        ...(dialDeadlineMs !== undefined && { deadlineMs: dialDeadlineMs }),
      });
      connection = await abortable(dialing, signal, (late) => late.close(KEEP_SESSION_CLOSE_CODE));
    } catch (error) {
      return this.#notConnected(error);
    }
    if (signal.aborted) {
      // Closed between the handshake and here.
      connection.close(KEEP_SESSION_CLOSE_CODE);
      throw signal.reason;
    }
    return await this.#converse(connection);
  }

  #notConnected(error: unknown): Ended {
    const nothing = {
      phase: null,
      session: this.#session,
      closeCode: null,
      proven: false,
      progressed: false,
    };
    if (error instanceof DialError) return { ...nothing, cause: "dial_failed", error };
    if (error instanceof GatewayBotError) {
      const unauthorized = error.status === 401 || error.status === 403;
      return { ...nothing, cause: unauthorized ? "gateway_bot_unauthorized" : "gateway_bot_failed", error };
    }
    throw error;
  }

  /** Runs a loop over the connection until it ends. */
  #converse(connection: Connection): Promise<Ended> {
    const { token, identifyLimiter, gateway } = this.#options;
    const host = this.#host;
    const state = new GatewayState({
      ...gateway,
      token,
      intents: this.#intents,
      shard: this.#shard,
      session: this.#session,
      wanted: this.#wanted,
      random: () => host.random(),
      now: host.now(),
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
        host,
        identifyLimiter: identifyLimiter ?? sharedIdentifyLimiter(token, host),
        shardId: this.#shard[0],
        commands: this.#commands.queue,
        onEvent: (event, size) => this.#deliver(event, size),
        onPhase: () => {
          const { phase } = state;
          if (phase === "live") this.#commands.requests.connected();
          if (phase !== "closed") guarded(() => this.#setStatus({ state: phase }));
        },
        onEnd: (end) => {
          this.#state = null;
          this.#loop = null;
          this.#session = end.session;
          this.#commands.disconnected({ parked: end.cause === "consumer_behind" });
          resolve(end);
        },
      });
      // Told last: whoever hears it may close the shard, and with it the loop.
      this.#setStatus({ state: "awaiting_hello" });
      this.#loop?.start();
    });
  }

  #deliver(event: GatewayDispatch, size: number): void {
    if (event.t === "RATE_LIMITED") this.#commands.rateLimited(event);
    else if (event.t === "READY") this.#userId = readyUserId(event.d) ?? this.#userId;
    this.#listeners.offer(event);
    const { requests } = this.#commands;
    if (requests.active && !requests.take(event, size)) this.#fallBehind(requests);
    if (this.#named?.has(event.t) === false) return;
    // The state hands out wanted events only: that is what the type of this shard's events says.
    const wanted = event as ShardEvent<WantedName<Guild, DirectMessage, Ungated>>;
    if (!this.#queue.push(wanted, size)) this.#fallBehind(this.#queue);
  }

  #fallBehind(behind: Backlog): void {
    this.#behind = behind;
    this.#loop?.close({ keepSession: true, consumerBehind: true });
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
    if (session === null && this.#session !== null) this.#loseSession(this.#session, cause);
    this.#session = session;

    if (cause === "consumer_behind") {
      this.#setStatus({ state: "draining", queued: this.#behind.length });
      return await this.#park(this.#behind);
    }
    const isFirst = this.#backoff.attempts === 0;
    const backoffMs = this.#backoff.next();
    const waitMs = delayMs(delay, delay === "none" && isFirst ? 0 : backoffMs, this.#host.random());
    this.#setStatus({ state: "disconnected", cause, why, closeCode, error, action, delayMs: waitMs });
    if (waitMs > 0) await this.#sleep(waitMs);
  }

  /**
   * Waits until what did not keep up has caught up. Whoever handles an event, or reads an answer, by waiting for a
   * command would wait for ever: if for a whole minute nothing is taken, those who wait to send are sent away.
   */
  async #park(behind: Backlog): Promise<void> {
    const host = this.#host;
    let left = behind.length;
    const look = () => {
      if (behind.length === left) this.#commands.giveUp();
      left = behind.length;
      timer = host.setTimeout(look, STUCK_MS);
    };
    let timer = host.setTimeout(look, STUCK_MS);
    await behind.drained();
    host.clearTimeout(timer);
    this.#commands.disconnected({ parked: false });
  }

  #stopError({ cause, closeCode, error }: Ended, why: string): Error {
    if (error !== null && cause !== "gateway_bot_unauthorized") return error;
    return new ShardStoppedError({ endCause: cause, closeCode, why, ...(error && { cause: error }) });
  }

  #loseSession(lost: SessionRecord, cause: EndCause): void {
    this.#failedResumes = 0;
    const { sessionId, sequence } = lost;
    for (const number of this.#lostSessions.keys()) {
      if (number < this.#queue.oldestSession) this.#lostSessions.delete(number);
    }
    this.#lostSessions.set(this.#queue.session, lost);
    this.#queue.push({ op: null, t: "SESSION_GAP", s: null, d: { sessionId, sequence, cause } }, 0);
    this.#queue.startSession();
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

  /** The session's own URL, or `null` without one that can be dialled. */
  #resumeUrl(): string | null {
    const url = this.#session?.resumeGatewayUrl ?? null;
    if (url === null) return null;
    try {
      return gatewayUrl(url);
    } catch {
      // Not a WebSocket URL: as good as none, the main gateway takes resumes too.
      return null;
    }
  }

  #sleep(ms: number): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#host.clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = this.#host.setTimeout(done, ms);
      signal.addEventListener("abort", done);
    });
  }
}

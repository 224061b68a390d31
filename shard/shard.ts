/**
 * The shard: the public interface of one session, kept alive over any number of connections.
 *
 * Events go through one bounded queue, from which one consumer takes them: an iterator, a stream, or a handler. The
 * cycle opens the connections.
 */

import type {
  DirectMessageEventName,
  EncodedCommand,
  EventName,
  GatewayCommand,
  GatewayDispatch,
  GuildEventName,
  LatencyReading,
  RequestChannelInfo,
  RequestGuildMembers,
  SessionRecord,
  UngatedEventName,
} from "../gateway/mod.ts";
import type { QueueOptions } from "../ratelimit/mod.ts";
import type { RequestOptions, ResponseIterator } from "./commands/response_iterator.ts";
import type { CommandBudget } from "./commands/budget.ts";
import type { CommandOutcome } from "./commands/limits.ts";
import { Commands } from "./commands/commands.ts";
import { Cycle } from "./cycle.ts";
import type { ShardEvent, WantedName } from "./events/event.ts";
import { type EventHandler, EventQueue } from "./events/event_queue.ts";
import { eventStream } from "./events/event_stream.ts";
import type { GuildMembersChunk } from "./commands/guild_members.ts";
import type { ChannelInfo, SoundboardSounds } from "./commands/guild_requests.ts";
import { systemPlatform } from "./pipe/platform.ts";
import { Listeners } from "./events/listeners.ts";
import type { ShardOptions } from "./options.ts";
import { settingsOf } from "./options.ts";
import type { ShardStatus } from "./status.ts";
import { readyUserId, userIdOf } from "./user_id.ts";
import { requireVoice, type VoiceProvider } from "./voice_provider.ts";
import { WantedNames } from "./events/wanted_names.ts";

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
  Voice extends VoiceProvider | undefined = VoiceProvider | undefined,
> implements AsyncIterable<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>, AsyncDisposable {
  readonly #voice: Voice | undefined;
  readonly #intents: number;
  /** The names that the user gave; `null` = all events are wanted. */
  readonly #named: ReadonlySet<string> | null;
  readonly #listeners: Listeners;
  readonly #queue: EventQueue<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>;
  readonly #commands: Commands;
  readonly #cycle: Cycle;
  #events: ReadableStream<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> | null = null;
  #consumed = false;
  #userId: string | null;

  /**
   * Makes a shard; nothing is opened yet.
   *
   * @throws {TypeError} No token, or neither events nor intents.
   * @throws {RangeError} `maxQueuedEvents` or `maxQueuedSize` below 1.
   * @throws {SessionRecordError} The session record is malformed or belongs to another shard.
   */
  constructor(options: ShardOptions<Guild, DirectMessage, Ungated, Voice>) {
    const settings = settingsOf(options);
    const { intents, named, queueLimits, commandLimits } = settings;
    const platform = options.platform ?? systemPlatform;
    // READY has the user id.
    const wanted = new WantedNames(named && [...named, "READY"]);
    this.#voice = options.voice;
    this.#intents = intents;
    this.#named = named;
    this.#listeners = new Listeners(wanted);
    this.#queue = new EventQueue(queueLimits);
    this.#commands = new Commands({
      platform,
      intents,
      limits: commandLimits,
      wanted,
      maxSize: queueLimits.maxSize,
      onWaiting: () => this.#cycle.commandsWaiting(),
    });
    this.#cycle = new Cycle({
      options,
      settings,
      platform,
      wanted,
      queue: this.#queue,
      commands: this.#commands,
      onEvent: (event, size) => this.#deliver(event, size),
    });
    this.#userId = userIdOf(options.token);
  }

  // Status.

  /** What the shard is doing. */
  get status(): ShardStatus {
    return this.#cycle.status;
  }

  /**
   * The session with the last *handled* sequence: store it, and a shard made from it resumes exactly after that event.
   * `null` before READY. A session that Discord has dropped stays here until its last event and SESSION_GAP are handled:
   * after a restart before that, the resume is refused and SESSION_GAP comes again.
   */
  get session(): SessionRecord | null {
    return this.#cycle.session;
  }

  /** How long the heartbeats of the current connection took to be acknowledged; `null` without a connection. */
  get latency(): LatencyReading | null {
    return this.#cycle.latency;
  }

  /** How many events wait for the consumer now, and the most that ever did. */
  get queued(): { readonly now: number; readonly peak: number } {
    return { now: this.#queue.length, peak: this.#queue.peak };
  }

  /** The bot's user id: from READY, and before that from the token; `null` if neither has it. */
  get userId(): string | null {
    return this.#userId;
  }

  /** The intents that the shard identifies with. */
  get intents(): number {
    return this.#intents;
  }

  /** The voice provider, as it was given in the options. */
  get voice(): Voice {
    // Without the option the type says so, unless the options were spread: `joinVoice` checks again.
    return this.#voice as Voice;
  }

  /** What is left of the budget of commands, and how many callers wait for it. */
  get commands(): CommandBudget {
    return this.#commands.budget;
  }

  // Consuming events: one consumer per shard.

  /**
   * Iterates over the events. Leaving the loop closes the shard and keeps the session.
   *
   * @throws {TypeError} If the shard has a consumer already.
   */
  [Symbol.asyncIterator](): AsyncIterator<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>, void> {
    return this.#iterate("iterate");
  }

  /**
   * The events as a stream, to `pipeTo` anywhere. An event counts as handled when the next one is pulled.
   *
   * @throws {TypeError} If the shard has another consumer already.
   */
  get events(): ReadableStream<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>> {
    if (this.#events) return this.#events;
    return this.#events = eventStream(this.#iterate("stream"));
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
    this.#cycle.start();
    try {
      await consumed;
    } finally {
      await this.close({ keepSession: true });
    }
  }

  /**
   * Listens to events as they come in, besides the consumer and before it. They need not be named in the options, but
   * their intents must be there. For other parts of the program, such as a voice connection: these events are not queued,
   * delay nothing, and count as handled only with the consumer's next event.
   *
   * @param listener Called synchronously with each event as it comes in. Must not throw.
   * @returns The function that stops listening.
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

  /** Marks the current event as handled now, before the next one is asked for. */
  acknowledge(): void {
    this.#queue.acknowledge();
  }

  // Sending.

  /**
   * Sends a command. Resolves when it is written; until then `send()` waits for the rate limit and for a usable session,
   * through any number of reconnects. The command is sent as it was given, whatever becomes of its body meanwhile.
   *
   * Of presence updates only the newest waits: one that is replaced while it waits resolves at once, as `"superseded"`.
   * Neither they nor requests for all members of a guild, which Discord limits a second time, delay other commands. The
   * presence that was written last is part of the IDENTIFY of every later session: a bot keeps its status when Discord
   * drops its session.
   *
   * @throws {CommandError} A command that Discord would not accept, or of more than 4096 bytes; nothing was sent.
   * @throws {CommandNotSentError} The shard closed first; has the command.
   * @throws {ConsumerStuckError} The session is parked for a consumer that takes nothing; has the command.
   * @throws the signal's reason, if it is aborted before the command is written.
   */
  async send(
    command: GatewayCommand | EncodedCommand,
    options: QueueOptions = {},
  ): Promise<CommandOutcome> {
    return await this.#commands.send(command, options);
  }

  /**
   * Requests members of a guild, and iterates over the chunks. The command is sent when the first chunk is asked for.
   *
   * A request that Discord answers with RATE_LIMITED is sent again when Discord allows it. It is also sent again after a
   * lost session; chunks that have not changed are not delivered twice.
   *
   * @throws {CommandError} The request is malformed: neither or both of `query` and `user_ids`, no `limit`, …
   * @throws {RangeError} `deadlineMs` is no positive number.
   * @throws {MissingOptionError} The full list needs GUILD_MEMBERS, presences need GUILD_PRESENCES.
   * @throws {RequestError} From the iterator: no chunk within `deadlineMs`, the shard closed meanwhile, or Discord closes
   * the connection each time.
   * @throws {CommandNotSentError} From the iterator: the shard closed before the command was written.
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
  ): ResponseIterator<GuildMembersChunk> {
    return this.#commands.requestGuildMembers(request, options);
  }

  /**
   * Requests the soundboard sounds of guilds, and iterates over the responses as they come, one for each guild.
   *
   * @throws {CommandError} `guildIds` is no list of ids.
   * @throws {RangeError} `deadlineMs` is no positive number.
   * @throws {RequestError} From the iterator: no response within `deadlineMs`; names the missing guilds.
   * @throws {CommandError} From the iterator: too many guilds for one frame.
   * @throws {CommandNotSentError} From the iterator: the shard closed before the command was written.
   *
   * @see https://docs.discord.com/developers/events/gateway-events#request-soundboard-sounds
   */
  requestSoundboardSounds(
    guildIds: readonly string[],
    options: RequestOptions = {},
  ): ResponseIterator<SoundboardSounds> {
    return this.#commands.requestSoundboardSounds(guildIds, options);
  }

  /**
   * Requests the status of a guild's voice channels, and since when a call takes place there.
   *
   * @throws {CommandError} `guildId` is no id, or `fields` is no list of names.
   * @throws {RangeError} `deadlineMs` is no positive number.
   * @throws {RequestError} No response within `deadlineMs`, the shard closed meanwhile, or Discord closes the connection
   * each time.
   * @throws {CommandNotSentError} The shard closed before the command was written.
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
   * Joins a voice channel of a guild of this shard with the voice provider in its options: `voice()` of `./voice`. Resolves
   * to the voice connection when audio can be sent and received. The shard's events must be consumed meanwhile; an event
   * handler may await it.
   *
   * Without the option `voice` the compiler refuses the call.
   *
   * @throws {MissingOptionError} The shard was made without the option `voice`.
   * @throws what the voice provider throws; see `joinVoice` of `./voice`.
   *
   * @see https://docs.discord.com/developers/topics/voice-connections
   *
   * @example
   * ```ts
   * import { Shard } from "@discordgateway/edge";
   * import { FakeDiscord } from "@discordgateway/edge/testing";
   * import { voice } from "@discordgateway/edge/voice";
   *
   * const stage = { name: "stage", type: 13, id: "41" };      // a voice channel also needs end-to-end encryption
   * await using discord = new FakeDiscord({ guilds: [{ id: "40", channels: [stage] }] });
   * const fake = await discord.openVoice();
   * const { token, dial, fetch } = discord;
   * const provider = voice({ dial: fake.dial, openUdp: fake.openUdp });      // leave out both to talk to Discord
   * const shard = new Shard({ token, intents: 1 << 7, voice: provider, dial, fetch });
   *
   * await shard.run(async (event) => {
   *   if (event.t !== "READY") return;
   *   await using connection = await shard.joinVoice("40", "41", { selfDeaf: true });
   *   if (connection.channelId !== "41") throw new Error("unexpected");
   *   await connection.play([new Uint8Array([0xfc, 1, 2, 3])]);
   *   await shard.close();
   * });
   * ```
   */
  async joinVoice<Options, Connection>(
    this: Shard<Guild, DirectMessage, Ungated, VoiceProvider<Options, Connection>>,
    guildId: string,
    channelId: string,
    options?: Options,
  ): Promise<Connection> {
    return await requireVoice(this.voice).join(this, { guildId, channelId }, options);
  }

  /**
   * Closes the shard for good. Waiting events are dropped; waiting commands are rejected.
   *
   * It does not wait for the peer's close frame. With a dead peer the runtime keeps its socket until TCP times out; on Deno
   * and Node that can keep the process alive, unless it calls `exit`.
   *
   * @param options `keepSession`: keeps the session alive at Discord for a few minutes, to be resumed from the returned
   * record. Otherwise it ends and the bot goes offline at once.
   * @returns The session record with the last handled sequence, or `null` if the session was not kept or there is none.
   */
  async close(options: { readonly keepSession?: boolean } = {}): Promise<SessionRecord | null> {
    const { keepSession = false } = options;
    await this.#cycle.close({ keepSession });
    return keepSession ? this.session : null;
  }

  /** Closes the shard, keeping the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ keepSession: true });
  }

  #takeConsumer(how: string): void {
    if (this.#consumed) throw new TypeError(`Cannot ${how}: the shard has a consumer already`);
    this.#consumed = true;
  }

  #iterate(
    how: string,
  ): AsyncIterator<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>, void> {
    this.#takeConsumer(how);
    return {
      next: () => {
        this.#cycle.start();
        return this.#queue.next();
      },
      return: async () => {
        await this.close({ keepSession: true });
        return { done: true, value: undefined };
      },
    };
  }

  #deliver(event: GatewayDispatch, size: number): void {
    if (event.t === "RATE_LIMITED") this.#commands.rateLimited(event);
    else if (event.t === "READY") this.#userId = readyUserId(event.d) ?? this.#userId;
    this.#listeners.offer(event);
    const { requests } = this.#commands;
    if (requests.active && !requests.take(event, size)) this.#cycle.fallBehind(requests);
    if (this.#named?.has(event.t) === false) return;
    // The state delivers wanted events only, as the type of this shard's events says.
    const wanted = event as ShardEvent<WantedName<Guild, DirectMessage, Ungated>>;
    if (!this.#queue.push(wanted, size)) this.#cycle.fallBehind(this.#queue);
  }
}

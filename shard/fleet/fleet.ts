/**
 * The fleet: any set of a bot's shards in one process.
 *
 * It adds to its shards what needs a view of all of them: it starts them in the order in which Discord takes identifies,
 * merges their events without acknowledging one early, finds the guild's shard for a command, a request or a voice
 * connection, and replaces the whole set by one of another count without a gap. A failure of one shard stays with that
 * shard.
 */

import type {
  DirectMessageEventName,
  GatewayCommand,
  GuildEventName,
  RequestChannelInfo,
  RequestGuildMembers,
  SessionRecord,
  UngatedEventName,
} from "../../gateway/mod.ts";
import type { QueueOptions } from "../../ratelimit/mod.ts";
import { checkCommand } from "../commands/check.ts";
import type { WantedName } from "../events/event.ts";
import type { EventHandler } from "../events/event_queue.ts";
import { eventStream } from "../events/event_stream.ts";
import { type FleetConsumer, HandledEvents, MergedEvents } from "./consumer.ts";
import { FleetCore } from "./core.ts";
import type { FleetEvent } from "./event.ts";
import { type FleetOptions, wantedItems } from "./options.ts";
import type { ReshardOptions, ReshardReport } from "./reshard.ts";
import type { FleetStatus } from "./status.ts";
import type { GuildMembersChunk } from "../commands/guild_members.ts";
import type { ChannelInfo, SoundboardSounds } from "../commands/guild_requests.ts";
import type { RequestOptions, ResponseIterator } from "../commands/response_iterator.ts";
import { requireVoice, type VoiceProvider } from "../voice_provider.ts";

/**
 * Any set of a bot's shards in one process, consumed like one shard.
 *
 * It starts when its events are first asked for, and has one consumer: `for await`, {@linkcode Fleet.events} or
 * {@linkcode Fleet.run}. A shard that stops for good is told of by a SHARD_STOPPED event, and the others go on; only
 * when all have stopped does the consumer get a {@linkcode FleetStoppedError}.
 *
 * @see https://docs.discord.com/developers/events/gateway#sharding
 *
 * @example
 * ```ts
 * import { Fleet } from "@discordgateway/edge/fleet";
 * import { FakeDiscord, VirtualClock } from "@discordgateway/edge/testing";
 *
 * const clock = new VirtualClock();
 * const discord = new FakeDiscord({ clock, shards: 4, maxConcurrency: 4 });
 * const { token, dial, fetch } = discord;
 * const fleet = new Fleet({ token, guildEvents: ["MESSAGE_CREATE"], dial, fetch, platform: clock });
 *
 * const heard: string[] = [];
 * const running = fleet.run(({ shardId, event }) => {
 *   if (event.t === "MESSAGE_CREATE") heard.push(`${event.d.author.username} on ${shardId}`);
 * });
 * await clock.runUntil(() => fleet.status.counts.live === 4);
 *
 * const resharding = fleet.reshard(8);                  // 8 shards come up beside the 4, and take over
 * await clock.runUntil(() => fleet.status.shardCount === 8);
 * if ((await resharding).to !== 8) throw new Error("unexpected");
 * discord.sendMessage({ author: "alice", content: "still there?" });
 * await clock.advance(0);
 * await fleet.close();
 * await running;
 * if (heard.join() !== "alice on 0") throw new Error(`unexpected: ${heard}`);
 * ```
 */
export class Fleet<
  const Guild extends GuildEventName = never,
  const DirectMessage extends DirectMessageEventName = never,
  const Ungated extends UngatedEventName = never,
  Voice extends VoiceProvider | undefined = VoiceProvider | undefined,
> implements AsyncIterable<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>>, AsyncDisposable {
  readonly #core: FleetCore;
  readonly #voice: Voice | undefined;
  readonly #isWanted: (item: FleetEvent) => boolean;
  #consumer: FleetConsumer<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>> | null = null;
  #events: ReadableStream<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>> | null = null;

  /**
   * Makes a fleet; nothing is opened yet.
   *
   * @throws {TypeError} No token, or neither events nor intents.
   * @throws {RangeError} The shards are no possible choice, or a queue limit is below 1.
   * @throws {SessionRecordError} A session record is malformed, or does not belong to these shards.
   */
  constructor(options: FleetOptions<Guild, DirectMessage, Ungated, Voice>) {
    this.#isWanted = wantedItems(options);
    this.#voice = options.voice;
    this.#core = new FleetCore(options, {
      deliver: (item) => this.#hasWanted(item) ? this.#consumer?.deliver(item) : undefined,
      finish: (error) => this.#consumer?.finish(error),
    });
  }

  // Status.

  /** What the fleet and each of its shards are doing. */
  get status(): FleetStatus {
    return this.#core.status;
  }

  /**
   * The session of every shard with its last *handled* sequence: store them, and a fleet made from them resumes after
   * those events. During a reshard they are the old set's, until the new one has replaced it.
   */
  get sessions(): readonly SessionRecord[] {
    return this.#core.sessions;
  }

  /** The voice provider, as it was given in the options. */
  get voice(): Voice {
    // Without the option the type says so, unless the options were spread: `joinVoice` checks again.
    return this.#voice as Voice;
  }

  // Consuming events: one consumer per fleet.

  /**
   * Iterates over the events of all shards. An event counts as handled when the next one is asked for. Leaving the loop
   * closes the fleet and keeps the sessions.
   *
   * @throws {TypeError} If the fleet has a consumer already.
   */
  [Symbol.asyncIterator](): AsyncIterator<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>, void> {
    return this.#iterate();
  }

  /**
   * The events as a stream, to `pipeTo` anywhere. An event counts as handled when the next one is pulled.
   *
   * @throws {TypeError} If the fleet has another consumer already.
   */
  get events(): ReadableStream<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>> {
    if (this.#events) return this.#events;
    return this.#events = eventStream(this.#iterate());
  }

  /**
   * Calls `handler` with each event: one at a time for a shard, and independently for different ones, so that a slow
   * handler delays only its own shard. An event counts as handled when the handler has returned, or what it
   * returned has resolved.
   *
   * Resolves when the fleet is closed and every handler has returned; rejects with what stopped the fleet, or with what a
   * handler threw.
   *
   * @throws {TypeError} If the fleet has a consumer already.
   */
  async run(
    handler: EventHandler<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>>,
  ): Promise<void> {
    const handled = this.#consumeBy("run", new HandledEvents(handler));
    this.#core.start();
    try {
      await handled.finished;
    } finally {
      await this.close({ keepSession: true });
    }
    await this.#core.handlersReturned();
    if (this.#core.failure) throw this.#core.failure.error;
  }

  /** Marks an event as handled now, before the next one is asked for. */
  acknowledge(item: FleetEvent<WantedName<Guild, DirectMessage, Ungated>>): void {
    this.#core.acknowledge(item);
  }

  // Sending.

  /**
   * Sends a command through the shard of its guild; a presence through every shard, and a request about guilds of several
   * shards in parts. `send()` waits for the rate limit and a usable session, through reconnects, restarts and reshards.
   * Shards of a later restart or reshard start with the presence that was sent last.
   *
   * @throws {CommandError} A command that Discord would not accept, or of more than 4096 bytes; nothing was sent.
   * @throws {ShardNotHereError} The guild's shard runs elsewhere.
   * @throws {CommandNotSentError} The shard stopped or the fleet closed first; has the command.
   * @throws {AggregateError} Several parts were not sent; `errors` says why.
   * @throws the signal's reason, if it is aborted before the command is written.
   */
  async send(command: GatewayCommand, options: QueueOptions = {}): Promise<void> {
    await this.#core.send(checkCommand(command), options);
  }

  /**
   * Requests members of a guild through its shard, and iterates over the chunks; see `Shard.requestGuildMembers`. If that
   * shard is replaced, in a restart or a reshard, the request goes to the guild's next shard, and chunks that have not
   * changed are not delivered twice.
   *
   * @throws {CommandError} The request is malformed.
   * @throws {MissingOptionError} The full list needs GUILD_MEMBERS, presences need GUILD_PRESENCES.
   * @throws {ShardNotHereError} From the iterator: the guild's shard runs elsewhere.
   * @throws {RequestError} From the iterator: no chunk within `deadlineMs`, or the shard stopped meanwhile.
   * @throws {CommandNotSentError} From the iterator: the shard stopped or the fleet closed before the command was written.
   *
   * @see https://docs.discord.com/developers/events/gateway-events#request-guild-members
   *
   * @example
   * ```ts
   * import { Fleet } from "@discordgateway/edge/fleet";
   * import { FakeDiscord } from "@discordgateway/edge/testing";
   *
   * const { token, dial, fetch, guilds } = new FakeDiscord({ shards: 2, maxConcurrency: 2, guilds: [{ members: 1_500 }] });
   * const fleet = new Fleet({ token, intents: 1 << 1, dial, fetch });                // GUILD_MEMBERS
   * const running = fleet.run(() => {});
   * let count = 0;
   * for await (const { members } of fleet.requestGuildMembers({ guild_id: guilds[0]!.id, query: "", limit: 0 })) {
   *   count += members.length;
   * }
   * if (count !== 1_501) throw new Error("unexpected");
   * await fleet.close();
   * await running;
   * ```
   */
  requestGuildMembers(
    request: RequestGuildMembers,
    options: RequestOptions = {},
  ): ResponseIterator<GuildMembersChunk> {
    return this.#core.requests.guildMembers(request, options);
  }

  /**
   * Requests the soundboard sounds of guilds, each through its shard, and iterates over the responses as they come, one for
   * each guild. If one shard fails, the responses of the others come first. If one is replaced, in a restart or a reshard,
   * the missing guilds are requested anew.
   *
   * @throws {ShardNotHereError} From the iterator: the shard of a guild runs elsewhere.
   * @throws {RequestError} From the iterator: no response within `deadlineMs`; names the missing guilds.
   * @throws {CommandError} From the iterator: too many guilds of one shard for one frame.
   * @throws {CommandNotSentError} From the iterator: the shard stopped or the fleet closed before the command was written.
   * @throws {AggregateError} From the iterator: several shards failed; `errors` says why.
   *
   * @see https://docs.discord.com/developers/events/gateway-events#request-soundboard-sounds
   */
  requestSoundboardSounds(
    guildIds: readonly string[],
    options: RequestOptions = {},
  ): ResponseIterator<SoundboardSounds> {
    return this.#core.requests.soundboardSounds(guildIds, options);
  }

  /**
   * Requests the status of a guild's voice channels through its shard, and since when a call takes place there. If that
   * shard is replaced, in a restart or a reshard, the request goes to the guild's next shard.
   *
   * @throws {ShardNotHereError} The guild's shard runs elsewhere.
   * @throws {RequestError} No response within `deadlineMs`, or the shard stopped meanwhile.
   * @throws {CommandNotSentError} The shard stopped or the fleet closed before the command was written.
   *
   * @see https://docs.discord.com/developers/events/gateway-events#request-channel-info
   */
  async requestChannelInfo(
    guildId: string,
    fields: RequestChannelInfo["fields"],
    options: RequestOptions = {},
  ): Promise<ChannelInfo> {
    return await this.#core.requests.channelInfo(guildId, fields, options);
  }

  /**
   * Joins a voice channel through the shard of its guild, with the voice provider in the options: `voice()` of `./voice`.
   * Resolves to the voice connection when audio can be sent and received.
   *
   * The connection outlives restarts of its shard that keep the session, and reshards: before the old set closes, the
   * guild's new shard joins the same channel. Discord then makes a new voice session, which is a short pause in playback.
   *
   * Without the option `voice` the compiler refuses the call.
   *
   * @throws {MissingOptionError} The fleet was made without the option `voice`.
   * @throws {ShardNotHereError} The guild's shard runs elsewhere.
   * @throws what the voice provider throws; see `joinVoice` of `./voice`.
   *
   * @see https://docs.discord.com/developers/topics/voice-connections
   */
  async joinVoice<Options, Connection>(
    this: Fleet<Guild, DirectMessage, Ungated, VoiceProvider<Options, Connection>>,
    guildId: string,
    channelId: string,
    options?: Options,
  ): Promise<Connection> {
    const voice = requireVoice(this.voice);
    return await this.#core.voice.join(
      guildId,
      (gateway) => voice.join(gateway, { guildId, channelId }, options),
    );
  }

  /**
   * Replaces a shard by a new connection: `resume` keeps its session and loses nothing, otherwise the session ends
   * and a new one begins, which a SESSION_GAP event reports. It also brings back a shard that has stopped.
   *
   * @throws {ShardNotHereError} The shard is not in this fleet.
   * @throws {TypeError} The fleet does not run or reshards, or the shard is being restarted.
   */
  async restart(shardId: number, options: { readonly resume?: boolean } = {}): Promise<void> {
    await this.#core.restart(shardId, options);
  }

  /**
   * Splits the bot into another number of shards without a gap: the new set starts beside the old one, then the old one
   * closes. Each event is delivered at least once, and in its guild's order; the report counts the duplicates.
   *
   * The switch waits until the consumer has handled what the old set received: start a reshard beside the consumer's
   * loop, and do not wait for it in there.
   *
   * @param to How many shards, as many as Discord recommends by default.
   *
   * @throws {ReshardError} It did not take place, and the old set goes on.
   * @throws {IdentifyBudgetError} Discord allows fewer identifies than the new set needs; nothing has changed.
   * @throws {GatewayBotError} Discord could not be asked; nothing has changed.
   * @throws {TypeError} The fleet does not run, reshards already, or has not all of the bot's shards.
   */
  async reshard(
    to: number | "recommended" = "recommended",
    options: ReshardOptions = {},
  ): Promise<ReshardReport> {
    return await this.#core.reshard(to, options);
  }

  /**
   * Closes the fleet for good. Events that still wait are dropped; commands that wait are rejected.
   *
   * @param options `keepSession`: leave the sessions alive at Discord for a few minutes, to be resumed from the records
   * that are returned. Otherwise they end and the bot goes offline at once.
   * @returns The session records with the last handled sequences; none, if the sessions were not kept.
   */
  async close(options: { readonly keepSession?: boolean } = {}): Promise<readonly SessionRecord[]> {
    return await this.#core.close(options);
  }

  /** Closes the fleet, keeping the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ keepSession: true });
  }

  // Inside.

  #iterate(): AsyncIterator<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>, void> {
    const merged = this.#consumeBy(
      "iterate",
      new MergedEvents<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>>(),
    );
    return {
      next: () => {
        this.#core.start();
        return merged.next();
      },
      return: async () => {
        await this.close({ keepSession: true });
        return { done: true, value: undefined };
      },
    };
  }

  #consumeBy<Consumer extends FleetConsumer<FleetEvent<WantedName<Guild, DirectMessage, Ungated>>>>(
    how: string,
    consumer: Consumer,
  ): Consumer {
    if (this.#consumer) throw new TypeError(`Cannot ${how}: the fleet has a consumer already`);
    this.#consumer = consumer;
    return consumer;
  }

  #hasWanted(item: FleetEvent): item is FleetEvent<WantedName<Guild, DirectMessage, Ungated>> {
    return this.#isWanted(item);
  }
}

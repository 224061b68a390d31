/** Everything that a program sends to Discord through its shard: commands, their queue, and requests. */

import {
  type EncodedCommand,
  type GatewayCommand,
  type GatewayDispatch,
  GatewayOpcode,
  type GatewayState,
  type PresenceUpdate,
  type RequestChannelInfo,
  type RequestGuildMembers,
} from "../../gateway/mod.ts";
import { GatedQueue, type GatedQueueOptions, type QueueOptions } from "../../ratelimit/mod.ts";
import type { RequestOptions, ResponseIterator } from "./response_iterator.ts";
import { checkCommand } from "./check.ts";
import { type CommandBudget, readBudget } from "./budget.ts";
import { type CommandLimits, type CommandOutcome, guildMembersLimit, subLimitOf } from "./limits.ts";
import { CommandNotSentError, ConsumerStuckError } from "./errors.ts";
import { type GuildMembersChunk, guildMembersRequest } from "./guild_members.ts";
import {
  type ChannelInfo,
  channelInfoRequest,
  type SoundboardSounds,
  soundboardSoundsRequest,
} from "./guild_requests.ts";
import type { Platform } from "../pipe/platform.ts";
import { type ConnectionLost, Requests } from "./requests.ts";
import type { WantedNames } from "../events/wanted_names.ts";

/** What commands need of their shard. */
export interface CommandsOptions {
  /** Clock, timers and randomness. */
  readonly platform: Platform;
  /** The intents of the shard. */
  readonly intents: number;
  /** The sub-limits. */
  readonly limits: CommandLimits;
  /** The names of the events that the connection delivers. */
  readonly wanted: WantedNames;
  /** The length of the responses that may wait for their callers, in UTF-16 units. */
  readonly maxSize: number;
  /** A caller joined the queue. */
  onWaiting(): void;
}

/** The commands of one shard, over all its connections. */
export class Commands {
  /** Callers that wait to send. */
  readonly queue = new GatedQueue<EncodedCommand>();
  /** Requests without all of their responses. */
  readonly requests: Requests;
  readonly #options: CommandsOptions;
  #state: GatewayState | null = null;
  #presence: PresenceUpdate | null = null;
  #nonces = 0;
  #closed: { readonly by: unknown } | null = null;

  /** The queue is empty. */
  constructor(options: CommandsOptions) {
    this.#options = options;
    const { platform: clock, wanted, maxSize } = options;
    this.requests = new Requests({
      clock,
      wanted,
      maxSize,
      send: (command, queueOptions) => this.#enqueue(command, queueOptions),
      shut: (gate, instant) => this.queue.shut(gate, instant, clock.now()),
      sessionId: () => this.#state?.session?.sessionId ?? null,
    });
  }

  /** What is left of the budget. */
  get budget(): CommandBudget {
    return readBudget(this.#state, this.#options.platform.now(), this.queue.size);
  }

  /** The presence that was written last; `null` = none. Discord forgets it with its session. */
  get presence(): PresenceUpdate | null {
    return this.#presence;
  }

  /** Sends a command when the rate limit allows it. */
  async send(
    given: GatewayCommand | EncodedCommand,
    { signal, priority = "low" }: QueueOptions,
  ): Promise<CommandOutcome> {
    const encoded = checkCommand(given);
    const { command } = encoded;
    const gate = subLimitOf(command, this.#options.limits);
    const isSent = await this.#enqueue(encoded, { gate, priority, ...(signal && { signal }) });
    if (isSent && command.op === GatewayOpcode.PresenceUpdate) this.#presence = command.d;
    return isSent ? "sent" : "superseded";
  }

  /** Op 8. */
  requestGuildMembers(
    request: RequestGuildMembers,
    options: RequestOptions,
  ): ResponseIterator<GuildMembersChunk> {
    const { intents, limits } = this.#options;
    return this.requests.request(
      guildMembersRequest(request, { intents, limits, nonce: this.#nonce() }),
      options,
    );
  }

  /** Op 31. */
  requestSoundboardSounds(
    guildIds: readonly string[],
    options: RequestOptions,
  ): ResponseIterator<SoundboardSounds> {
    return this.requests.request(soundboardSoundsRequest(guildIds), options);
  }

  /** Op 43. */
  async requestChannelInfo(
    guildId: string,
    fields: RequestChannelInfo["fields"],
    options: RequestOptions,
  ): Promise<ChannelInfo> {
    return await this.requests.requestOne(channelInfoRequest(guildId, fields), options);
  }

  /** A connection begins; its state has the session and the budget. */
  connecting(state: GatewayState): void {
    this.#state = state;
  }

  /** The connection is over. */
  disconnected(lost: ConnectionLost): void {
    this.#state = null;
    this.requests.disconnected(lost);
  }

  /** Discord refused a command as too early. */
  rateLimited(event: GatewayDispatch<"RATE_LIMITED">): void {
    const { platform, limits } = this.#options;
    this.requests.rateLimited(event.d, platform.now(), (guildId) => guildMembersLimit(guildId, limits));
  }

  /** The shard closed, because of `by` if that is not `null`: rejects every caller. */
  close(by: unknown): void {
    this.#closed = { by };
    this.requests.close(by);
    this.queue.rejectAll(({ command }) => new CommandNotSentError(command, by));
  }

  /** The consumer takes no events, perhaps because it waits for one of these callers: rejects all of them. */
  rejectWaiting(): void {
    this.queue.rejectAll(({ command }) => new ConsumerStuckError(command));
  }

  async #enqueue(given: GatewayCommand | EncodedCommand, options: GatedQueueOptions): Promise<boolean> {
    const encoded = checkCommand(given);
    if (this.#closed) throw new CommandNotSentError(encoded.command, this.#closed.by);
    const written = this.queue.wait(encoded, options);
    this.#options.onWaiting();
    return await written;
  }

  /** At most 19 bytes, unique in this shard; a collision between two shards is unlikely. */
  #nonce(): string {
    return `${(this.#nonces++).toString(36)}-${
      Math.floor(this.#options.platform.random() * 2 ** 48).toString(36)
    }`;
  }
}

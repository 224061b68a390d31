/** Everything that a program asks of Discord through its shard: who waits, behind which gate, and what is answered. */

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
import { type CommandLimits, type CommandOutcome, gateOf, guildMembersLimit } from "./limits.ts";
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
  /** The names that the connection hands out. */
  readonly wanted: WantedNames;
  /** The length of the frames that may wait for those who asked, in UTF-16 units. */
  readonly maxSize: number;
  /** Somebody joined the queue. */
  onWaiting(): void;
}

/** The commands of one shard, over all its connections. */
export class Commands {
  /** Callers that wait to send. */
  readonly queue = new GatedQueue<EncodedCommand>();
  /** Questions that are not answered in full. */
  readonly requests: Requests;
  readonly #options: CommandsOptions;
  #state: GatewayState | null = null;
  #presence: PresenceUpdate | null = null;
  #nonces = 0;
  #closed: { readonly by: unknown } | null = null;

  /** Nobody waits yet. */
  constructor(options: CommandsOptions) {
    this.#options = options;
    const { platform: clock, wanted, maxSize } = options;
    this.requests = new Requests({
      clock,
      wanted,
      maxSize,
      send: (command, queueOptions) => this.#wait(command, queueOptions),
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

  /** Waits for the turn of a command. */
  async send(
    given: GatewayCommand | EncodedCommand,
    { signal, priority = "low" }: QueueOptions,
  ): Promise<CommandOutcome> {
    const encoded = checkCommand(given);
    const { command } = encoded;
    const gate = gateOf(command, this.#options.limits);
    const isSent = await this.#wait(encoded, { gate, priority, ...(signal && { signal }) });
    if (isSent && command.op === GatewayOpcode.PresenceUpdate) this.#presence = command.d;
    return isSent ? "sent" : "superseded";
  }

  /** Op 8. */
  requestGuildMembers(
    request: RequestGuildMembers,
    options: RequestOptions,
  ): ResponseIterator<GuildMembersChunk> {
    const { intents, limits } = this.#options;
    return this.requests.ask(
      guildMembersRequest(request, { intents, limits, nonce: this.#nonce() }),
      options,
    );
  }

  /** Op 31. */
  requestSoundboardSounds(
    guildIds: readonly string[],
    options: RequestOptions,
  ): ResponseIterator<SoundboardSounds> {
    return this.requests.ask(soundboardSoundsRequest(guildIds), options);
  }

  /** Op 43. */
  async requestChannelInfo(
    guildId: string,
    fields: RequestChannelInfo["fields"],
    options: RequestOptions,
  ): Promise<ChannelInfo> {
    return await this.requests.askOnce(channelInfoRequest(guildId, fields), options);
  }

  /** A connection begins; its state knows the session and the budget. */
  connecting(state: GatewayState): void {
    this.#state = state;
  }

  /** The connection is over. */
  disconnected(lost: ConnectionLost): void {
    this.#state = null;
    this.requests.disconnected(lost);
  }

  /** Discord says that something was asked too often. */
  rateLimited(event: GatewayDispatch<"RATE_LIMITED">): void {
    const { platform, limits } = this.#options;
    this.requests.rateLimited(event.d, platform.now(), (guildId) => guildMembersLimit(guildId, limits));
  }

  /** The shard closed, because of `by` if that is not `null`: sends everybody away. */
  close(by: unknown): void {
    this.#closed = { by };
    this.requests.close(by);
    this.queue.rejectAll(({ command }) => new CommandNotSentError(command, by));
  }

  /** Who takes the events takes none, perhaps because it waits for one of these: sends everybody away who waits. */
  giveUp(): void {
    this.queue.rejectAll(({ command }) => new ConsumerStuckError(command));
  }

  async #wait(given: GatewayCommand | EncodedCommand, options: GatedQueueOptions): Promise<boolean> {
    const encoded = checkCommand(given);
    if (this.#closed) throw new CommandNotSentError(encoded.command, this.#closed.by);
    const turn = this.queue.wait(encoded, options);
    this.#options.onWaiting();
    return await turn;
  }

  /** At most 19 bytes, unique in this shard, and hardly the same in two. */
  #nonce(): string {
    return `${(this.#nonces++).toString(36)}-${
      Math.floor(this.#options.platform.random() * 2 ** 48).toString(36)
    }`;
  }
}

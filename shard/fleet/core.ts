/**
 * The shards of a fleet: the set that delivers, and during a reshard the one that follows. It knows no consumer: it hands
 * events on, and reports once how it ended.
 */

import type { FleetConsumer } from "./consumer.ts";
import { sendRouted } from "./routed_send.ts";
import {
  type EncodedCommand,
  type GatewayCommand,
  GatewayOpcode,
  type PresenceUpdate,
  type SessionRecord,
} from "../../gateway/mod.ts";
import type { QueueOptions } from "../../ratelimit/mod.ts";
import { abortable } from "../pipe/abortable.ts";
import { CommandNotSentError } from "../commands/errors.ts";
import { guildMembersRequest } from "../commands/guild_members.ts";
import { settingsOf } from "../options.ts";
import { userIdOf } from "../user_id.ts";
import { FleetStoppedError, ReshardError, ShardNotHereError } from "./errors.ts";
import type { FleetEvent } from "./event.ts";
import { type AnyFleetOptions, makeShard } from "./options.ts";
import type { ShardSelection } from "./plan.ts";
import { Reshard, type ReshardOptions, type ReshardReport } from "./reshard.ts";
import { FleetRequests } from "./requests.ts";
import { FleetSet } from "./shard_set.ts";
import type { FleetSlot } from "./shard_slot.ts";
import { type FleetPlan, knownSelection, parseSessions, planFleet, planReshard } from "./start.ts";
import { type FleetStatus, fleetStatus } from "./status.ts";
import { FleetVoice } from "./voice.ts";
import { type Platform, systemPlatform } from "../pipe/platform.ts";

/** The shards of a fleet, and what happens to them. */
export class FleetCore {
  readonly #options: AnyFleetOptions;
  readonly #listener: FleetConsumer<FleetEvent>;
  readonly #platform: Platform;
  readonly #known: ShardSelection | null;
  readonly #restored: readonly SessionRecord[];
  readonly #closing = new AbortController();
  readonly #planned: PromiseWithResolvers<void> = Promise.withResolvers();
  /** The presence that a shard wrote last: shards that are made later begin with it. */
  #presence: PresenceUpdate | null = null;
  #started = false;
  #failure: { readonly error: unknown } | null = null;
  /** Why the REST API last failed to say where the gateway is, while it is asked again. */
  #lookupError: unknown = null;
  #set: FleetSet | null = null;
  /** The set that is to follow, until it does. */
  #next: FleetSet | null = null;
  #resharding = false;
  #reshard: Reshard | null = null;
  /** Which shard each guild's voice connection goes through. */
  readonly voice: FleetVoice;
  /** Requests to Discord. */
  readonly requests: FleetRequests;

  /** Checks the options; nothing is opened yet. */
  constructor(options: AnyFleetOptions, listener: FleetConsumer<FleetEvent>) {
    this.#options = options;
    this.#listener = listener;
    this.#platform = options.platform ?? systemPlatform;
    this.#restored = parseSessions(options.sessions ?? [], options.shards);
    this.#known = knownSelection(options.shards, this.#restored);
    const { intents, commandLimits: limits } = settingsOf(options);
    this.voice = new FleetVoice({
      platform: this.#platform,
      closing: this.#closing.signal,
      set: () => this.#commandSet,
      planned: this.#planned.promise,
      bot: { userId: userIdOf(options.token), intents },
    });
    this.requests = new FleetRequests({
      set: (command, signal) => this.#knownSet(command, signal),
      closing: this.#closing.signal,
      check: (request) => void guildMembersRequest(request, { intents, limits, nonce: "" }),
    });
  }

  /** What ended it, unless the program closed it. */
  get failure(): { readonly error: unknown } | null {
    return this.#failure;
  }

  /** What the fleet and each of its shards are doing. */
  get status(): FleetStatus {
    const [started, closed] = [this.#started, this.#closing.signal.aborted];
    const error = this.#failure ? this.#failure.error : this.#lookupError;
    return fleetStatus({ started, closed, known: this.#known, set: this.#set, next: this.#next, error });
  }

  /** The session of every shard, to go on with in the next process. */
  get sessions(): readonly SessionRecord[] {
    return this.#set?.sessions ?? this.#restored;
  }

  /** Resolves when the last handler of every shard has returned. */
  async handlersReturned(): Promise<void> {
    await Promise.all([this.#set, this.#next].flatMap((set) => set?.list ?? []).map((one) => one.finished));
  }

  /** Counts an event that the consumer has in hand as handled. */
  acknowledge(item: FleetEvent): void {
    for (const set of [this.#set, this.#next]) set?.shards.get(item.shardId)?.acknowledge(item);
  }

  /** Sends a command through the shards that it is for. */
  async send(encoded: EncodedCommand, options: QueueOptions = {}): Promise<void> {
    const { signal } = this.#closing;
    const { command } = encoded;
    const set = await this.#knownSet(command, options.signal);
    await sendRouted(encoded, {
      set,
      options,
      onSent: (outcome) => {
        if (outcome === "sent" && command.op === GatewayOpcode.PresenceUpdate) this.#presence = command.d;
      },
      mayRetry: () => !signal.aborted && set !== this.#commandSet,
      retry: (part) => this.send(part, options),
    });
  }

  /** Replaces a shard by a new connection. */
  async restart(shardId: number, options: { readonly resume?: boolean } = {}): Promise<void> {
    if (this.#set === null || this.#resharding || this.#closing.signal.aborted) {
      throw new TypeError(`Cannot restart shard ${shardId}: the fleet is ${this.status.state}`);
    }
    const slot = this.#set.shards.get(shardId);
    if (!slot) throw new ShardNotHereError(shardId, this.#set.count);
    await slot.restart({ resume: options.resume ?? true });
  }

  /** Replaces the set by one of another count. */
  async reshard(
    to: number | "recommended" = "recommended",
    options: ReshardOptions = {},
  ): Promise<ReshardReport> {
    const old = this.#set;
    const { signal: closing } = this.#closing;
    if (old === null || this.#resharding || closing.aborted) {
      throw new TypeError(
        `Cannot reshard: the fleet is ${this.#resharding ? "resharding" : this.status.state}`,
      );
    }
    if (old.shards.size < old.count) {
      throw new TypeError(
        `Cannot reshard: the fleet has ${old.shards.size} of the bot's shards, and what happens on the others is unknown: ${old.count}`,
      );
    }
    this.#resharding = true;
    try {
      const plan = await planReshard(this.#options, { to, platform: this.#platform, signal: closing }).catch(
        (cause) => {
          if (!closing.aborted) throw cause;
          throw new ReshardError("the fleet was closed", { code: "ERR_RESHARD_ABORTED", cause });
        },
      );
      const next = this.#next = this.#makeSet(plan, { sessions: [], watched: true });
      const onReplaced = () => {
        this.#set = next;
        this.#next = null;
      };
      const { maxConcurrency } = plan;
      const platform = this.#platform;
      const onCommitted = () => this.voice.handOver(old, next);
      const parts = { ...options, old, next, maxConcurrency, platform, closing, onCommitted, onReplaced };
      this.#reshard = new Reshard(parts);
      return await this.#reshard.run().catch(async (error) => {
        if (this.#next === next) {
          this.#reshard = null;
          // Who has joined through the new set meanwhile.
          await this.voice.handOver(next, old);
          await next.close({ keepSession: false });
        }
        throw error;
      });
    } finally {
      this.#next = null;
      this.#reshard = null;
      this.#resharding = false;
      this.#endIfAllStopped();
    }
  }

  /** Closes every shard for good. */
  async close(options: { readonly keepSession?: boolean } = {}): Promise<readonly SessionRecord[]> {
    const { keepSession = false } = options;
    const next = this.#next;
    this.#closing.abort(new Error("The fleet was closed"));
    this.#listener.finish(null);
    const [records] = await Promise.all([
      this.#set?.close({ keepSession }) ?? (keepSession ? this.#restored : []),
      next?.close({ keepSession: false }),
    ]);
    return records;
  }

  /** Starts, once. */
  start(): void {
    if (this.#started || this.#closing.signal.aborted) return;
    this.#started = true;
    void this.#begin();
  }

  async #begin(): Promise<void> {
    const { signal } = this.#closing;
    try {
      const plan = await planFleet(this.#options, {
        known: this.#known,
        sessions: this.#restored,
        platform: this.#platform,
        signal,
        onFailure: (error) => this.#lookupError = error,
      });
      if (signal.aborted) return;
      this.#lookupError = null;
      this.#set = this.#makeSet(plan, { sessions: this.#restored, watched: false });
      this.#planned.resolve();
      this.#set.start(plan.maxConcurrency);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  #makeSet(
    { selection, url }: FleetPlan,
    { sessions, watched }: { readonly sessions: readonly SessionRecord[]; readonly watched: boolean },
  ): FleetSet {
    const options = this.#options;
    const set: FleetSet = new FleetSet({
      selection,
      sessions,
      platform: this.#platform,
      slot: {
        make: (shardId, session, onStatus) => {
          const presence = this.#presence;
          const gateway = { ...options.gateway, ...(presence && { presence }) };
          const set = { count: selection.count, url, watched, shardId, session, onStatus };
          return makeShard({ ...options, gateway }, set);
        },
        deliver: (item) => this.#listener.deliver(item),
        onStatus: ({ shardId, shardCount }, status) => {
          this.#reshard?.look();
          options.onStatus?.({ shardId, shardCount, status });
        },
        onProgress: () => this.#reshard?.look(),
        onStopped: (slot) => void this.#stopped(set, slot),
        onHandlerFailed: (error) => this.#fail(error),
      },
    });
    return set;
  }

  /** The set whose answers to commands will be delivered. */
  get #commandSet(): FleetSet | null {
    return this.#reshard?.keeping ? this.#next ?? this.#set : this.#set;
  }

  /** The same, as soon as the fleet knows its shards. */
  async #knownSet(command: GatewayCommand, signal?: AbortSignal): Promise<FleetSet> {
    const { signal: closing } = this.#closing;
    if (this.#set === null) {
      await abortable(this.#planned.promise, signal ? AbortSignal.any([closing, signal]) : closing)
        .catch((cause) => {
          throw closing.aborted ? new CommandNotSentError(command, this.#failure?.error) : cause;
        });
    }
    const set = this.#commandSet;
    if (set === null) throw new TypeError("Cannot send: the fleet has no shards yet");
    return set;
  }

  async #stopped(set: FleetSet, slot: FleetSlot): Promise<void> {
    const committed = this.#reshard?.committed ?? false;
    this.#reshard?.look();
    // A new shard that fails ends the reshard instead, and an old one has had its time.
    const isPresent = set === this.#set && !(committed && this.#next);
    if (this.#closing.signal.aborted || !(isPresent || set === this.#next && committed)) return;
    await slot.announceStop();
    this.#endIfAllStopped();
  }

  #endIfAllStopped(): void {
    const shards = this.#set?.list ?? [];
    if (this.#resharding || this.#closing.signal.aborted || !shards.every((shard) => shard.over)) return;
    this.#fail(new FleetStoppedError(shards.map(({ shardId, error }) => ({ shardId, error }))));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#listener.finish(error);
    void this.close({ keepSession: true });
  }
}

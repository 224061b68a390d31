/**
 * A slot of a fleet: the shard that holds it now, its restarts, and what the consumer has in hand of it.
 *
 * Between the shard's queue and the consumer is a gate, which a reshard sets.
 */

import { SlotListeners } from "./slot_listeners.ts";
import { SlotDelivery } from "./slot_delivery.ts";
import type { EncodedCommand, GatewayCommand, SessionRecord } from "../../gateway/mod.ts";
import type { QueueOptions } from "../../ratelimit/mod.ts";
import type { CommandOutcome } from "../commands/limits.ts";
import { CommandNotSentError } from "../commands/errors.ts";
import type { ShardEvent } from "../events/event.ts";
import type { FleetEvent } from "./event.ts";
import type { AnyShard } from "./options.ts";
import { NOT_HANDLED, SlotGate, type SlotGateState } from "./slot_gate.ts";
import { Completeness, type Duplicates, LivenessProbe } from "./overlap.ts";
import type { ReshardShard } from "./plan.ts";
import type { ShardStatus } from "../status.ts";
import type { GuildGatewayEvent } from "../voice_provider.ts";

/** What a slot of a fleet is made from. */
export interface FleetSlotOptions {
  /** The shard's number. */
  readonly shardId: number;
  /** How many shards the bot is split into. */
  readonly shardCount: number;
  /** The session to begin with. */
  readonly session: SessionRecord | null;
  /** The present, in ms. */
  readonly now: () => number;
  /** Makes the shard, once and at every restart. */
  readonly make: (session: SessionRecord | null, onStatus: (status: ShardStatus) => void) => AnyShard;
  /** Takes an event. */
  readonly deliver: (item: FleetEvent) => void | PromiseLike<void>;
  /** The status has changed; if it throws, the shard stops with that error. */
  readonly onStatus: (slot: FleetSlot, status: ShardStatus) => void;
  /** The session has more of its guilds. */
  readonly onProgress: () => void;
  /** The shard has stopped for good. */
  readonly onStopped: (slot: FleetSlot) => void;
  /** The consumer's handler has failed. */
  readonly onHandlerFailed: (error: unknown) => void;
}

/** One shard of a fleet. */
export class FleetSlot implements ReshardShard {
  readonly shardId: number;
  readonly shardCount: number;
  readonly #options: FleetSlotOptions;
  #shard: AnyShard;
  readonly #gate: SlotGate;
  #running: Promise<void> | null = null;
  #closed = false;
  #restarting: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #over = false;
  #liveSince: number | null = null;
  readonly #delivery: SlotDelivery;
  #completeness: Completeness | null = null;
  readonly #probe = new LivenessProbe();
  readonly #listeners = new SlotListeners();

  /** Makes the shard; nothing is opened yet. */
  constructor(options: FleetSlotOptions) {
    this.shardId = options.shardId;
    this.shardCount = options.shardCount;
    this.#options = options;
    this.#delivery = new SlotDelivery({ ...options, onCaughtUp: () => this.setGate(this.#gate.state) });
    this.#shard = this.#make(options.session);
    this.#gate = new SlotGate({
      hand: (event) => this.#delivery.hand(event),
      isBehind: () => this.#delivery.isBehind,
      isLive: () => this.#liveSince !== null,
      queued: () => this.#shard.queued.now,
      now: options.now,
    });
  }

  /** The shard that holds this slot now. */
  get shard(): AnyShard {
    return this.#shard;
  }

  /** The session to go on with in the next process. */
  get session(): SessionRecord | null {
    return this.#delivery.unhandled ?? this.#shard.session;
  }

  get stopped(): boolean {
    return this.#failure !== null;
  }

  /** What stopped it. */
  get error(): unknown {
    return this.#failure?.error ?? null;
  }

  get liveSince(): number | null {
    return this.#liveSince;
  }

  get parked(): boolean {
    return this.#shard.status.state === "draining";
  }

  get completeAt(): number {
    return this.#completeness?.completeAt ?? Infinity;
  }

  get receivedAfter(): number {
    return this.#probe.receivedAfter;
  }

  /** It has stopped, and the consumer was told. */
  get over(): boolean {
    return this.#over;
  }

  /** Events that wait here and in the shard's queue. */
  get waiting(): number {
    return this.#shard.queued.now + (this.#gate.holds ? 1 : 0);
  }

  /** Resolves when the shard is over and its last handler has returned. */
  get finished(): Promise<void> {
    return Promise.resolve(this.#running).then(() => this.#delivery.caughtUp());
  }

  /** Opens the connection, and delivers. */
  start(): void {
    if (this.#running !== null || this.#closed) return;
    const shard = this.#shard;
    this.#running = shard.run((event) => this.#take(shard, event)).catch((error) => {
      if (error === NOT_HANDLED || shard !== this.#shard) return;
      const { status } = shard;
      if (status.state === "closed" && error !== null && status.error === error) return this.#stop(error);
      this.#options.onHandlerFailed(error);
    });
  }

  /** Counts the event as handled now, if the consumer has it in hand. */
  acknowledge(item: FleetEvent): void {
    this.#delivery.acknowledge(item, this.#shard);
  }

  /** Closes the shard; the slot stays empty. */
  async close(options: { readonly keepSession: boolean }): Promise<SessionRecord | null> {
    this.#closed = true;
    // Before the close: its record is the one that has what the consumer still has in hand.
    const { unhandled } = this.#delivery;
    const record = await this.#shard.close(options);
    this.#gate.giveBack();
    return options.keepSession ? unhandled ?? record : null;
  }

  /** Replaces the shard by a new one, with its session or without. */
  restart(options: { readonly resume: boolean }): Promise<void> {
    if (this.#restarting || this.#closed) {
      throw new TypeError(`Cannot restart shard ${this.shardId}: it is being restarted, or closed`);
    }
    return this.#restarting = this.#replace(options).finally(() => this.#restarting = null);
  }

  async #replace({ resume }: { readonly resume: boolean }): Promise<void> {
    const before = this.session;
    const { inHand } = this.#delivery;
    // The consumer has this one and shall not get it again; to a crash it is unhandled until it has returned.
    this.#delivery.unhandled = resume ? before : null;
    if (resume && !this.#gate.holds) this.#shard.acknowledge();
    const record = await this.#shard.close({ keepSession: resume });
    if (this.#closed) return;
    this.#gate.giveBack();
    this.#delivery.follow(inHand);
    if (!resume && before) void this.#announceGap(before);
    this.#failure = null;
    this.#over = false;
    this.#shard = this.#make(record);
    this.#running = null;
    this.start();
  }

  /** Sends a command; it survives a restart, as it does a reconnect. */
  async send(command: GatewayCommand | EncodedCommand, options: QueueOptions): Promise<CommandOutcome> {
    while (true) {
      const shard = this.#shard;
      try {
        return await shard.send(command, options);
      } catch (error) {
        await this.#restarting;
        if (!(error instanceof CommandNotSentError) || this.#shard === shard) throw error;
      }
    }
  }

  /** Whether another shard has come into this slot since, or is about to. */
  async hasReplaced(shard: AnyShard): Promise<boolean> {
    await this.#restarting;
    return this.#shard !== shard;
  }

  /** Takes events of whatever shard is here, as they come in; returns how to stop that. */
  addListener(
    names: readonly GuildGatewayEvent["t"][],
    listener: (event: GuildGatewayEvent) => void,
  ): () => void {
    return this.#listeners.add(this.#shard, names, listener);
  }

  /** Sets the gate. */
  setGate(gate: SlotGateState): void {
    this.#gate.set(gate);
  }

  /** Looks whether something has come since it was last asked. */
  probe(): void {
    const events = this.#gate.taken + this.waiting;
    const acknowledged = this.#shard.latency?.acknowledged ?? 0;
    this.#probe.look({ liveSince: this.#liveSince, events, acknowledged }, this.#options.now());
  }

  /** Belongs to the set that is to follow: says when it is complete. */
  watch(): void {
    this.#completeness = new Completeness();
  }

  /** Remembers what it delivers (an old shard), or drops what was delivered (a new one); `null` ends it. */
  compare(seen: Duplicates | null, options: { readonly old: boolean } = { old: false }): void {
    this.#gate.compare(seen, options);
  }

  /** Delivers the events that wait now and none after them; resolves when all of them are handled. */
  async drain(): Promise<void> {
    if (this.stopped) return;
    const left = this.waiting;
    if (left > 0) return await this.#gate.countDown(left, { thenHold: true });
    this.setGate("hold");
    await this.#delivery.settled();
  }

  /** Begins to deliver; resolves when the first so many, which came during an overlap, have been handed over. */
  async open(left: number): Promise<void> {
    this.#completeness = null;
    const passed = left === 0 ? undefined : this.#gate.countDown(left, { thenHold: false });
    this.setGate("open");
    await passed;
  }

  #make(session: SessionRecord | null): AnyShard {
    const shard: AnyShard = this.#options.make(session, (status) => {
      if (shard === this.#shard) this.#changed(status);
    });
    this.#listeners.follow(shard);
    return shard;
  }

  #changed(status: ShardStatus): void {
    this.#liveSince = status.state === "live" ? this.#options.now() : null;
    if (status.state === "identifying") this.#completeness?.begin();
    this.#options.onStatus(this, status);
  }

  #take(shard: AnyShard, event: ShardEvent): void | PromiseLike<void> {
    if (shard !== this.#shard) throw NOT_HANDLED;
    // Whatever completes the set is not kept: it came before the keeping.
    const gate = this.#gate.state;
    if (this.#completeness?.see(event, this.#options.now())) this.#options.onProgress();
    return this.#gate.take(event, gate);
  }

  #stop(error: unknown): void {
    this.#failure = { error };
    this.#liveSince = null;
    this.#gate.stopCounting();
    this.#options.onStopped(this);
  }

  /** Tells the consumer that it has stopped; resolves when it has been told. */
  async announceStop(): Promise<void> {
    const failure = this.#failure;
    await this.#delivery.announce({
      op: null,
      t: "SHARD_STOPPED",
      s: null,
      d: { error: this.error, session: this.session },
    });
    this.#over = failure === this.#failure;
  }

  #announceGap({ sessionId, sequence }: SessionRecord): Promise<void> {
    const cause = "closed_ending_session";
    return this.#delivery.announce({
      op: null,
      t: "SESSION_GAP",
      s: null,
      d: { sessionId, sequence, cause },
    });
  }
}

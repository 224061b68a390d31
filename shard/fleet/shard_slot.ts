/**
 * A shard's place in a fleet: the shard that holds it now, its restarts, and what the consumer has in hand of it.
 *
 * Between the shard's queue and the consumer is a gate, which a reshard turns.
 */

import type { GatewayCommand, SessionRecord } from "../../gateway/mod.ts";
import type { TurnOptions } from "../../ratelimit/mod.ts";
import type { CommandOutcome } from "../commands/limits.ts";
import { CommandNotSentError } from "../commands/errors.ts";
import type { ShardEvent } from "../events/event.ts";
import type { FleetEvent, ShardStoppedEvent } from "./event.ts";
import type { AnyShard } from "./options.ts";
import { FleetGate, type GateState, NOT_HANDLED } from "./slot_gate.ts";
import { Completeness, type Duplicates, Ear } from "./overlap.ts";
import type { ReshardShard } from "./plan.ts";
import type { ShardStatus } from "../status.ts";
import type { GuildGatewayEvent } from "../voice_provider.ts";

/** What a place in a fleet is made from. */
export interface FleetShardOptions {
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
  readonly onStatus: (place: FleetShard, status: ShardStatus) => void;
  /** The session has more of its guilds. */
  readonly onProgress: () => void;
  /** The shard has stopped for good. */
  readonly onStopped: (place: FleetShard) => void;
  /** The consumer's handler has failed. */
  readonly onHandlerFailed: (error: unknown) => void;
}

/** Somebody who hears events besides the consumer, of whatever shard is in this place. */
interface Hearer {
  readonly names: readonly GuildGatewayEvent["t"][];
  readonly hear: (event: GuildGatewayEvent) => void;
  stop: () => void;
}

/** One shard of a fleet. */
export class FleetShard implements ReshardShard {
  readonly shardId: number;
  readonly shardCount: number;
  readonly #options: FleetShardOptions;
  #shard: AnyShard;
  readonly #gate: FleetGate;
  #running: Promise<void> | null = null;
  #closed = false;
  #restarting: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  #over = false;
  #liveSince: number | null = null;
  /** What was last handed to the consumer, and when it is handled. */
  #item: FleetEvent | null = null;
  #handled: void | PromiseLike<void> = undefined;
  /** What an earlier shard of this place left with the consumer: its successor's events come after that. */
  #before: Promise<void> | null = null;
  #unhandled: SessionRecord | null = null;
  #completeness: Completeness | null = null;
  readonly #ear = new Ear();
  readonly #hearers = new Set<Hearer>();

  /** Makes the shard; nothing is opened yet. */
  constructor(options: FleetShardOptions) {
    this.shardId = options.shardId;
    this.shardCount = options.shardCount;
    this.#options = options;
    this.#shard = this.#make(options.session);
    this.#gate = new FleetGate({
      hand: (event) => this.#hand(event),
      isBehind: () => this.#before !== null,
      isLive: () => this.#liveSince !== null,
      queued: () => this.#shard.queued.now,
      now: options.now,
    });
  }

  // What it is doing.

  /** The shard that holds this place now. */
  get shard(): AnyShard {
    return this.#shard;
  }

  /** The session to go on with in the next process. */
  get session(): SessionRecord | null {
    return this.#unhandled ?? this.#shard.session;
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

  get heardAfter(): number {
    return this.#ear.heardAfter;
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
    return Promise.resolve(this.#running).then(() => this.#before ?? undefined);
  }

  // Acting.

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
    if (item !== this.#item) return;
    if (this.#before === null) this.#shard.acknowledge();
    else this.#unhandled = null;
  }

  /** Closes the shard; its place stays empty. */
  async close(options: { readonly keepSession: boolean }): Promise<SessionRecord | null> {
    this.#closed = true;
    // Before the close: its record is the one that has what the consumer still has in hand.
    const unhandled = this.#unhandled;
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
    const inHand = this.#before ?? this.#handled;
    // The consumer has this one and shall not get it again; to a crash it is unhandled until it has returned.
    this.#unhandled = resume ? before : null;
    if (resume && !this.#gate.holds) this.#shard.acknowledge();
    const record = await this.#shard.close({ keepSession: resume });
    if (this.#closed) return;
    this.#gate.giveBack();
    this.#follow(inHand);
    if (!resume && before) void this.#announceGap(before);
    this.#failure = null;
    this.#over = false;
    this.#shard = this.#make(record);
    this.#running = null;
    this.start();
  }

  /** Sends a command; it survives a restart, as it does a reconnect. */
  async send(command: GatewayCommand, options: TurnOptions): Promise<CommandOutcome> {
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

  /** Whether another shard has come into this place since, or is about to. */
  async hasReplaced(shard: AnyShard): Promise<boolean> {
    await this.#restarting;
    return this.#shard !== shard;
  }

  /** Hears events of whatever shard is here, as they come in; returns how to stop that. */
  hear(names: Hearer["names"], hear: Hearer["hear"]): () => void {
    const hearer = { names, hear, stop: this.#shard.listen<GuildGatewayEvent["t"]>(names, hear) };
    this.#hearers.add(hearer);
    return () => {
      this.#hearers.delete(hearer);
      hearer.stop();
    };
  }

  // What a reshard does.

  /** Turns the gate. */
  turn(gate: GateState): void {
    this.#gate.turn(gate);
  }

  /** Looks whether something has come since it was last asked. */
  listen(): void {
    const events = this.#gate.taken + this.waiting;
    const acknowledged = this.#shard.latency?.acknowledged ?? 0;
    this.#ear.listen({ liveSince: this.#liveSince, events, acknowledged }, this.#options.now());
  }

  /** Belongs to the set that is to follow: says when it is complete. */
  watch(): void {
    this.#completeness = new Completeness();
  }

  /** Remembers what it delivers (an old shard), or drops what was delivered (a new one); `null` ends it. */
  compare(seen: Duplicates | null, options: { readonly old: boolean } = { old: false }): void {
    this.#gate.compare(seen, options);
  }

  /** Delivers what waits now and nothing after it; resolves when all of it is handled. */
  async drain(): Promise<void> {
    if (this.stopped) return;
    const left = this.waiting;
    if (left > 0) return await this.#gate.countDown(left, { thenHold: true });
    this.turn("hold");
    await Promise.allSettled([this.#handled, this.#before]);
  }

  /** Begins to deliver; resolves when the first so many, which came during an overlap, have been handed over. */
  async open(left: number): Promise<void> {
    this.#completeness = null;
    const passed = left === 0 ? undefined : this.#gate.countDown(left, { thenHold: false });
    this.turn("open");
    await passed;
  }

  // Events.

  #make(session: SessionRecord | null): AnyShard {
    const shard: AnyShard = this.#options.make(session, (status) => {
      if (shard === this.#shard) this.#changed(status);
    });
    for (const hearer of this.#hearers) {
      hearer.stop();
      hearer.stop = shard.listen<GuildGatewayEvent["t"]>(hearer.names, hearer.hear);
    }
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
    if (this.#completeness !== null) {
      const before = this.#completeness.completeAt;
      this.#completeness.see(event, this.#options.now());
      if (this.#completeness.completeAt !== before) this.#options.onProgress();
    }
    return this.#gate.take(event, gate);
  }

  #hand(event: ShardEvent | ShardStoppedEvent): void | PromiseLike<void> {
    const item = { shardId: this.shardId, shardCount: this.shardCount, event };
    this.#item = item;
    return this.#handled = this.#options.deliver(item);
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
    await this.#announce({
      op: null,
      t: "SHARD_STOPPED",
      s: null,
      d: { error: this.error, session: this.session },
    });
    this.#over = failure === this.#failure;
  }

  /** Tells the consumer something in this shard's place in the stream. */
  #announce(event: ShardEvent | ShardStoppedEvent): Promise<void> {
    return new Promise((told) => {
      this.#follow(
        Promise.resolve(this.#before ?? this.#handled).then(() => {
          const handled = this.#hand(event);
          told();
          return handled;
        }),
      );
    });
  }

  #announceGap({ sessionId, sequence }: SessionRecord): Promise<void> {
    const cause = "closed_ending_session";
    return this.#announce({ op: null, t: "SESSION_GAP", s: null, d: { sessionId, sequence, cause } });
  }

  /** The next event of this place comes after that. */
  #follow(handled: void | PromiseLike<void>): void {
    if (handled === undefined) {
      this.#unhandled = null;
      return;
    }
    const before: Promise<void> = Promise.resolve(handled).catch((error) => {
      this.#options.onHandlerFailed(error);
    }).then(() => {
      if (this.#before !== before) return;
      this.#before = null;
      this.#unhandled = null;
      this.turn(this.#gate.state);
    });
    this.#before = before;
  }
}

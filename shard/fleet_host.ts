/**
 * A fleet on Cloudflare: one coordinator object, and one object for each shard.
 *
 * The shards live by themselves; each is brought back by its own alarm. The coordinator gives orders, and is not needed
 * between them: it sets an alarm only while an order is not carried out everywhere, or a reshard is under way. Orders
 * are written down before the first call, so that they survive the coordinator's death in the middle.
 *
 * The identify limiter's record lies in the same object: whoever counts the shards also says who may identify.
 */

import { encodeCommand, type GatewayCommand } from "../gateway/mod.ts";
import { IdentifyCoordinator } from "../ratelimit/identify_durable_object.ts";
import type { IdentifyReply, IdentifyRequest } from "../ratelimit/identify_record.ts";
import { sessionStartLimit } from "../ratelimit/mod.ts";
import {
  type DurableObjectKvLike,
  type DurableObjectStateLike,
  type DurableObjectStorageLike,
  kvOf,
} from "./durable_object_state.ts";
import { IdentifyBudgetError } from "./fleet_errors.ts";
import { respondFleet } from "./fleet_host_http.ts";
import {
  FleetHostError,
  type FleetHostOptions,
  type FleetHostStatus,
  type HostedShardStatus,
} from "./fleet_host_options.ts";
import {
  callAll,
  type FleetRecord,
  type HostedShardView,
  nextHostedReshardStep,
  type PendingCall,
  readFleetRecord,
  replaceCalls,
  type ShardPlace,
  writeFleetRecord,
} from "./fleet_host_plan.ts";
import { routeCommand, shardSelection } from "./fleet_plan.ts";
import { askGatewayBot } from "./ask_gateway_bot.ts";
import type { GatewayBot } from "./gateway_bot.ts";
import { type Host, systemHost, wallClock } from "./host.ts";
import { type ErrorReport, reportError } from "./shard_host_options.ts";

/** While something is not done yet the coordinator looks again after so many ms. */
const LOOK_EVERY_MS = 5_000;
/** So many shards are called at once. */
const CALLS_AT_ONCE = 8;
const DEFAULT_OVERLAP_MS = 15_000;
const DEFAULT_CALL_DEADLINE_MS = 10_000;

/**
 * Coordinates the shards of a bot from one Durable Object. Make it in a field of your class, and forward `alarm` and
 * `exchange`; the class has to be SQLite-backed.
 *
 * @example
 * ```ts
 * import type { GatewayCommand } from "@discordgateway/edge";
 * import { FleetHost, ShardHost } from "@discordgateway/edge/durable-object";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * // Objects in this process. In a worker each is a class of its own, `ctx` is `this.ctx`, and `shard` gives the stub
 * // of `env.SHARD.getByName(`${id} of ${count}`)`.
 * const ctx = () => {
 *   const values = new Map<string, unknown>();
 *   const kv = {
 *     get: (key: string) => values.get(key),
 *     put: (key: string, value: unknown) => void values.set(key, value),
 *     delete: (key: string) => values.delete(key),
 *   };
 *   const nothing = () => Promise.resolve();
 *   return { storage: { kv, getAlarm: () => Promise.resolve(null), setAlarm: nothing, deleteAlarm: nothing } };
 * };
 * const { token, dial, fetch } = new FakeDiscord({ shards: 2, maxConcurrency: 2 });
 * const bots = new Map([0, 1].map((id) => {
 *   const host = new ShardHost(ctx(), { token, dial, fetch, intents: 0, handler: () => {} });
 *   return [id, {
 *     start: (options: { shard: readonly [number, number] }) => host.start(options),
 *     stop: (options: { keepSession: boolean }) => host.stop(options),
 *     retire: async () => host.retire(),
 *     status: async () => host.status,
 *     trySend: (command: GatewayCommand) => host.trySend(command),
 *   }];
 * }));
 * const fail = (id: number): never => {
 *   throw new Error(`no such shard: ${id}`);
 * };
 * const fleet = new FleetHost(ctx(), {
 *   token,
 *   fetch,
 *   shard: (id) => bots.get(id) ?? fail(id),
 * });
 *
 * await fleet.start();
 * const { running, shardCount } = await fleet.status();
 * if (!running || shardCount !== 2) throw new Error("as many as Discord recommends");
 * await fleet.stop();
 * while ((await fleet.status()).pendingCalls > 0) await new Promise((resolve) => setTimeout(resolve, 1));
 * ```
 */
export class FleetHost {
  readonly #options: FleetHostOptions;
  readonly #storage: DurableObjectStorageLike;
  readonly #kv: DurableObjectKvLike;
  readonly #identifies: IdentifyCoordinator;
  readonly #host: Host;
  readonly #wall: () => number;
  #record: FleetRecord;
  /** When each shard was first seen live without a break, by its place. */
  readonly #live = new Map<string, { readonly since: number; readonly seenAt: number }>();
  #working: Promise<void> | null = null;
  #isAsked = false;
  #lastError: (ErrorReport & { readonly at: number }) | null = null;

  /**
   * Takes up what an earlier life of the object has left.
   *
   * @param ctx The object's own, `this.ctx`.
   * @throws {ShardHostError} `ERR_SHARD_HOST_STORAGE`: the class is not SQLite-backed.
   */
  constructor(ctx: DurableObjectStateLike, options: FleetHostOptions) {
    this.#options = options;
    this.#storage = ctx.storage;
    this.#kv = kvOf(ctx.storage);
    this.#host = options.host ?? systemHost;
    this.#wall = options.wallClock ?? wallClock;
    this.#identifies = new IdentifyCoordinator(ctx, { clock: { now: this.#wall } });
    this.#record = readFleetRecord(this.#kv);
  }

  /** The shards' identify limiter asks here: forward it from your class. */
  exchange(request: IdentifyRequest): IdentifyReply {
    return this.#identifies.exchange(request);
  }

  /** Asks every shard what it is doing. Never rejects; a shard that does not answer says why. */
  async status(): Promise<FleetHostStatus> {
    const { running, count, next, retiring, lastReshard, pending } = this.#record;
    const sets = [...new Set([count, next, retiring])].filter((set) => set !== null);
    const places = sets.flatMap((set) => callAll(set, "start").map(({ shard }) => shard));
    const shards = await Promise.all(places.map((place) => this.#statusOf(place)));
    return {
      running,
      shardCount: count,
      resharding: next,
      lastReshard,
      pendingCalls: pending.length,
      // Of a set that goes, only who is still there.
      shards: shards.filter(({ shardCount, status }) => shardCount !== retiring || status?.running !== false),
      identifies: this.#identifies.budget,
      lastError: this.#lastError,
    };
  }

  /**
   * Starts all shards, and returns once the order is written down; the calls follow, and `status` shows them.
   *
   * @param options `shards`: how many; the last number, or as many as Discord recommends.
   * @throws {RangeError} `shards` is no integer from 1 on.
   * @throws {FleetHostError} `ERR_FLEET_HOST_RUNNING`: they run with another number; that takes a reshard.
   * @throws {GatewayBotError} Discord could not be asked, and there is no last number.
   */
  async start(options: { readonly shards?: number } = {}): Promise<void> {
    const before = this.#record;
    if (options.shards !== undefined) shardSelection(options.shards);
    const isKnown = (options.shards ?? before.count) !== null;
    // Asked even so: without its `max_concurrency` the shards would identify one by one.
    const bot = await this.#gatewayBot().catch((error) => {
      if (!isKnown) throw error;
      this.#note(error);
      return null;
    });
    const count = options.shards ?? before.count ?? bot?.shards ?? 1;
    if (this.#record.running && this.#record.count !== count) {
      throw new FleetHostError(
        `Cannot start ${count} shards: they run already, and another number takes a reshard: ${this.#record.count}`,
        { code: "ERR_FLEET_HOST_RUNNING" },
      );
    }
    const maxConcurrency = bot?.session_start_limit.max_concurrency ??
      this.#identifies.budget?.maxConcurrency;
    // A set of another number that was stopped with its sessions is of no more use.
    const others = [this.#record.count].filter((set) => set !== null && set !== count);
    const order = [
      ...others.flatMap((set) => callAll(set ?? 0, "stop")),
      ...callAll(count, "start", maxConcurrency),
    ];
    // A reshard that is under way goes on.
    this.#update({ running: true, count, pending: replaceCalls(this.#record.pending, order) });
    await this.#beginWork();
  }

  /**
   * Stops all shards; a reshard that is under way is given up. Returns once the order is written down.
   *
   * @param options `keepSession`: leave the sessions alive at Discord for a few minutes, so that a start can resume them.
   */
  async stop(options: { readonly keepSession?: boolean } = {}): Promise<void> {
    const { count, next, retiring } = this.#record;
    const order = [
      ...(count === null ? [] : callAll(count, options.keepSession ? "park" : "stop")),
      ...[next, retiring].flatMap((set) => set === null || set === count ? [] : callAll(set, "stop")),
    ];
    this.#update({
      running: false,
      next: null,
      retiring: null,
      pending: replaceCalls(this.#record.pending, order),
      ...(next !== null && { lastReshard: this.#reshardEnded(next, new Error("The fleet was stopped")) }),
    });
    await this.#beginWork();
  }

  /**
   * Brings up another number of shards beside the present ones, and lets those go once both have delivered together for
   * `overlapMs`. Returns once the order is written down; `status` shows how it goes, and `lastReshard` how it ended.
   *
   * No event is missed. Events of the overlap are handled twice, once on each set. If one of the new shards stops for
   * good, the new set goes and the old one stays as it is.
   *
   * @throws {RangeError} `shards` is no integer from 1 on, or the present number.
   * @throws {FleetHostError} `ERR_FLEET_HOST_STOPPED`, or `ERR_FLEET_HOST_RESHARDING`: one is under way.
   * @throws {IdentifyBudgetError} Discord allows fewer identifies than that.
   * @throws {GatewayBotError} Discord could not be asked.
   */
  async reshard(shards: number): Promise<void> {
    shardSelection(shards);
    this.#assertCanReshard(shards);
    const { session_start_limit } = await this.#gatewayBot();
    // Somebody else may have given an order meanwhile.
    this.#assertCanReshard(shards);
    const { remaining, reset_after, max_concurrency } = session_start_limit;
    if (remaining < shards) {
      throw new IdentifyBudgetError({ needed: shards, remaining, resetAfterMs: reset_after });
    }
    const order = callAll(shards, "start", max_concurrency);
    this.#update({ next: shards, pending: replaceCalls(this.#record.pending, order) });
    await this.#beginWork();
  }

  /**
   * Restarts one shard, resuming its session.
   *
   * @throws {FleetHostError} `ERR_FLEET_HOST_STOPPED`, or `ERR_FLEET_HOST_SHARD`: there is no such shard.
   */
  async restart(shardId: number): Promise<void> {
    const order: PendingCall = { shard: this.#placeOf(shardId), do: "restart" };
    this.#update({ pending: replaceCalls(this.#record.pending, [order]) });
    await this.#beginWork();
  }

  /**
   * Sends a command through the shard that it belongs to: the guild's, each of them for a presence, or the one given.
   * Resolves when it is written.
   *
   * @throws {CommandError} A command that Discord would not accept; nothing was sent.
   * @throws {PayloadTooLargeError} More than 4096 bytes.
   * @throws {FleetHostError} `ERR_FLEET_HOST_STOPPED`; `ERR_FLEET_HOST_SHARD`: there is no such shard, or it refused, for
   * the reason in `report`; `ERR_FLEET_HOST_UNREACHABLE`: its object did not answer.
   */
  async send(command: GatewayCommand, options: { readonly shardId?: number } = {}): Promise<void> {
    const { shardId } = options;
    encodeCommand(command);
    const [, count] = this.#placeOf(shardId ?? 0);
    const parts = shardId === undefined ? routeCommand(command, count) : [{ shardId, command }];
    await Promise.all(parts.flatMap((part) => {
      const ids = part.shardId === null
        ? callAll(count, "start").map(({ shard: [id] }) => id)
        : [part.shardId];
      return ids.map((id) => this.#sendTo([id, count], part.command));
    }));
  }

  /** The object's alarm: forward it from your class. Never throws. */
  async alarm(_info?: unknown): Promise<void> {
    await this.#beginWork();
    await this.#working;
  }

  /**
   * The same over HTTP, by the last part of the path: `GET status`, `POST start` (`{ "shards": 16 }` or nothing), `POST
   * stop` (`{ "keepSession": true }` or nothing), `POST reshard` (`{ "shards": 32 }`), `POST restart` (`{ "shard": 3 }`),
   * `POST send` (`{ "command": { "op", "d" } }`, with a `shard` if it is not the guild's). Failures are JSON:
   * `{ "error": { "name", "code", "message" } }`.
   *
   * Whoever reaches it commands the bot: never forward requests from outside to it unchecked.
   */
  fetch(request: Request): Promise<Response> {
    return respondFleet(this, request, (error) => this.#report(error));
  }

  // Carrying out orders.

  get #isDone(): boolean {
    const { pending, next, retiring } = this.#record;
    return pending.length === 0 && next === null && retiring === null;
  }

  /** Sees to it that somebody works on what is left, in this life of the object or in the next. */
  async #beginWork(): Promise<void> {
    if (this.#isDone) return;
    try {
      await this.#storage.setAlarm(this.#wall() + LOOK_EVERY_MS);
    } catch (error) {
      this.#note(error);
    }
    this.#isAsked = true;
    this.#working ??= this.#workWhileAsked();
  }

  /** An order that comes while another is carried out is seen to right after it. */
  async #workWhileAsked(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      await this.#work().catch((error) => this.#note(error));
    }
    this.#working = null;
  }

  async #work(): Promise<void> {
    const failed = new Set<PendingCall>();
    for (;;) {
      const calls = this.#record.pending.filter((call) => !failed.has(call)).slice(0, CALLS_AT_ONCE);
      if (calls.length === 0) break;
      const made = await Promise.all(calls.map((call) => this.#make(call)));
      calls.forEach((call, place) => made[place] || failed.add(call));
      const done = new Set(calls.filter((call) => !failed.has(call)));
      this.#update({ pending: this.#record.pending.filter((call) => !done.has(call)) });
    }
    if (this.#record.next !== null && failed.size === 0) await this.#goOnResharding(this.#record.next);
    if (this.#record.retiring !== null) await this.#lookForRetired(this.#record.retiring);
  }

  async #make(call: PendingCall): Promise<boolean> {
    const [id, count] = call.shard;
    try {
      const shard = this.#options.shard(id, count);
      if (call.do === "retire") await this.#within(shard.retire());
      else {
        if (call.do !== "start") await this.#within(shard.stop({ keepSession: call.do !== "stop" }));
        if (call.do === "start" || call.do === "restart") {
          await this.#within(shard.start({ shard: [id, count] }));
        }
      }
      return true;
    } catch (error) {
      this.#note(error);
      return false;
    }
  }

  async #goOnResharding(next: number): Promise<void> {
    const { count, running } = this.#record;
    if (count === null || !running) return;
    const [old, fresh] = await Promise.all([this.#viewOf(count), this.#viewOf(next)]);
    // Somebody may have given another order while the shards were asked.
    if (this.#record.next !== next || this.#record.count !== count) return;
    const { overlapMs = DEFAULT_OVERLAP_MS } = this.#options;
    const step = nextHostedReshardStep({ old, next: fresh, overlapMs, now: this.#host.now() });
    if (step.do === "wait") return;
    const isSwitch = step.do === "switch";
    const error = step.do === "give up"
      ? new Error(`Cannot reshard: shard ${step.shardId} of ${next} has stopped`)
      : null;
    const gone = isSwitch ? callAll(count, "retire") : callAll(next, "stop");
    this.#update({
      count: isSwitch ? next : count,
      next: null,
      retiring: isSwitch ? count : null,
      lastReshard: this.#reshardEnded(next, error),
      pending: replaceCalls(this.#record.pending, gone),
    });
  }

  async #viewOf(count: number): Promise<HostedShardView[]> {
    const shards = await Promise.all(callAll(count, "start").map(({ shard }) => this.#statusOf(shard)));
    const now = this.#host.now();
    return shards.map(({ shardId, status }) => {
      const key = `${shardId} of ${count}`;
      const known = this.#live.get(key);
      // Its own clock only tells whether it is still the same connection.
      if (status?.state !== "live") this.#live.delete(key);
      else if (known?.since !== status.since) this.#live.set(key, { since: status.since, seenAt: now });
      return {
        shardId,
        stopped: status?.running === false,
        liveSince: this.#live.get(key)?.seenAt ?? null,
      };
    });
  }

  async #lookForRetired(retiring: number): Promise<void> {
    if (this.#record.pending.length > 0) return;
    const shards = await Promise.all(callAll(retiring, "retire").map(({ shard }) => this.#statusOf(shard)));
    if (this.#record.retiring !== retiring) return;
    if (shards.every(({ status }) => status?.running === false)) this.#update({ retiring: null });
  }

  // Helpers.

  async #statusOf([shardId, shardCount]: ShardPlace): Promise<HostedShardStatus> {
    try {
      const status = await this.#within(this.#options.shard(shardId, shardCount).status());
      return { shardId, shardCount, status, error: null };
    } catch (error) {
      return { shardId, shardCount, status: null, error: this.#report(error) };
    }
  }

  async #sendTo([id, count]: ShardPlace, command: GatewayCommand): Promise<void> {
    const refuse = (why: string, rest: { readonly report?: ErrorReport; readonly cause?: unknown }) =>
      new FleetHostError(`Cannot send op ${command.op} through shard ${id} of ${count}: ${why}`, {
        code: rest.report ? "ERR_FLEET_HOST_SHARD" : "ERR_FLEET_HOST_UNREACHABLE",
        ...rest,
      });
    const result = await Promise.resolve(this.#options.shard(id, count).trySend(command)).catch((cause) => {
      throw refuse("its object does not answer", { cause });
    });
    if (!result.ok) throw refuse(result.error.message, { report: result.error });
  }

  #placeOf(shardId: number): ShardPlace {
    const { running, count } = this.#record;
    if (!running || count === null) {
      throw new FleetHostError("Cannot reach a shard: the fleet is stopped", {
        code: "ERR_FLEET_HOST_STOPPED",
      });
    }
    if (!Number.isSafeInteger(shardId) || shardId < 0 || shardId >= count) {
      throw new FleetHostError(`Cannot reach a shard: there are ${count}, from 0 on: ${shardId}`, {
        code: "ERR_FLEET_HOST_SHARD",
      });
    }
    return [shardId, count];
  }

  #assertCanReshard(shards: number): void {
    const [, count] = this.#placeOf(0);
    if (shards === count) throw new RangeError(`Cannot reshard: there are as many shards already: ${shards}`);
    const { next, retiring } = this.#record;
    if (next === null && retiring === null) return;
    throw new FleetHostError(`Cannot reshard to ${shards}: another one is under way, to ${next ?? count}`, {
      code: "ERR_FLEET_HOST_RESHARDING",
    });
  }

  #reshardEnded(to: number, error: Error | null): FleetRecord["lastReshard"] {
    return { from: this.#record.count ?? 0, to, at: this.#wall(), error: error && this.#report(error) };
  }

  async #gatewayBot(): Promise<GatewayBot> {
    const bot = await askGatewayBot(this.#options, {
      host: this.#host,
      signal: new AbortController().signal,
    });
    const limits = sessionStartLimit(bot.session_start_limit);
    this.exchange({ client: "coordinator", ask: [], keep: [], drop: [], known: null, limits });
    return bot;
  }

  #within<T>(call: PromiseLike<T>): Promise<T> {
    const { callDeadlineMs = DEFAULT_CALL_DEADLINE_MS } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = this.#host.setTimeout(() => {
        reject(
          new FleetHostError(`Cannot reach a shard's object: no answer within ms: ${callDeadlineMs}`, {
            code: "ERR_FLEET_HOST_UNREACHABLE",
          }),
        );
      }, callDeadlineMs);
      call.then(resolve, reject).then(() => this.#host.clearTimeout(timer));
    });
  }

  #update(change: Partial<FleetRecord>): void {
    this.#record = { ...this.#record, ...change };
    writeFleetRecord(this.#kv, this.#record);
  }

  #note(error: unknown): void {
    this.#lastError = { ...this.#report(error), at: this.#wall() };
  }

  #report(error: unknown): ErrorReport {
    return reportError(error, this.#options.token);
  }
}

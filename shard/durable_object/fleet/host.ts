/**
 * A fleet on Cloudflare: one coordinator object, and one object for each shard.
 *
 * The shards live by themselves; each is brought back by its own alarm. The coordinator gives orders, and is not needed
 * between them: it sets an alarm only while an order is not carried out everywhere, or a reshard is under way. Orders
 * are written down before the first call, so that they survive the coordinator's death in the middle.
 *
 * The identify limiter's record lies in the same object: whoever counts the shards also says who may identify.
 */

import { requireCount, requireReshard, requireShard } from "./checks.ts";
import type { GatewayCommand } from "../../../gateway/mod.ts";
import { IdentifyCoordinator } from "../../../ratelimit/identify/durable_object.ts";
import type { IdentifyReply, IdentifyRequest } from "../../../ratelimit/identify/record.ts";
import { sessionStartLimit } from "../../../ratelimit/mod.ts";
import { askGatewayBot } from "../../connect/ask_gateway_bot.ts";
import { checkCommand } from "../../commands/check.ts";
import { type DurableObjectStateLike, kvOf } from "../object_state.ts";
import { ErrorLog } from "../error_log.ts";
import { IdentifyBudgetError } from "../../fleet/errors.ts";
import { ShardCalls } from "./calls.ts";
import { respondFleet } from "./http.ts";
import type { FleetHostOptions, FleetHostStatus } from "./options.ts";
import { HostError } from "../errors.ts";
import { FleetOrders } from "./orders.ts";
import { callAll, replaceCalls } from "./reshard_plan.ts";
import { type PendingCall, StoredFleetRecord } from "./record.ts";
import { routeCommand } from "../../fleet/plan.ts";
import type { GatewayBot } from "../../connect/gateway_bot.ts";
import { type Platform, systemPlatform, wallClock } from "../../pipe/platform.ts";

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
  readonly #identifies: IdentifyCoordinator;
  readonly #platform: Platform;
  readonly #record: StoredFleetRecord;
  readonly #errors: ErrorLog;
  readonly #calls: ShardCalls;
  readonly #orders: FleetOrders;

  /**
   * Takes up what an earlier incarnation of the object has left.
   *
   * @param ctx The object's own, `this.ctx`.
   * @throws {HostError} `ERR_SHARD_HOST_STORAGE`: the class is not SQLite-backed.
   */
  constructor(ctx: DurableObjectStateLike, options: FleetHostOptions) {
    this.#options = options;
    const wall = options.wallClock ?? wallClock;
    const platform = this.#platform = options.platform ?? systemPlatform;
    const record = this.#record = new StoredFleetRecord(kvOf(ctx.storage));
    this.#identifies = new IdentifyCoordinator(ctx, { clock: { now: wall } });
    const errors = this.#errors = new ErrorLog(options.token, wall);
    const calls = this.#calls = new ShardCalls({ options, platform, errors });
    const { storage } = ctx;
    const { overlapMs } = options;
    this.#orders = new FleetOrders({ record, calls, storage, errors, platform, wallClock: wall, overlapMs });
  }

  /** The shards' identify limiter asks here: forward it from your class. */
  exchange(request: IdentifyRequest): IdentifyReply {
    return this.#identifies.exchange(request);
  }

  /** Asks every shard what it is doing. Never rejects; a shard that does not answer says why. */
  async status(): Promise<FleetHostStatus> {
    const { running, count, next, retiring, lastReshard, pending } = this.#record.value;
    const sets = [...new Set([count, next, retiring])].filter((set) => set !== null);
    const hosted = sets.flatMap((set) => callAll(set, "start").map(({ shard }) => shard));
    const shards = await Promise.all(hosted.map((shard) => this.#calls.statusOf(shard)));
    return {
      running,
      shardCount: count,
      resharding: next,
      lastReshard,
      pendingCalls: pending.length,
      // Of a set that goes, only who is still there.
      shards: shards.filter(({ shardCount, status }) => shardCount !== retiring || status?.running !== false),
      identifies: this.#identifies.budget,
      lastError: this.#errors.last,
    };
  }

  /**
   * Starts all shards, and returns once the order is written down; the calls follow, and `status` shows them.
   *
   * @param options `shards`: how many; the last number, or as many as Discord recommends.
   * @throws {RangeError} `shards` is no integer from 1 to 16,384.
   * @throws {HostError} `ERR_FLEET_HOST_RUNNING`: they run with another number; that takes a reshard.
   * @throws {GatewayBotError} Discord could not be asked, and there is no last number.
   */
  async start(options: { readonly shards?: number } = {}): Promise<void> {
    const before = this.#record.value;
    if (options.shards !== undefined) requireCount(options.shards);
    const isKnown = (options.shards ?? before.count) !== null;
    // Asked even so: without its `max_concurrency` the shards would identify one by one.
    const bot = await this.#gatewayBot().catch((error) => {
      if (!isKnown) throw error;
      this.#errors.note(error);
      return null;
    });
    const count = requireCount(options.shards ?? before.count ?? bot?.shards ?? 1);
    if (this.#record.value.running && this.#record.value.count !== count) {
      throw new HostError(
        `Cannot start ${count} shards: they run already, and another number takes a reshard: ${this.#record.value.count}`,
        { code: "ERR_FLEET_HOST_RUNNING" },
      );
    }
    // A set of another number that was stopped with its sessions is of no more use.
    const others = [this.#record.value.count].filter((set) => set !== null && set !== count);
    const order = [
      ...others.flatMap((set) => callAll(set ?? 0, "stop")),
      ...callAll(count, "start"),
    ];
    // A reshard that is under way goes on.
    this.#record.update({ running: true, count, pending: replaceCalls(this.#record.value.pending, order) });
    await this.#orders.begin();
  }

  /**
   * Stops all shards; a reshard that is under way is given up. Returns once the order is written down.
   *
   * @param options `keepSession`: leave the sessions alive at Discord for a few minutes, so that a start can resume them.
   */
  async stop(options: { readonly keepSession?: boolean } = {}): Promise<void> {
    const { count, next, retiring } = this.#record.value;
    const order = [
      ...(count === null ? [] : callAll(count, options.keepSession ? "park" : "stop")),
      ...[next, retiring].flatMap((set) => set === null || set === count ? [] : callAll(set, "stop")),
    ];
    this.#record.update({
      running: false,
      next: null,
      retiring: null,
      pending: replaceCalls(this.#record.value.pending, order),
      ...(next !== null &&
        { lastReshard: this.#orders.reshardEnded(next, new Error("The fleet was stopped")) }),
    });
    await this.#orders.begin();
  }

  /**
   * Brings up another number of shards beside the present ones, and lets those go once both have delivered together for
   * `overlapMs`. Returns once the order is written down; `status` shows how it goes, and `lastReshard` how it ended.
   *
   * No event is missed. Events of the overlap are handled twice, once on each set. If one of the new shards stops for
   * good, the new set closes and the old one goes on as before. One that cannot be reached is waited for; the present number
   * gives the reshard up.
   *
   * @throws {RangeError} `shards` is no integer from 1 to 16,384, or the present number while no reshard is under way.
   * @throws {HostError} `ERR_FLEET_HOST_STOPPED`, or `ERR_FLEET_HOST_RESHARDING`: one is under way.
   * @throws {IdentifyBudgetError} Discord allows fewer identifies than that.
   * @throws {GatewayBotError} Discord could not be asked.
   */
  async reshard(shards: number): Promise<void> {
    requireCount(shards);
    const { count, next } = this.#record.value;
    if (next !== null && shards === count) return await this.#giveUpReshard(next);
    requireReshard(shards, this.#record.value);
    const { session_start_limit } = await this.#gatewayBot();
    // Somebody else may have given an order meanwhile.
    requireReshard(shards, this.#record.value);
    const { remaining, reset_after } = session_start_limit;
    if (remaining < shards) {
      throw new IdentifyBudgetError({ needed: shards, remaining, resetAfterMs: reset_after });
    }
    const order = callAll(shards, "start");
    this.#record.update({ next: shards, pending: replaceCalls(this.#record.value.pending, order) });
    await this.#orders.begin();
  }

  /**
   * Restarts one shard, resuming its session.
   *
   * @throws {HostError} `ERR_FLEET_HOST_STOPPED`, or `ERR_FLEET_HOST_SHARD`: there is no such shard.
   */
  async restart(shardId: number): Promise<void> {
    const order: PendingCall = { shard: requireShard(shardId, this.#record.value), do: "restart" };
    this.#record.update({ pending: replaceCalls(this.#record.value.pending, [order]) });
    await this.#orders.begin();
  }

  /**
   * Sends a command through the shard that it belongs to: the guild's, each of them for a presence, or the one given.
   * Resolves when it is written.
   *
   * @throws {CommandError} A command that Discord would not accept, or of more than 4096 bytes; nothing was sent.
   * @throws {HostError} `ERR_FLEET_HOST_STOPPED`; `ERR_FLEET_HOST_SHARD`: there is no such shard, or it refused, for
   * the reason in `report`; `ERR_FLEET_HOST_UNREACHABLE`: its object did not answer.
   */
  async send(command: GatewayCommand, options: { readonly shardId?: number } = {}): Promise<void> {
    const { shardId } = options;
    checkCommand(command);
    const [, count] = requireShard(shardId ?? 0, this.#record.value);
    const parts = shardId === undefined ? routeCommand(command, count) : [{ shardId, command }];
    await Promise.all(parts.flatMap((part) => {
      const ids = part.shardId === null
        ? callAll(count, "start").map(({ shard: [id] }) => id)
        : [part.shardId];
      return ids.map((id) => this.#calls.send([id, count], part.command));
    }));
  }

  /** The object's alarm: forward it from your class. Never throws. */
  async alarm(_info?: unknown): Promise<void> {
    await this.#orders.begin();
    await this.#orders.working;
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
    return respondFleet(this, request, (error) => this.#errors.report(error));
  }

  async #giveUpReshard(next: number): Promise<void> {
    this.#record.update({
      next: null,
      lastReshard: this.#orders.reshardEnded(next, new Error("Cannot reshard: it was given up by an order")),
      pending: replaceCalls(this.#record.value.pending, callAll(next, "stop")),
    });
    await this.#orders.begin();
  }

  async #gatewayBot(): Promise<GatewayBot> {
    const bot = await askGatewayBot(this.#options, {
      platform: this.#platform,
      signal: new AbortController().signal,
    });
    const limits = sessionStartLimit(bot.session_start_limit);
    this.exchange({ client: "coordinator", ask: [], keep: [], drop: [], known: null, limits });
    return bot;
  }
}

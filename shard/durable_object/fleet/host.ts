/**
 * A fleet on Cloudflare: one coordinator object, and one object for each shard.
 *
 * The shards run independently; each one's own alarm restarts it. The coordinator gives orders, and is not needed between
 * them: it sets an alarm only while an order is not complete, or a reshard is in progress. Orders are stored before the
 * first call, so that they survive the end of the coordinator's object.
 *
 * The same object holds the identify limiter's record: it knows the number of shards, and issues the permits to identify.
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
 * Coordinates the shards of a bot from one Durable Object. Create it in a field of your class, and forward `alarm` and
 * `exchange`; the class has to be SQLite-backed.
 *
 * @example
 * ```ts
 * import type { GatewayCommand } from "@discordgateway/edge";
 * import { FleetHost, ShardHost } from "@discordgateway/edge/durable-object";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * // Objects in this process. In a worker each host is in a Durable Object, `ctx` is `this.ctx`, and `shard` returns the
 * // stub `env.SHARD.getByName(`${id} of ${count}`)`.
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
   * Restores the record of the previous incarnation.
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

  /** Serves the shards' identify limiter: forward it from your class. */
  exchange(request: IdentifyRequest): IdentifyReply {
    return this.#identifies.exchange(request);
  }

  /** Asks every shard for its status. Never rejects; a shard that does not respond has an `error`. */
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
      // Of a retiring set, only the shards that still run.
      shards: shards.filter(({ shardCount, status }) => shardCount !== retiring || status?.running !== false),
      identifies: this.#identifies.budget,
      lastError: this.#errors.last,
    };
  }

  /**
   * Starts all shards. Returns once the order is stored; the calls follow, and `status` shows the pending ones.
   *
   * @param options `shards`: how many; by default the previous number, or as many as Discord recommends.
   * @throws {RangeError} `shards` is not an integer from 1 to 16,384.
   * @throws {HostError} `ERR_FLEET_HOST_RUNNING`: the fleet runs with another number of shards; use `reshard`.
   * @throws {GatewayBotError} The request to Discord failed, and there is no previous number.
   */
  async start(options: { readonly shards?: number } = {}): Promise<void> {
    const before = this.#record.value;
    if (options.shards !== undefined) requireCount(options.shards);
    const isKnown = (options.shards ?? before.count) !== null;
    // Also requested with a known number: without `max_concurrency` the shards would identify one at a time.
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
    // Ends the kept sessions of a stopped set with another number.
    const others = [this.#record.value.count].filter((set) => set !== null && set !== count);
    const order = [
      ...others.flatMap((set) => callAll(set ?? 0, "stop")),
      ...callAll(count, "start"),
    ];
    // A reshard in progress continues.
    this.#record.update({ running: true, count, pending: replaceCalls(this.#record.value.pending, order) });
    await this.#orders.begin();
  }

  /**
   * Stops all shards, and cancels a reshard in progress. Returns once the order is stored.
   *
   * @param options `keepSession`: keep the sessions alive at Discord for a few minutes, so that a start can resume them.
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
   * Starts a new set of shards beside the present one, and retires the old set once both have delivered together for
   * `overlapMs`. Returns once the order is stored; `status` shows the progress, and `lastReshard` the result.
   *
   * No event is missed. Events of the overlap are handled twice, once by each set. If Discord refuses one of the new
   * shards permanently, the new set stops and the old one continues. The reshard waits for a new shard that cannot be
   * reached; a reshard to the present number cancels it.
   *
   * @throws {RangeError} `shards` is not an integer from 1 to 16,384, or is the present number and no reshard is in
   * progress.
   * @throws {HostError} `ERR_FLEET_HOST_STOPPED`, or `ERR_FLEET_HOST_RESHARDING`: another reshard is in progress.
   * @throws {IdentifyBudgetError} Fewer identifies remain than the reshard needs.
   * @throws {GatewayBotError} The request to Discord failed.
   */
  async reshard(shards: number): Promise<void> {
    requireCount(shards);
    const { count, next } = this.#record.value;
    if (next !== null && shards === count) return await this.#giveUpReshard(next);
    requireReshard(shards, this.#record.value);
    const { session_start_limit } = await this.#gatewayBot();
    // Another order may have arrived during the request.
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
   * Restarts one shard, which resumes its session.
   *
   * @throws {HostError} `ERR_FLEET_HOST_STOPPED`, or `ERR_FLEET_HOST_SHARD`: there is no such shard.
   */
  async restart(shardId: number): Promise<void> {
    const order: PendingCall = { shard: requireShard(shardId, this.#record.value), do: "restart" };
    this.#record.update({ pending: replaceCalls(this.#record.value.pending, [order]) });
    await this.#orders.begin();
  }

  /**
   * Sends a command through the given shard, through the guild's shard, or a presence through every shard. Resolves when
   * it is written.
   *
   * @throws {CommandError} A command that Discord would not accept, or of more than 4096 bytes; nothing was sent.
   * @throws {HostError} `ERR_FLEET_HOST_STOPPED`; `ERR_FLEET_HOST_SHARD`: there is no such shard, or it rejected the
   * command with the error in `report`; `ERR_FLEET_HOST_UNREACHABLE`: its object did not respond.
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
   * The same methods over HTTP, by the last part of the path: `GET status`, `POST start` (`{ "shards": 16 }` or nothing), `POST
   * stop` (`{ "keepSession": true }` or nothing), `POST reshard` (`{ "shards": 32 }`), `POST restart` (`{ "shard": 3 }`),
   * `POST send` (`{ "command": { "op", "d" } }`, with a `shard` if it is not the guild's). Failures are JSON:
   * `{ "error": { "name", "code", "message" } }`.
   *
   * Every caller of this method controls the bot: authorize external requests before you forward them.
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

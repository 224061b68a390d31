/** The options and the status of a hosted fleet. */

import type { GatewayCommand } from "../../../gateway/mod.ts";
import type { IdentifyBudgetState } from "../../../ratelimit/identify/record.ts";
import type { ReshardReport } from "./record.ts";
import type { Fetch } from "../../connect/gateway_bot.ts";
import type { Platform } from "../../pipe/platform.ts";
import type { ShardHostStatus } from "../shard/options.ts";
import type { ErrorReport } from "../errors.ts";

/** The stub of an object that holds a `ShardHost`: the object's class forwards these methods to the host. */
export interface HostedShard {
  /** `ShardHost.start`. */
  start(options: { readonly shard: readonly [id: number, count: number] }): PromiseLike<unknown>;
  /** `ShardHost.stop`. */
  stop(options: { readonly keepSession: boolean }): PromiseLike<unknown>;
  /** `ShardHost.retire`. */
  retire(): PromiseLike<unknown>;
  /** `ShardHost.status`. */
  status(): PromiseLike<ShardHostStatus>;
  /** `ShardHost.trySend`. */
  trySend(
    command: GatewayCommand,
  ): PromiseLike<{ readonly ok: true } | { readonly ok: false; readonly error: ErrorReport }>;
}

/** Options of a `FleetHost`. */
export interface FleetHostOptions {
  /** The bot's token, for requesting the recommended number of shards. */
  readonly token: string;
  /** Returns the stub of a shard's object, such as `env.SHARD.getByName(`${id} of ${count}`)`. */
  readonly shard: (id: number, count: number) => HostedShard;
  /**
   * How long, in ms, both sets of a reshard deliver events before the old one retires. Events in it are handled twice.
   *
   * @default {15_000}
   */
  readonly overlapMs?: number;
  /**
   * How long, in ms, a shard's object may take to respond.
   *
   * @default {10_000}
   */
  readonly callDeadlineMs?: number;
  /** Base URL of the REST API; the environment variable `DISCORD_API`, or Discord's own. */
  readonly api?: string;
  /** Sends requests to the REST API; the runtime's `fetch` by default. */
  readonly fetch?: Fetch;
  /** Clock and timers; the runtime's by default. */
  readonly platform?: Platform;
  /** The wall clock in ms since the epoch, by which alarms are set; the runtime's by default. */
  readonly wallClock?: () => number;
}

/** The status of one shard of a hosted fleet. */
export interface HostedShardStatus {
  /** The shard's number. */
  readonly shardId: number;
  /** The number of shards in its set; during a reshard there are two sets. */
  readonly shardCount: number;
  /** The status that its object has returned; `null` if it did not respond. */
  readonly status: ShardHostStatus | null;
  /** Why the object did not respond. */
  readonly error: ErrorReport | null;
}

/** The status of a hosted fleet, as JSON for RPC and HTTP. It contains no secret. */
export interface FleetHostStatus {
  /** Whether the shards have to run. */
  readonly running: boolean;
  /** The number of shards; `null` before the first start. */
  readonly shardCount: number | null;
  /** The new number of shards during a reshard; `null` otherwise. */
  readonly resharding: number | null;
  /** How the last reshard ended; `null` if there was none. */
  readonly lastReshard: ReshardReport | null;
  /** Calls to shards that are not confirmed yet. */
  readonly pendingCalls: number;
  /** The shards in ascending order; those of a reshard's new set come last. */
  readonly shards: readonly HostedShardStatus[];
  /** The remaining identifies; `null` before the first. */
  readonly identifies: IdentifyBudgetState | null;
  /** The coordinator's own last error in this incarnation of its object; `null` if there was none. */
  readonly lastError: ErrorReport & { readonly at: number } | null;
}

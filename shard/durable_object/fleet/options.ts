/** What a hosted fleet is made from, what it tells, and how it refuses. */

import type { GatewayCommand } from "../../../gateway/mod.ts";
import type { IdentifyBudgetState } from "../../../ratelimit/identify/record.ts";
import type { ReshardReport } from "./record.ts";
import type { Fetch } from "../../connect/gateway_bot.ts";
import type { Platform } from "../../pipe/platform.ts";
import type { ShardHostStatus } from "../shard/options.ts";
import type { ErrorReport } from "../errors.ts";

/** The stub of an object that holds a `ShardHost`, as far as it is called: its class forwards these methods. */
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

/** What a `FleetHost` is made from. */
export interface FleetHostOptions {
  /** The bot's token, to ask how many shards Discord recommends. */
  readonly token: string;
  /** The object of a shard, one for each number and count, such as `env.SHARD.getByName(`${id} of ${count}`)`. */
  readonly shard: (id: number, count: number) => HostedShard;
  /**
   * How long, in ms, the sets of a reshard deliver together before the old one goes. Events come twice in it.
   *
   * @default {15_000}
   */
  readonly overlapMs?: number;
  /**
   * How long, in ms, a shard's object may take to answer.
   *
   * @default {10_000}
   */
  readonly callDeadlineMs?: number;
  /** Base URL of the REST API; the environment variable `DISCORD_API`, or Discord's own. */
  readonly api?: string;
  /** Talks to the REST API; the runtime's `fetch` by default. */
  readonly fetch?: Fetch;
  /** Clock and timers; the runtime's by default. */
  readonly platform?: Platform;
  /** The wall clock in ms since the epoch, by which alarms are set; the runtime's by default. */
  readonly wallClock?: () => number;
}

/** One shard of a hosted fleet. */
export interface HostedShardStatus {
  /** The shard's number. */
  readonly shardId: number;
  /** How many shards there are in its set; during a reshard there are two sets. */
  readonly shardCount: number;
  /** What its object says; `null` where it did not answer. */
  readonly status: ShardHostStatus | null;
  /** Why it did not. */
  readonly error: ErrorReport | null;
}

/** What a hosted fleet is doing, as JSON: it passes RPC and HTTP as it is. There is no secret in it. */
export interface FleetHostStatus {
  /** Whether the shards are to run. */
  readonly running: boolean;
  /** How many there are; `null` before the first start. */
  readonly shardCount: number | null;
  /** How many there are to be, while a reshard is under way; `null` otherwise. */
  readonly resharding: number | null;
  /** How the last reshard ended; `null` if there was none. */
  readonly lastReshard: ReshardReport | null;
  /** Calls to shards that have not been confirmed yet. */
  readonly pendingCalls: number;
  /** The shards, ascending; those of a reshard's new set after the others. */
  readonly shards: readonly HostedShardStatus[];
  /** What is left of the identifies; `null` before the first. */
  readonly identifies: IdentifyBudgetState | null;
  /** The last thing that went wrong with the coordinator itself, `null` where nothing has in this incarnation of the object. */
  readonly lastError: ErrorReport & { readonly at: number } | null;
}

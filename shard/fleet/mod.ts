/**
 * A fleet: any set of a bot's shards in one process, as one stream of events.
 *
 * @example
 * ```ts
 * import { Fleet } from "@discordgateway/edge/fleet";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const discord = new FakeDiscord({ shards: 2, maxConcurrency: 2 });
 * const fleet = new Fleet({
 *   token: discord.token,
 *   guildEvents: ["MESSAGE_CREATE"],
 *   events: ["READY"],
 *   dial: discord.dial,                        // leave out dial and fetch to talk to Discord
 *   fetch: discord.fetch,
 * });
 *
 * const ready = new Set<number>();
 * for await (const { shardId, event } of fleet) {
 *   if (event.t === "READY") ready.add(shardId);
 *   if (ready.size === 2) break;
 * }
 * ```
 *
 * @module
 */

export { Fleet } from "./fleet.ts";
export {
  FleetStoppedError,
  IdentifyBudgetError,
  ReshardError,
  type ReshardErrorCode,
  type ShardFailure,
  ShardNotHereError,
} from "./errors.ts";
export {
  identifyWaves,
  nextReshardStep,
  relatedShards,
  type ReshardShard,
  type ReshardStep,
  type ReshardView,
  resumeDelayMs,
  routeCommand,
  type RoutedCommand,
  type ShardSelection,
  shardSelection,
} from "./plan.ts";
export type { FleetEvent, ShardStoppedEvent } from "./event.ts";
export type { FleetOptions, FleetShardStatus } from "./options.ts";
export type { ReshardOptions, ReshardReport } from "./reshard.ts";
export type { FleetCounts, FleetShardReport, FleetStatus } from "./status.ts";

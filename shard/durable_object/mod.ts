/**
 * Shards in Cloudflare Durable Objects. A `ShardHost` runs one shard: it survives evictions, deploys and crashes, and
 * delivers every event to a handler at least once. A `FleetHost` coordinates all shards of a bot, each in its own object.
 *
 * Nothing is imported from Cloudflare. Your class extends `DurableObject` and holds a host:
 *
 * @example
 * ```ts ignore
 * import { DurableObject } from "cloudflare:workers";
 * import { ShardHost } from "@discordgateway/edge/durable-object";
 *
 * export class Bot extends DurableObject<Env> {
 *   #host = new ShardHost(this.ctx, {
 *     token: this.env.DISCORD_TOKEN,
 *     guildEvents: ["MESSAGE_CREATE"],
 *     handler: async (event, { signal }) => {
 *       await fetch("https://example.com/events", { method: "POST", body: JSON.stringify(event), signal });
 *     },
 *   });
 *
 *   start() { return this.#host.start(); }
 *   status() { return this.#host.status; }
 *   send(command) { return this.#host.trySend(command); }
 *   alarm(info) { return this.#host.alarm(info); }
 * }
 * ```
 *
 * @module
 */

export { DeliveryStoppedError, HandlerDeadlineError } from "../delivery/delivery.ts";
export { FleetHost } from "./fleet/host.ts";
export { nextHostedReshardStep } from "./fleet/reshard_plan.ts";
export { ShardHost } from "./shard/host.ts";
export { HostError } from "./errors.ts";

export type { CommandBudget } from "../commands/budget.ts";
export type { DeadLetter, DeliveryAttempt, DeliveryHandler } from "../delivery/delivery.ts";
export type { DurableObjectStateLike, DurableObjectStorageLike } from "./object_state.ts";
export type { DurableObjectKvLike } from "../stores/durable_object.ts";
export type {
  ShardHostOptions,
  ShardHostSendResult,
  ShardHostStartOptions,
  ShardHostStatus,
} from "./shard/options.ts";
export type { ErrorReport, HostErrorCode } from "./errors.ts";
export type { FleetHostOptions, FleetHostStatus, HostedShard, HostedShardStatus } from "./fleet/options.ts";
export type { HostedReshardStep, HostedShardView } from "./fleet/reshard_plan.ts";
export type { ReshardReport } from "./fleet/record.ts";

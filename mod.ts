/**
 * The Discord gateway for the edge: the shard, its state machine and its rate limits, on nothing but Web standards.
 *
 * Fleets, stores, hosts in Durable Objects, voice and the fake Discord are entry points of their own.
 *
 * @example
 * ```ts
 * import { Shard } from "@discordgateway/edge";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 *
 * const discord = new FakeDiscord();
 * const shard = new Shard({
 *   token: discord.token,
 *   guildEvents: ["MESSAGE_CREATE"],
 *   events: ["READY"],
 *   dial: discord.dial,                        // leave out dial and fetch to talk to Discord
 *   fetch: discord.fetch,
 * });
 * for await (const event of shard) {
 *   if (event.t === "READY") discord.sendMessage({ content: "hello" });
 *   else if (event.t === "MESSAGE_CREATE") break;
 * }
 * ```
 *
 * @module
 */

export * from "./gateway/mod.ts";
export * from "./ratelimit/mod.ts";
export * from "./shard/mod.ts";

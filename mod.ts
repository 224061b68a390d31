/**
 * The Discord gateway for the edge: one shard, its state machine and its rate limits, on nothing but Web standards.
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

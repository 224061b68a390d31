/**
 * The shard, which keeps one session alive over any number of connections, and its parts: the pipe around a `WebSocket`,
 * the dial that opens it, a pair of pipes in memory for tests.
 *
 * @example
 * ```ts
 * import { connectionPair } from "@discordgateway/edge/shard";
 *
 * const [client, server] = connectionPair();
 * client.close(1000);
 * if ((await server.closed).code !== 1000) throw new Error("unexpected");
 * ```
 *
 * @module
 */

export { ConnectionClosedError, Pipe } from "./pipe/connection.ts";
export { dial, DialError } from "./pipe/dial.ts";
export { ShardStoppedError } from "./errors.ts";
export { CommandNotSentError, ConsumerStuckError } from "./commands/errors.ts";
export { GatewayBotError } from "./connect/errors.ts";
export { apiBaseUrl, fetchGatewayBot } from "./connect/gateway_bot.ts";
export { environmentVariable, systemPlatform, wallClock } from "./pipe/platform.ts";
export { connectionPair } from "./pipe/pair.ts";
export { MissingOptionError, RequestError } from "./commands/errors.ts";
export { Shard } from "./shard.ts";
export { sharedIdentifyLimiter } from "./connect/shared_identify_limiter.ts";

export type { RequestOptions, ResponseIterator } from "./commands/response_iterator.ts";
export type { CommandBudget } from "./commands/budget.ts";
export type { CommandLimits, CommandOutcome } from "./commands/limits.ts";
export type { Connection, ConnectionEnd, ConnectionPort, ConnectionSink, Frame } from "./pipe/connection.ts";
export type {
  Dial,
  DialErrorCode,
  DialOptions,
  WebSocketConstructor,
  WebSocketDialOptions,
  WebSocketLike,
} from "./pipe/dial.ts";
export type { SessionGapEvent, ShardEvent, WantedName } from "./events/event.ts";
export type { EventHandler } from "./events/event_queue.ts";
export type { Fetch, FetchResponse, GatewayBot, GatewayBotOptions } from "./connect/gateway_bot.ts";
export type { GuildMembersChunk } from "./commands/guild_members.ts";
export type { ChannelInfo, SoundboardSounds } from "./commands/guild_requests.ts";
export type { Platform } from "./pipe/platform.ts";
export type { ShardDialing, ShardLocating } from "./connect/status.ts";
export type { ShardOptions } from "./options.ts";
export type { MissingOptionErrorCode, RequestErrorCode, RequestProgress } from "./commands/errors.ts";
export type {
  ShardClosed,
  ShardConnected,
  ShardDisconnected,
  ShardDraining,
  ShardIdle,
  ShardStatus,
} from "./status.ts";
export type { GuildGateway, GuildGatewayEvent, VoiceProvider, VoiceTarget } from "./voice_provider.ts";

/**
 * The Discord gateway for the edge, on nothing but Web standards: the shard, the dial below it, and what a bot needs beside
 * them.
 *
 * The parts are entry points of their own: the core in `./gateway`, the limiters in `./ratelimit`, the pipe in `./shard`,
 * session stores in `./stores`; and fleets, hosts in Durable Objects, voice and the fake Discord.
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

export {
  CommandError,
  describeCloseCode,
  EVENTS,
  GatewayCloseCode,
  GatewayIntent,
  GatewayOpcode,
  GatewayUrlError,
  intentsOf,
  parseSessionRecord,
  SessionRecordError,
} from "./gateway/mod.ts";
export { IdentifyLimiterError, IdentifyRefusedError, MemoryIdentifyLimiter } from "./ratelimit/mod.ts";
export {
  CommandNotSentError,
  ConnectionClosedError,
  ConsumerStuckError,
  dial,
  DialError,
  GatewayBotError,
  MissingOptionError,
  RequestError,
  Shard,
  ShardStoppedError,
  sharedIdentifyLimiter,
  systemPlatform,
} from "./shard/mod.ts";
export { restoreShard, SessionStoreError, StoredShard } from "./shard/stores/mod.ts";

export type {
  Activity,
  CloseCause,
  Command,
  CommandErrorCode,
  DirectMessageEventName,
  EncodedCommand,
  EndCause,
  EventData,
  EventDataByName,
  EventName,
  FrameDecoder,
  GatewayCommand,
  GatewayDispatch,
  GatewayPhase,
  GatewayStateOptions,
  GatewayUrlErrorCode,
  GuildEventName,
  Identify,
  IdentifyProperties,
  IntentName,
  LatencyReading,
  PresenceUpdate,
  RequestChannelInfo,
  RequestGuildMembers,
  RequestGuildMembersBase,
  RequestGuildMembersById,
  RequestGuildMembersByName,
  RequestSoundboardSounds,
  SessionRecord,
  UngatedEventName,
  VoiceStateUpdate,
  WantedEvents,
} from "./gateway/mod.ts";
export type {
  Clock,
  IdentifyLimiter,
  IdentifyLimits,
  IdentifyOutcome,
  IdentifyPermit,
  QueueOptions,
  SessionStartLimit,
} from "./ratelimit/mod.ts";
export type {
  ChannelInfo,
  CommandBudget,
  CommandLimits,
  CommandOutcome,
  Connection,
  ConnectionEnd,
  ConnectionSink,
  Dial,
  DialErrorCode,
  DialOptions,
  EventHandler,
  Fetch,
  FetchResponse,
  Frame,
  GuildGateway,
  GuildGatewayEvent,
  GuildMembersChunk,
  MissingOptionErrorCode,
  Platform,
  RequestErrorCode,
  RequestOptions,
  ResponseIterator,
  SessionGapEvent,
  ShardClosed,
  ShardConnected,
  ShardDialing,
  ShardDisconnected,
  ShardDraining,
  ShardEvent,
  ShardIdle,
  ShardLocating,
  ShardOptions,
  ShardStatus,
  SoundboardSounds,
  VoiceProvider,
  VoiceTarget,
  WantedName,
  WebSocketConstructor,
  WebSocketDialOptions,
  WebSocketLike,
} from "./shard/mod.ts";
export type { SessionStore, SessionStoreErrorCode, StoredShardOptions } from "./shard/stores/mod.ts";

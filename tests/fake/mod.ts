/**
 * A fake Discord for tests: gateway and REST API in memory or on a port, and a clock that moves only when told.
 *
 * @example A bot through a cut and three simulated hours
 * ```ts
 * import { Shard } from "@discordgateway/edge";
 * import { FakeDiscord, VirtualClock } from "@discordgateway/edge/testing";
 *
 * const clock = new VirtualClock();
 * const discord = new FakeDiscord({ clock });
 * const { token, dial, fetch } = discord;
 * const shard = new Shard({ token, guildEvents: ["MESSAGE_CREATE"], dial, fetch, platform: clock });
 *
 * let heard = 0;
 * const running = shard.run(() => void heard++);
 * await clock.runUntil(() => shard.status.state === "live");
 * discord.connections[0]?.drop();
 * discord.sendMessage({ author: "alice", content: "missed" });
 * await clock.advance(3 * 3_600_000);
 * await shard.close();
 * await running;
 *
 * if (heard !== 1 || discord.journal.resumes().length !== 1) throw new Error("the resume brings what was missed");
 * if (discord.journal.violations().length > 0) throw new Error("no rule was broken");
 * ```
 *
 * @module
 */

export { connectionPair } from "../../shard/pipe/pair.ts";
export { FakeDiscord } from "./fake_discord.ts";
export { Journal } from "./base/journal.ts";
export { VirtualClock } from "./base/virtual_clock.ts";

export type { Connection, ConnectionEnd, ConnectionSink, Frame } from "../../shard/pipe/connection.ts";
export type { Dial, DialErrorCode, DialOptions } from "../../shard/pipe/dial.ts";
export type { Platform } from "../../shard/pipe/platform.ts";
export type { Clock } from "../../ratelimit/clock.ts";
export type { PresenceLimit } from "./gateway/command_responses.ts";
export type { FakeConnection } from "./gateway/fake_connection.ts";
export type { FakeDiscordOptions } from "./options.ts";
export type { Faults } from "./base/faults.ts";
export type { IdentifyLimit } from "./gateway/identify_budget.ts";
export type {
  CloseEntry,
  DialEntry,
  Entry,
  FrameEntry,
  HeartbeatEntry,
  JournalEntry,
  JournalEntryOf,
  JournalKind,
  Received,
  RestEntry,
  SentEntry,
  SessionEntry,
  ViolationEntry,
} from "./base/journal.ts";
export type { FakeMessage } from "./world/payloads.ts";
export type { FakeServer, ListenOptions } from "./net/server.ts";
export type { FakeSession } from "./gateway/session.ts";
export type { DispatchOptions } from "./gateway/session_registry.ts";
export type { MessageOptions } from "./gateway/story.ts";
export type { ChannelSeed, FakeChannel, FakeGuild, FakeMember, FakeUser, GuildSeed } from "./world/world.ts";
export type { VirtualClockOptions } from "./base/virtual_clock.ts";
export type { ProposalFault } from "./voice/mls/delivery_service.ts";
export type { FakeVoice } from "./voice/fake_voice.ts";
export type {
  FakeVoiceCall,
  FakeVoiceOptions,
  VoiceJoinRequest,
  VoiceListenOptions,
} from "./voice/options.ts";
export type { UserGateway, UserGatewayServer } from "./voice/gateway/user_gateway.ts";
export type { NetworkConditions } from "./voice/media/lossy_network.ts";
export type { MediaCounts } from "./voice/media/media_core.ts";
export type { DatagramListener, MemoryDatagramSocket } from "./voice/media/memory_datagrams.ts";
export type { FakeVoiceConnection } from "./voice/gateway/connection.ts";
export type { VoiceFaults } from "./voice/gateway/faults.ts";
export type { DaveFaults } from "./voice/mls/dave_faults.ts";
export type { DatagramAddress, FakeVoiceSession, VoiceCredentials } from "./voice/gateway/session.ts";

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
 * const shard = new Shard({ token, guildEvents: ["MESSAGE_CREATE"], dial, fetch, host: clock });
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
export { Journal } from "./journal.ts";
export { VirtualClock } from "./virtual_clock.ts";

export type { Connection, ConnectionEnd, ConnectionSink, Frame } from "../../shard/pipe/connection.ts";
export type { Dial, DialErrorCode, DialOptions } from "../../shard/pipe/dial.ts";
export type { Host } from "../../shard/pipe/platform.ts";
export type { Clock } from "../../ratelimit/clock.ts";
export type { PresenceLimit } from "./command_answers.ts";
export type { FakeConnection } from "./fake_connection.ts";
export type { FakeDiscordOptions } from "./fake_discord.ts";
export type { Faults } from "./faults.ts";
export type { IdentifyLimit } from "./identify_budget.ts";
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
} from "./journal.ts";
export type { FakeMessage } from "./payloads.ts";
export type { FakeServer, ListenOptions } from "./server.ts";
export type { FakeSession } from "./session.ts";
export type { DispatchOptions } from "./session_registry.ts";
export type { MessageOptions } from "./story.ts";
export type { ChannelSeed, FakeChannel, FakeGuild, FakeMember, FakeUser, GuildSeed } from "./world.ts";
export type { VirtualClockOptions } from "./virtual_clock.ts";
export type { ProposalFault } from "./voice/delivery_service.ts";
export type { FakeVoice } from "./voice/fake_voice.ts";
export type {
  FakeVoiceCall,
  FakeVoiceOptions,
  VoiceListenOptions,
  VoicePlace,
} from "./voice/voice_options.ts";
export type { UserGateway, UserGatewayHost } from "./voice/user_gateway.ts";
export type { NetworkConditions } from "./voice/lossy_network.ts";
export type { MediaCounts } from "./voice/media_core.ts";
export type { DatagramListener, MemoryDatagramSocket } from "./voice/memory_datagrams.ts";
export type { FakeVoiceConnection } from "./voice/voice_connection.ts";
export type { DaveFaults, VoiceFaults } from "./voice/voice_faults.ts";
export type { DatagramAddress, FakeVoiceSession, VoiceCredentials } from "./voice/voice_session.ts";

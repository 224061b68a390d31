/**
 * Voice: `voice()`, which a shard or a fleet takes as its option `voice`, and the connection that its `joinVoice()` then
 * gives: it plays and receives Opus frames, end-to-end encrypted.
 *
 * The parts below it are an entry point of their own, `./voice/core`.
 *
 * @example
 * ```ts
 * import { Shard } from "@discordgateway/edge";
 * import { FakeDiscord } from "@discordgateway/edge/testing";
 * import { daveyProvider, voice } from "@discordgateway/edge/voice";
 * import davey from "npm:@snazzah/davey@0.1.12";
 *
 * const guild = { id: "40", channels: [{ name: "voice", type: 2, id: "41" }] };
 * await using discord = new FakeDiscord({ guilds: [guild] });
 * const fake = await discord.openVoice();
 * const { token, dial, fetch } = discord;
 * const shard = new Shard({
 *   token,
 *   intents: 1 << 7,                            // GUILD_VOICE_STATES
 *   voice: voice({ dave: daveyProvider(davey), dial: fake.dial, openUdp: fake.openUdp }),
 *   dial,                                       // leave out every dial, openUdp and fetch to talk to Discord
 *   fetch,
 * });
 *
 * await shard.run(async (event) => {
 *   if (event.t !== "READY") return;
 *   await using connection = await shard.joinVoice("40", "41");
 *   await connection.play([new Uint8Array([0xfc, 1, 2, 3])]);
 *   await shard.close();
 * });
 * ```
 *
 * @module
 */

export { OpusFrameError } from "./audio/opus_frame.ts";
export { VoiceConnection } from "./connection.ts";
export { daveyProvider } from "./dave/davey.ts";
export { isSilenceFrame, SILENCE_FRAME } from "./dave/frame.ts";
export { joinVoice } from "./join_voice.ts";
export { VoiceMediaError } from "./media/media_error.ts";
export { assertUdp, openUdp } from "./media/udp.ts";
export { voice } from "./voice.ts";
export { VoiceClosedError } from "./voice_closed_error.ts";
export { VoiceTimeoutError } from "./voice_timeout_error.ts";
export { describeVoiceCloseCode, VoiceCloseCode } from "./wire/close_code.ts";

export type { OpusPacket, ReceiveOptions } from "./audio/receive_streams.ts";
export type { Davey, DaveyKeyPair, DaveyOptions, DaveySession } from "./dave/davey.ts";
export type { DaveCounters, DaveDropReason, DaveEvent, DavePhase } from "./dave/io.ts";
export type {
  DaveCommit,
  DaveDecryption,
  DaveOutcome,
  DaveProvider,
  DaveSession,
  DaveSessionOptions,
} from "./dave/provider.ts";
export type { VoiceEvent } from "./gateway/state_io.ts";
export type { VoiceCloseCause, VoiceEndCause, VoicePhase } from "./gateway/transitions.ts";
export type { VoiceVerdictAction } from "./wire/close_code.ts";
export type { VoiceJoinEnd, VoiceJoinEndCause, VoiceServerEvent, VoiceStateEvent } from "./join_io.ts";
export type { DatagramSink, DatagramSocket, OpenUdp } from "./media/datagram.ts";
export type { DiscoveredAddress } from "./media/discovery.ts";
export type { DiscoveryTimes } from "./media/media.ts";
export type { VoiceMediaErrorCode } from "./media/media_error.ts";
export type { MediaCounters, MediaDropReason } from "./media/receiver.ts";
export type {
  JoinVoiceOptions,
  PlayOptions,
  VoiceConnectionEvent,
  VoiceCounters,
  VoiceOptions,
} from "./options.ts";
export type {
  VoiceClosed,
  VoiceConnected,
  VoiceDialing,
  VoiceDisconnected,
  VoiceJoining,
  VoiceStatus,
} from "./status.ts";
export type { Voice } from "./voice.ts";
export type { VoiceCommand, VoiceGateway, VoiceGatewayEvent } from "./voice_gateway.ts";
export type { VoiceMissing } from "./voice_timeout_error.ts";
export type { EncryptionMode } from "./wire/payload.ts";
export type { CallEvent } from "./wire/payload.ts";

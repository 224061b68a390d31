/**
 * Voice: `voice()`, which a shard or a fleet takes as its option `voice`, and the connection that its `joinVoice()` then
 * gives: it plays and receives Opus frames, end-to-end encrypted.
 *
 * Below it the parts, without a socket, a clock or a timer: the join, the voice gateway's state, RTP with its encryption,
 * and the machine of the end-to-end encryption.
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
 * @example The parts, for an event loop of your own
 * ```ts
 * import { VoiceJoin, VoiceState } from "@discordgateway/edge/voice";
 *
 * const join = new VoiceJoin({ guildId: "1", channelId: "2", userId: "3", now: 0 });
 * join.voiceState({ guild_id: "1", channel_id: "2", user_id: "3", session_id: "s" }, 10);
 * const [output] = join.voiceServer({ guild_id: "1", endpoint: "a:443", token: "t" }, 20);
 * if (output?.type !== "connect") throw new Error("unexpected");
 * const state = new VoiceState({ server: output.server, now: 20 });
 * if (state.phase !== "awaiting_hello") throw new Error("unexpected");
 * ```
 *
 * @module
 */

export { VoiceConnection } from "./connection.ts";
export { describeVoiceCloseCode, VOICE_CLOSE_CODES, VoiceCloseCode } from "./wire/close_code.ts";
export { Dave } from "./dave/dave.ts";
export { DaveKeyError, daveyProvider } from "./dave/davey.ts";
export { isSilenceFrame, readDaveTrailer, SILENCE_FRAME } from "./dave/frame.ts";
export { Discovery, encodeDiscovery, encodeKeepAlive, parseDiscovery } from "./media/discovery.ts";
export {
  NonceExhaustedError,
  VoiceFrameError,
  VoiceNotReadyError,
  VoiceProtocolError,
  VoiceStateClosedError,
} from "./wire/errors.ts";
export {
  encodeVoiceBinary,
  isSequenceAfter,
  parseVoiceBinary,
  parseVoicePayload,
  readDaveBinary,
} from "./wire/frame.ts";
export { VoiceJoin } from "./join.ts";
export { joinVoice } from "./join_voice.ts";
export { VoiceMediaError } from "./media/media_error.ts";
export { VOICE_OPCODES, VoiceOpcode } from "./wire/opcode.ts";
export { OpusFrameError } from "./audio/opus_frame.ts";
export { MediaReceiver } from "./media/receiver.ts";
export { VoiceRoster } from "./wire/roster.ts";
export {
  encodeRtpHeader,
  packetKind,
  parseRtpHeader,
  RTCP_CLEAR_BYTES,
  RtpClock,
  stripPayload,
} from "./media/rtp.ts";
export { VoiceState } from "./gateway/state.ts";
export { nextVoicePhase, VOICE_ENDS, VOICE_TRANSITIONS, voiceCloseCause } from "./gateway/transitions.ts";
export { createTransportCipher, packetNonce } from "./media/transport_encryption.ts";
export { assertUdp, openUdp } from "./media/udp.ts";
export { MAX_FAILED_VOICE_RESUMES, VOICE_VERDICTS, voiceVerdict } from "./gateway/verdict.ts";
export { voice } from "./voice.ts";
export { VoiceClosedError } from "./voice_closed_error.ts";
export { VoiceTimeoutError } from "./voice_timeout_error.ts";

export type { Awaitable } from "./media/aead_interface.ts";
export type {
  JoinVoiceOptions,
  PlayOptions,
  VoiceConnectionEvent,
  VoiceConnectionSettings,
  VoiceCounters,
  VoiceOptions,
} from "./options.ts";
export type { DatagramSink, DatagramSocket, OpenUdp } from "./media/datagram.ts";
export type { VoiceCloseCodeRow } from "./wire/close_code.ts";
export type { Davey, DaveyKeyPair, DaveyOptions, DaveySession } from "./dave/davey.ts";
export type { DaveOptions } from "./dave/io.ts";
export type { DaveTrailer } from "./dave/frame.ts";
export type {
  DaveCounters,
  DaveDropReason,
  DaveEvent,
  DaveOutput,
  DavePhase,
  DaveReceived,
  DaveSend,
} from "./dave/io.ts";
export type {
  DaveCommit,
  DaveDecryption,
  DaveOutcome,
  DaveProvider,
  DaveSession,
  DaveSessionOptions,
} from "./dave/provider.ts";
export type { DiscoveredAddress, DiscoveryOptions, DiscoveryOutput } from "./media/discovery.ts";
export type { DaveMessage, RawVoicePayload, VoiceBinary } from "./wire/frame.ts";
export type {
  VoiceJoinDeadline,
  VoiceJoinEnd,
  VoiceJoinEndCause,
  VoiceJoinOptions,
  VoiceJoinOutput,
  VoiceJoinPhase,
  VoiceServerEvent,
  VoiceStateEvent,
} from "./join_io.ts";
export type { OpusPacket, ReceiveOptions } from "./audio/receive_streams.ts";
export type { DiscoveryTimes } from "./media/media.ts";
export type { VoiceMediaErrorCode } from "./media/media_error.ts";
export type { VoiceOpcodeRow } from "./wire/opcode.ts";
export type {
  ClientDisconnect,
  ClientsConnect,
  DavePrepareEpoch,
  DavePrepareTransition,
  DaveTransition,
  EncryptionMode,
  SelectProtocol,
  SessionDescription,
  Speaking,
  SpeakingCommand,
  VoiceHeartbeat,
  VoiceHello,
  VoiceIdentify,
  VoiceReady,
  VoiceResume,
} from "./wire/payload.ts";
export type { MediaCounters, MediaDropReason, MediaPacket } from "./media/receiver.ts";
export type { PacketKind, RtpHeader, RtpPosition } from "./media/rtp.ts";
export type { TransportCipher, TransportCipherOptions } from "./media/transport_encryption.ts";
export type {
  MediaServer,
  VoiceDeadline,
  VoiceEnd,
  VoiceEvent,
  VoiceOutput,
  VoiceSendPurpose,
  VoiceServer,
  VoiceSession,
  VoiceStateOptions,
} from "./gateway/state_io.ts";
export type { Voice } from "./voice.ts";
export type {
  VoiceClosed,
  VoiceConnected,
  VoiceDialing,
  VoiceDisconnected,
  VoiceJoining,
  VoiceStatus,
} from "./status.ts";
export type { VoiceCommand, VoiceGateway, VoiceGatewayEvent } from "./voice_gateway.ts";
export type {
  VoiceCloseCause,
  VoiceEndCause,
  VoiceEndRow,
  VoicePhase,
  VoiceStateEndCause,
  VoiceTransitionRow,
  VoiceTrigger,
} from "./gateway/transitions.ts";
export type {
  VoiceVerdictAction,
  VoiceVerdictDelay,
  VoiceVerdictInput,
  VoiceVerdictRow,
} from "./gateway/verdict.ts";
export type { VoiceMissing, VoiceTimedAction } from "./voice_timeout_error.ts";

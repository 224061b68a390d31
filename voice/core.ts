/**
 * The parts of voice, without a socket, a clock or a timer: the join, the voice gateway's state, RTP with its encryption,
 * and the machine of the end-to-end encryption; and the tables that they read.
 *
 * @example
 * ```ts
 * import { VoiceJoin, VoiceState } from "@discordgateway/edge/voice/core";
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

export { Dave } from "./dave/dave.ts";
export { readDaveTrailer } from "./dave/frame.ts";
export { VoiceState } from "./gateway/state.ts";
export { VOICE_ENDS, VOICE_TRANSITIONS, voiceCloseCause } from "./gateway/transitions.ts";
export { MAX_FAILED_VOICE_RESUMES, VOICE_VERDICTS, voiceVerdict } from "./gateway/verdict.ts";
export { VoiceJoin } from "./join.ts";
export { Discovery, encodeDiscovery, encodeKeepAlive, parseDiscovery } from "./media/discovery.ts";
export { MediaReceiver } from "./media/receiver.ts";
export {
  encodeRtpHeader,
  packetKind,
  parseRtpHeader,
  RTCP_CLEAR_BYTES,
  RtpClock,
  stripPayload,
} from "./media/rtp.ts";
export { createTransportCipher, packetNonce } from "./media/transport_encryption.ts";
export { VOICE_CLOSE_CODES } from "./wire/close_code.ts";
export {
  encodeVoiceBinary,
  isSequenceAfter,
  parseVoiceBinary,
  parseVoicePayload,
  readDaveBinary,
} from "./wire/frame.ts";
export { VOICE_OPCODES, VoiceOpcode } from "./wire/opcode.ts";
export { VoiceRoster } from "./wire/roster.ts";

export type { DaveTrailer } from "./dave/frame.ts";
export type {
  DaveCounters,
  DaveDropReason,
  DaveEvent,
  DaveOptions,
  DaveOutput,
  DavePhase,
  DaveReceived,
  DaveSend,
} from "./dave/io.ts";
export type {
  VoiceDeadline,
  VoiceEnd,
  VoiceEvent,
  VoiceOutput,
  VoiceSession,
  VoiceStateOptions,
} from "./gateway/state_io.ts";
export type { MediaServer, VoiceSendPurpose, VoiceServer } from "./wire/payload.ts";
export type {
  VoiceCloseCause,
  VoiceEndCause,
  VoicePhase,
  VoiceStateEndCause,
  VoiceTrigger,
} from "./gateway/transitions.ts";
export type { VoiceVerdictInput } from "./gateway/verdict.ts";
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
export type { Awaitable } from "./media/aead_interface.ts";
export type { DiscoveredAddress, DiscoveryOptions, DiscoveryOutput } from "./media/discovery.ts";
export type { MediaCounters, MediaDropReason, MediaPacket } from "./media/receiver.ts";
export type { PacketKind, RtpHeader, RtpPosition } from "./media/rtp.ts";
export type { TransportCipher, TransportCipherOptions } from "./media/transport_encryption.ts";
export type { VoiceConnectionSettings } from "./options.ts";
export type { VoiceTimedAction } from "./voice_timeout_error.ts";
export type {
  UNDOCUMENTED_VOICE_CODES,
  VOICE_CODES,
  VoiceCloseCodeRow,
  VoiceCodeCause,
  VoiceVerdictAction,
  VoiceVerdictDelay,
  VoiceVerdictRow,
} from "./wire/close_code.ts";
export type { DaveMessage, RawVoicePayload, VoiceBinary } from "./wire/frame.ts";
export type {
  BINARY_RECEIVED_VOICE_OPCODES,
  BINARY_SENT_VOICE_OPCODES,
  INTERNAL_VOICE_OPCODES,
  MUTUAL_VOICE_OPCODES,
  RECEIVED_VOICE_OPCODES,
  SENT_VOICE_OPCODES,
  VoiceOpcodeRow,
} from "./wire/opcode.ts";
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
export type { CallEvent, VoiceSend } from "./wire/payload.ts";

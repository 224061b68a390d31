/**
 * The gateway's core without a socket, a clock, a timer or randomness: tables, payload types, and the state that turns
 * frames and time into frames to send, events, and one deadline.
 *
 * @example
 * ```ts
 * import { GatewayState, intentsOf } from "@discordgateway/edge/gateway";
 *
 * const intents = intentsOf({ guildEvents: ["MESSAGE_CREATE"] });
 * const state = new GatewayState({ token: "bot token", intents, now: 0, random: Math.random });
 * if (state.phase !== "awaiting_hello") throw new Error("unexpected");
 * ```
 *
 * @module
 */

export {
  CLOSE_CODES,
  describeCloseCode,
  END_SESSION_CLOSE_CODE,
  GatewayCloseCode,
  isSendableCloseCode,
  KEEP_SESSION_CLOSE_CODE,
} from "./close_code.ts";
export { encodeCommand, MAX_FRAME_BYTES } from "./command.ts";
export {
  CommandError,
  FrameError,
  NotReadyError,
  ProtocolError,
  SessionRecordError,
  StateClosedError,
} from "./errors.ts";
export { EVENTS, isEventName } from "./event.ts";
export { frameText, parsePayload } from "./frame.ts";
export { scanHeader } from "./header.ts";
export { Heartbeat } from "./heartbeat.ts";
export {
  ALL_INTENTS,
  GatewayIntent,
  intentNames,
  INTENTS,
  intentsOf,
  NON_PRIVILEGED_INTENTS,
  PRIVILEGED_INTENTS,
} from "./intent.ts";
export { Latency } from "./latency.ts";
export { Machine } from "./machine.ts";
export { GatewayOpcode, isCommandOpcode, OPCODES } from "./opcode.ts";
export { parseSessionRecord } from "./session.ts";
export { isId, shardIdOf } from "./snowflake.ts";
export { GatewayState } from "./state.ts";
export { closeCause, ENDS, TRANSITIONS } from "./transitions.ts";
export { checkGatewayUrl, gatewayUrl, GatewayUrlError } from "./url.ts";
export { delayMs, MAX_FAILED_RESUMES, verdict, VERDICTS } from "./verdict.ts";

export type {
  CloseCodeRow,
  CodeCause,
  DISCORD_CODES,
  VerdictAction,
  VerdictDelay,
  VerdictRow,
  WEBSOCKET_CODES,
} from "./close_code.ts";
export type { EncodedCommand } from "./command.ts";
export type { CommandErrorCode, EndDetails, Ended } from "./errors.ts";
export type { DirectMessageEventName, EventName, GuildEventName, UngatedEventName } from "./event.ts";
export type { FrameDecoder, RawPayload } from "./frame.ts";
export type { FrameHeader } from "./header.ts";
export type { IntentName, IntentRow, WantedEvents } from "./intent.ts";
export type { LatencyReading } from "./latency.ts";
export type { CloseOutput, MachineTables, SocketEnd } from "./machine.ts";
export type {
  COMMAND_OPCODES,
  CommandOpcode,
  MUTUAL_OPCODES,
  OpcodeRow,
  RECEIVED_OPCODES,
  SENT_OPCODES,
} from "./opcode.ts";
export type {
  Activity,
  Command,
  EventData,
  EventDataByName,
  GatewayCommand,
  GatewayDispatch,
  Hello,
  Identify,
  IdentifyProperties,
  PresenceUpdate,
  RawDispatch,
  Ready,
  RequestChannelInfo,
  RequestGuildMembers,
  RequestGuildMembersBase,
  RequestGuildMembersById,
  RequestGuildMembersByName,
  RequestSoundboardSounds,
  Resume,
  VoiceStateUpdate,
} from "./payload.ts";
export type { HeartbeatSchedule } from "../ratelimit/mod.ts";
export type { SessionRecord } from "./session.ts";
export type { CloseOptions, Deadline, GatewayEnd, GatewayOutput, GatewayStateOptions } from "./state_io.ts";
export type { CloseCause, EndCause, GatewayPhase, GatewayTrigger, StateEndCause } from "./transitions.ts";
export type { GatewayUrlErrorCode, TransportCompression } from "./url.ts";
export type { Verdict, VerdictInput } from "./verdict.ts";

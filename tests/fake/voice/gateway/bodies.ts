/** Bodies of what a client sends to the voice gateway, read and checked; a fault costs a close code. */

import { VoiceCloseCode } from "../../../../voice/wire/close_code.ts";
import type { Refusal } from "../../gateway/identify_check.ts";
import { isInteger, isObject, isSnowflake } from "../../base/json.ts";

/** Op 0. */
export interface VoiceIdentifyBody {
  readonly serverId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly token: string;
  readonly maxDaveVersion: number;
}

/** Op 7. */
export interface VoiceResumeBody {
  readonly serverId: string;
  readonly sessionId: string;
  readonly token: string;
  readonly sequence: number;
}

/** Op 1. */
export interface SelectProtocolBody {
  readonly address: string;
  readonly port: number;
  readonly mode: string;
}

function badRequest(rule: string): Refusal {
  return { code: VoiceCloseCode.BadRequest, rule };
}

/** Reads op 0. */
export function readVoiceIdentify(d: unknown): VoiceIdentifyBody | Refusal {
  if (!isObject(d)) return badRequest("an identify has a body");
  const { server_id: serverId, user_id: userId, session_id: sessionId, token } = d;
  if (!isSnowflake(serverId) || !isSnowflake(userId)) {
    return badRequest("an identify names server_id and user_id");
  }
  if (typeof sessionId !== "string" || typeof token !== "string") {
    return badRequest("an identify has a session_id and a token");
  }
  const version = d.max_dave_protocol_version ?? 0;
  if (!isInteger(version, 0)) return badRequest("max_dave_protocol_version is an integer");
  return { serverId, userId, sessionId, token, maxDaveVersion: version };
}

/** Reads op 7. */
export function readVoiceResume(d: unknown): VoiceResumeBody | Refusal {
  if (!isObject(d)) return badRequest("a resume has a body");
  const { server_id: serverId, session_id: sessionId, token } = d;
  if (!isSnowflake(serverId) || typeof sessionId !== "string" || typeof token !== "string") {
    return badRequest("a resume has a server_id, a session_id and a token");
  }
  const sequence = d.seq_ack ?? -1;
  if (!isInteger(sequence, -1, 0xffff)) {
    return badRequest("seq_ack is the last sequence number received, or -1");
  }
  return { serverId, sessionId, token, sequence };
}

/** Reads op 1. */
export function readSelectProtocol(d: unknown, offered: readonly string[]): SelectProtocolBody | Refusal {
  if (!isObject(d) || !isObject(d.data)) return badRequest("a select protocol has data");
  if (d.protocol !== "udp") return { code: VoiceCloseCode.UnknownProtocol, rule: "the protocol is udp" };
  const { address, port, mode } = d.data;
  if (typeof address !== "string" || !isInteger(port, 1, 0xffff)) {
    return badRequest("a select protocol has an address and a port");
  }
  if (typeof mode !== "string" || !offered.includes(mode)) {
    return {
      code: VoiceCloseCode.UnknownEncryptionMode,
      rule: `the mode is one that READY offered: ${mode}`,
    };
  }
  return { address, port, mode };
}

/** Reads op 3: the nonce and the sequence number. */
export function readVoiceHeartbeat(d: unknown): { nonce: number; sequence: number } | Refusal {
  if (!isObject(d) || !isInteger(d.t, Number.MIN_SAFE_INTEGER)) {
    return badRequest("a heartbeat is { t, seq_ack } since version 8");
  }
  const sequence = d.seq_ack ?? -1;
  if (!isInteger(sequence, -1, 0xffff)) {
    return badRequest("seq_ack is the last sequence number received, or -1");
  }
  return { nonce: d.t, sequence };
}

/** Reads op 5: the bits. */
export function readSpeaking(d: unknown, ssrc: number): { speaking: number } | Refusal {
  if (!isObject(d) || !isInteger(d.speaking, 0, 7)) {
    return badRequest("speaking is made of the bits 1, 2 and 4");
  }
  if (d.delay !== undefined && !isInteger(d.delay, 0)) return badRequest("delay is an integer");
  return d.ssrc === ssrc ? { speaking: d.speaking } : badRequest("op 5 names the SSRC of READY");
}

/** Reads op 23 and op 31: the transition. */
export function readTransition(d: unknown): { transitionId: number } | Refusal {
  if (!isObject(d) || !isInteger(d.transition_id, 0, 0xffff)) return badRequest("transition_id has 16 bits");
  return { transitionId: d.transition_id };
}

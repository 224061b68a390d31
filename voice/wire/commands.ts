/** What a client says on the voice gateway, but for what the end-to-end encryption has to say. */

import { VoiceOpcode } from "./opcode.ts";
import type { EncryptionMode, VoiceIdentify, VoiceResume } from "./payload.ts";
import type { VoiceOutput, VoiceSendPurpose, VoiceServer } from "../gateway/state_io.ts";

/** Op 0: begins a session. */
export function identify(server: VoiceServer, maxDaveVersion: number): VoiceOutput {
  const { guildId, userId, sessionId, token } = server;
  const data: VoiceIdentify = {
    server_id: guildId,
    user_id: userId,
    session_id: sessionId,
    token,
    max_dave_protocol_version: maxDaveVersion,
  };
  return send(VoiceOpcode.Identify, data, "identify");
}

/** Op 7: goes on with a session. */
export function resume({ guildId, sessionId, token }: VoiceServer, sequence: number): VoiceOutput {
  const data: VoiceResume = { server_id: guildId, session_id: sessionId, token, seq_ack: sequence };
  return send(VoiceOpcode.Resume, data, "resume");
}

/** Op 1: where media comes from, and how it is encrypted. */
export function selectProtocol(
  { address, port }: { readonly address: string; readonly port: number },
  mode: EncryptionMode,
): VoiceOutput {
  const data = { address, port, mode };
  return send(VoiceOpcode.SelectProtocol, { protocol: "udp", data }, "select_protocol");
}

/** Op 3: a sign of life, with a number to know its acknowledgement by. */
export function heartbeat(nonce: number, sequence: number): VoiceOutput {
  return send(VoiceOpcode.Heartbeat, { t: nonce, seq_ack: sequence }, "heartbeat");
}

/** Op 5: how this client speaks, in bits. */
export function speaking(bits: number, ssrc: number): string {
  return JSON.stringify({ op: VoiceOpcode.Speaking, d: { speaking: bits, delay: 0, ssrc } });
}

function send(op: number, d: unknown, what: VoiceSendPurpose): VoiceOutput {
  return { type: "send", frame: JSON.stringify({ op, d }), what };
}

/** The messages that a client sends on the voice gateway, except those of the end-to-end encryption. */

import { VoiceOpcode } from "./opcode.ts";
import type {
  EncryptionMode,
  VoiceIdentify,
  VoiceResume,
  VoiceSend,
  VoiceSendPurpose,
  VoiceServer,
} from "./payload.ts";

/** Op 0: begins a session. */
export function identify(server: VoiceServer, maxDaveVersion: number): VoiceSend {
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

/** Op 7: continues a session. */
export function resume({ guildId, sessionId, token }: VoiceServer, sequence: number): VoiceSend {
  const data: VoiceResume = { server_id: guildId, session_id: sessionId, token, seq_ack: sequence };
  return send(VoiceOpcode.Resume, data, "resume");
}

/** Op 1: where media comes from, and how it is encrypted. */
export function selectProtocol(
  { address, port }: { readonly address: string; readonly port: number },
  mode: EncryptionMode,
): VoiceSend {
  const data = { address, port, mode };
  return send(VoiceOpcode.SelectProtocol, { protocol: "udp", data }, "select_protocol");
}

/** Op 3: with a number that its acknowledgement repeats. */
export function heartbeat(nonce: number, sequence: number): VoiceSend {
  return send(VoiceOpcode.Heartbeat, { t: nonce, seq_ack: sequence }, "heartbeat");
}

/** Op 5: how this client speaks, in bits. */
export function speaking(bits: number, ssrc: number): string {
  return JSON.stringify({ op: VoiceOpcode.Speaking, d: { speaking: bits, delay: 0, ssrc } });
}

function send(op: number, d: unknown, what: VoiceSendPurpose): VoiceSend {
  return { type: "send", frame: JSON.stringify({ op, d }), what };
}

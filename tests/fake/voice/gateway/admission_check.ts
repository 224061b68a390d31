/** Whether an identify or a resume is made by whom the token was made for; costs a close code if not. */

import { VoiceCloseCode } from "../../../../voice/wire/close_code.ts";
import type { Refusal } from "../../gateway/identify_check.ts";
import type { VoiceAdmission } from "./registry.ts";

/** The refusal of a token that nobody has been given. */
export const UNKNOWN_TOKEN: Refusal = {
  code: VoiceCloseCode.AuthenticationFailed,
  rule: "the token is that of VOICE_SERVER_UPDATE",
};

/** What a client says of itself, and where it says so. */
export interface Claim {
  /** The URL that it dialled. */
  readonly url: string;
  /** The guild. */
  readonly serverId: string;
  /** The voice session's id. */
  readonly sessionId: string;
}

/** What an admission is checked against. */
export interface AdmissionRules {
  /** Whether there is such a guild. */
  readonly hasGuild: (guildId: string) => boolean;
  /** How long a session outlives its connection, in ms. */
  readonly sessionTimeoutMs: number;
}

/** What is wrong with a claim; `null` if nothing is. */
export function claimFault(
  admission: VoiceAdmission | undefined,
  { url, serverId, sessionId }: Claim,
  { hasGuild, sessionTimeoutMs }: AdmissionRules,
): Refusal | null {
  if (!hasGuild(serverId)) {
    return { code: VoiceCloseCode.ServerNotFound, rule: `server_id is a guild: ${serverId}` };
  }
  if (!admission) return UNKNOWN_TOKEN;
  const { credentials, over } = admission;
  if (over === "timed out") {
    return {
      code: VoiceCloseCode.SessionTimeout,
      rule: `a session is resumed within ${sessionTimeoutMs} ms`,
    };
  }
  if (over !== null) {
    return { code: VoiceCloseCode.SessionNoLongerValid, rule: `a token ends with its admission: ${over}` };
  }
  if (credentials.guildId !== serverId) return otherSession("server_id");
  if (credentials.sessionId !== sessionId) return otherSession("session_id");
  const { host } = new URL(url);
  return host === new URL(`wss://${credentials.endpoint}`).host || host === credentials.endpoint
    ? null
    : otherSession("endpoint, with its port,");
}

/** The refusal of a claim that belongs to another join. */
export function otherSession(what: string): Refusal {
  return {
    code: VoiceCloseCode.SessionNoLongerValid,
    rule: `${what} belongs to the same join as the token`,
  };
}

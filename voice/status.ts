/** What a voice connection is doing, as one discriminated union. */

import type { VoiceEndCause, VoicePhase } from "./gateway/transitions.ts";
import type { VoiceVerdictAction } from "./wire/close_code.ts";

/** The main gateway is asked for a voice server, or is about to name another. */
export interface VoiceJoining {
  /** The discriminant. */
  readonly state: "joining";
}

/** Opening a connection to the voice gateway. */
export interface VoiceDialing {
  /** The discriminant. */
  readonly state: "dialing";
  /** The URL dialled; there is no secret in it. */
  readonly url: string;
  /** What the connection is for. */
  readonly action: "identify" | "resume";
}

/** Connected; the state says how far the session is. */
export interface VoiceConnected {
  /** The discriminant. */
  readonly state: Exclude<VoicePhase, "closed">;
}

/** Between two connections, or between two sessions. */
export interface VoiceDisconnected {
  /** The discriminant. */
  readonly state: "disconnected";
  /** Why the connection ended. */
  readonly cause: VoiceEndCause;
  /** The same in a sentence. */
  readonly why: string;
  /** Discord's close code, where one came. */
  readonly closeCode: number | null;
  /** What went wrong, where something threw. */
  readonly error: Error | null;
  /** What follows. */
  readonly action: VoiceVerdictAction;
  /** How long to wait first, in ms. */
  readonly delayMs: number;
}

/** Over for good. */
export interface VoiceClosed {
  /** The discriminant. */
  readonly state: "closed";
  /** Why, unless the program left. */
  readonly error: Error | null;
}

/** What a voice connection is doing. */
export type VoiceStatus = VoiceJoining | VoiceDialing | VoiceConnected | VoiceDisconnected | VoiceClosed;

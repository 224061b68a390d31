/** What comes out of the DAVE machine, as types alone. */

import type { VoiceRoster } from "../wire/roster.ts";
import type { DaveProvider } from "./provider.ts";

/** The phase of the end-to-end encryption, seen from the sender. */
export type DavePhase =
  /** The call has no end-to-end encryption: frames are sent as they are. */
  | "plain"
  /** The call is encrypted and this client has no keys yet: nothing is sent. */
  | "joining"
  /** The call is encrypted, and frames are sent encrypted. */
  | "secured";

/** What an input of the DAVE machine asks the caller to do, in order. */
export type DaveOutput =
  /** Write this message now, text or binary. */
  | DaveSend
  /** Deliver this event to the user. */
  | { readonly type: "event"; readonly event: DaveEvent };

/** A message of the DAVE machine to the voice server. */
export interface DaveSend {
  /** Tells it from other outputs. */
  readonly type: "send";
  /** What to write, text or binary. */
  readonly frame: string | Uint8Array<ArrayBuffer>;
  /** Its opcode. */
  readonly op: 23 | 26 | 28 | 31;
  /** The transition that it is about; `null` if none. */
  readonly transitionId: number | null;
}

/** What happens to the end-to-end encryption of a call. */
export type DaveEvent =
  /** The sender's phase has changed. */
  | { readonly type: "dave_phase"; readonly phase: DavePhase; readonly version: number }
  /** The group has a new epoch, and with it a new code to compare; its members may have changed. */
  | { readonly type: "dave_epoch"; readonly epoch: bigint | null; readonly privacyCode: string }
  /** This client could not follow the group, and has asked to be added again. */
  | { readonly type: "dave_recovery"; readonly transitionId: number; readonly error: Error }
  /** The library rejected proposals of the server: they are damaged, or add a user who is not in the call. */
  | { readonly type: "dave_refused"; readonly error: Error };

/** Why a received frame was dropped. */
export type DaveDropReason =
  /** It is not encrypted, though the call is. */
  | "plain"
  /** There are no keys of its sender. */
  | "unknown_sender"
  /** It did not decrypt. */
  | "undecryptable";

/** What became of a received frame. */
export type DaveReceived =
  | { readonly frame: Uint8Array; readonly dropped: null }
  | { readonly frame: null; readonly dropped: DaveDropReason };

/** Counts of frames. */
export interface DaveCounters {
  /** Frames encrypted. */
  readonly encrypted: number;
  /** Frames not sent because there were no keys. */
  readonly held: number;
  /** Frames decrypted. */
  readonly decrypted: number;
  /** Frames passed on as they were: silence, or frames while the call was not encrypted. */
  readonly passed: number;
  /** Frames dropped, by reason. */
  readonly dropped: { readonly [Reason in DaveDropReason]: number };
}

/** What a machine is made from. */
export interface DaveOptions {
  /** Makes sessions; `null` announces version 0. */
  readonly provider: DaveProvider | null;
  /** The bot's user id. */
  readonly userId: string;
  /** The voice channel's id. */
  readonly channelId: string;
  /** Who is in the call. */
  readonly roster: VoiceRoster;
}

/** What goes into a voice state and what comes out of it, as types alone. */

import type { Ended } from "../../gateway/errors.ts";
import type { CloseOutput } from "../../gateway/machine.ts";
import type { Dave } from "../dave/dave.ts";
import type { DaveEvent, DaveSend } from "../dave/io.ts";
import type { DaveProvider } from "../dave/provider.ts";
import type { CallEvent, EncryptionMode, MediaServer, VoiceSend, VoiceServer } from "../wire/payload.ts";
import type { VoiceRoster } from "../wire/roster.ts";
import type { VoicePhase, VoiceStateEndCause } from "./transitions.ts";

/** What a voice state is made from. */
export interface VoiceStateOptions {
  /** Where it is connected to. */
  readonly server: VoiceServer;
  /** When the connection opened, in ms on the clock of all later inputs. */
  readonly now: number;
  /** The session to resume, `end.session` of the state before; without one the state identifies. */
  readonly session?: VoiceSession | null;
  /** Makes end-to-end encryption. Without it the state announces version 0, which all but stage channels refuse (4017). */
  readonly dave?: DaveProvider | null;
  /**
   * The transport encryptions that the caller speaks, the best first.
   *
   * @default {["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"]}
   */
  readonly modes?: readonly EncryptionMode[];
  /**
   * How long to wait for HELLO, in ms.
   *
   * @default {20_000}
   */
  readonly helloTimeoutMs?: number;
  /**
   * How long to wait for READY, in ms.
   *
   * @default {20_000}
   */
  readonly readyTimeoutMs?: number;
  /**
   * How long to wait for SESSION_DESCRIPTION, in ms.
   *
   * @default {20_000}
   */
  readonly descriptionTimeoutMs?: number;
  /**
   * How long a replay may go on without a numbered message before RESUMED is given up, in ms.
   *
   * @default {20_000}
   */
  readonly resumedTimeoutMs?: number;
}

/**
 * A voice session that can be resumed: what outlives the connection. It lives as long as the process, for the keys of a
 * DAVE group can be stored nowhere.
 */
export interface VoiceSession {
  /** The last sequence number received, -1 before the first. */
  readonly sequence: number;
  /** This client's RTP source. */
  readonly ssrc: number;
  /** Who is in the call. */
  readonly roster: VoiceRoster;
  /** The end-to-end encryption. */
  readonly dave: Dave;
  /** Its messages that no acknowledged heartbeat has followed: they may be lost. A resume sends those still due again. */
  readonly unconfirmed: readonly DaveSend[];
}

/** What an input asks the caller to do, in order. */
export type VoiceOutput =
  /** Write this message now, text or binary. Should it fail, call `writeFailed`. */
  | VoiceSend
  /** Find out under which address media comes from here; then call `selectProtocol`, or `mediaFailed`. */
  | { readonly type: "discover"; readonly media: MediaServer }
  /** Encrypt media with this key. Hand it to the cipher and forget it; a resume keeps the cipher. */
  | { readonly type: "key"; readonly mode: EncryptionMode; readonly key: Uint8Array<ArrayBuffer> }
  /** Hand this event to the user. */
  | { readonly type: "event"; readonly event: VoiceEvent }
  /** Close the socket and abandon it; the state has ended. */
  | CloseOutput;

/** What happens in a call. */
export type VoiceEvent =
  /** The session is usable: it has its description, or it is resumed. */
  | { readonly type: "live"; readonly resumed: boolean; readonly daveVersion: number }
  | CallEvent
  | DaveEvent;

/** How and why a voice state ended. */
export interface VoiceEnd extends Ended {
  /** The cause, a row of the verdict table. */
  readonly cause: VoiceStateEndCause;
  /** The phase that it ended. */
  readonly phase: Exclude<VoicePhase, "closed">;
  /** The session, with the last sequence received; `null` before its description. */
  readonly session: VoiceSession | null;
  /** The connection was live and a heartbeat was acknowledged after that: the backoff may start anew. */
  readonly proven: boolean;
}

/** The instant at which the state wants to be called with `tick`, and why. */
export interface VoiceDeadline {
  /** In ms; `Infinity` after the end. */
  readonly at: number;
  /** What falls due. */
  readonly reason:
    | "hello"
    | "ready"
    | "session_description"
    | "resumed"
    | "heartbeat"
    | "dave_recovery"
    | "none";
}

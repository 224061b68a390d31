/** What goes into a voice state and what comes out of it, as types alone. */

import type { Dave } from "../dave/dave.ts";
import type { DaveEvent, DaveSend } from "../dave/io.ts";
import type { DaveProvider } from "../dave/provider.ts";
import type { EncryptionMode } from "../wire/payload.ts";
import type { VoiceRoster } from "../wire/roster.ts";
import type { VoicePhase, VoiceStateEndCause } from "./transitions.ts";

/** Where to connect and as whom: what VOICE_STATE_UPDATE and VOICE_SERVER_UPDATE say together. */
export interface VoiceServer {
  /** Host and port, without a scheme. The port is part of it: without it the server answers 4006. */
  readonly endpoint: string;
  /** The voice server's token for this session. Shows in no error and no inspection of a state. */
  readonly token: string;
  /** The voice session's id. */
  readonly sessionId: string;
  /** The guild's id. */
  readonly guildId: string;
  /** The channel's id. */
  readonly channelId: string;
  /** The bot's user id. */
  readonly userId: string;
}

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

/** Where media goes to, from READY. */
export interface MediaServer {
  /** This client's RTP source. */
  readonly ssrc: number;
  /** The UDP server's address. */
  readonly ip: string;
  /** The UDP server's port. */
  readonly port: number;
  /** The encryption mode that was chosen. */
  readonly mode: EncryptionMode;
}

/** What an input asks the caller to do, in order. */
export type VoiceOutput =
  /** Write this message now, text or binary. Should it fail, call `writeFailed`. */
  | {
    readonly type: "send";
    readonly frame: string | Uint8Array<ArrayBuffer>;
    readonly what: VoiceSendPurpose;
  }
  /** Find out under which address media comes from here; then call `selectProtocol`, or `mediaFailed`. */
  | { readonly type: "discover"; readonly media: MediaServer }
  /** Encrypt media with this key. Hand it to the cipher and forget it; a resume keeps the cipher. */
  | { readonly type: "key"; readonly mode: EncryptionMode; readonly key: Uint8Array<ArrayBuffer> }
  /** Hand this event to the user. */
  | { readonly type: "event"; readonly event: VoiceEvent }
  /** Close the socket with this code and abandon it; the state has ended. */
  | { readonly type: "close"; readonly code: number; readonly reason: string };

/** What a message that goes out is for. */
export type VoiceSendPurpose = "heartbeat" | "identify" | "resume" | "select_protocol" | "dave";

/** What happens in a call. */
export type VoiceEvent =
  /** The session is usable: it has its description, or it is resumed. */
  | { readonly type: "live"; readonly resumed: boolean; readonly daveVersion: number }
  /** Users are in the call, or have come. */
  | { readonly type: "connected"; readonly userIds: readonly string[] }
  /** A user has left. */
  | { readonly type: "disconnected"; readonly userId: string }
  /** A user starts to speak, falls silent, or changes how. */
  | { readonly type: "speaking"; readonly userId: string; readonly ssrc: number; readonly speaking: number }
  | DaveEvent;

/** How and why a voice state ended. */
export interface VoiceEnd {
  /** The cause, a row of the verdict table. */
  readonly cause: VoiceStateEndCause;
  /** The phase that it ended. */
  readonly phase: Exclude<VoicePhase, "closed">;
  /** The session, with the last sequence received; `null` unless it has got as far as its description. */
  readonly session: VoiceSession | null;
  /** Discord's close code, where one came. */
  readonly closeCode: number | null;
  /** Discord's close reason, often empty. */
  readonly reason: string;
  /** The connection was live and a heartbeat was acknowledged after that: the backoff may start anew. */
  readonly proven: boolean;
  /** What went wrong, where something threw. */
  readonly error: Error | null;
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

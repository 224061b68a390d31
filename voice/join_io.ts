/** What goes into a join and what comes out of it, as types alone. */

import type { VoiceStateUpdate } from "../gateway/payload.ts";
import type { VoiceServer } from "./wire/payload.ts";

/** What is read of a VOICE_STATE_UPDATE. */
export interface VoiceStateEvent {
  /** The guild's id; missing in a direct call. */
  readonly guild_id?: string;
  /** The channel's id, `null` when the user has left. */
  readonly channel_id: string | null;
  /** The user's id. */
  readonly user_id: string;
  /** The voice session's id. */
  readonly session_id: string;
}

/** What is read of a VOICE_SERVER_UPDATE. */
export interface VoiceServerEvent {
  /** The guild's id. */
  readonly guild_id: string;
  /** The voice server's token. */
  readonly token: string;
  /** Host and port; `null` while no server is allocated. */
  readonly endpoint: string | null;
}

/** What a join is made from. */
export interface VoiceJoinOptions {
  /** The guild's id. */
  readonly guildId: string;
  /** The channel to join. */
  readonly channelId: string;
  /** The bot's user id. */
  readonly userId: string;
  /** The present, in ms on the clock of all later inputs. */
  readonly now: number;
  /**
   * Whether the bot mutes itself.
   *
   * @default {false}
   */
  readonly selfMute?: boolean;
  /**
   * Whether the bot deafens itself.
   *
   * @default {false}
   */
  readonly selfDeaf?: boolean;
  /**
   * How long the main gateway may take to respond to op 4, in ms. For a full channel there is no response.
   *
   * @default {15_000}
   */
  readonly timeoutMs?: number;
}

/** Where a join stands. */
export type VoiceJoinPhase =
  /** Op 4 went out, or one of the two events is missing. */
  | "waiting"
  /** In the channel, but Discord has no server for it. */
  | "no_server"
  /** A pair was given to the voice connection. */
  | "connected"
  /** The voice server closed the connection, or the bot is reported to be in no channel; what follows is not known yet. */
  | "in_doubt"
  /** The voice connection has ended. */
  | "ended";

/** What an input asks the caller to do, in order. */
export type VoiceJoinOutput =
  /** Send this op 4 through the guild's shard. */
  | { readonly type: "command"; readonly command: { readonly op: 4; readonly d: VoiceStateUpdate } }
  /** Begin a new voice session there; it replaces the present one. */
  | { readonly type: "connect"; readonly server: VoiceServer }
  /** Close the voice connection: its server is gone. Another `connect` may follow. */
  | { readonly type: "disconnect" }
  /** The main gateway did not respond to a move: the voice connection goes on in the channel before. */
  | { readonly type: "not_moved"; readonly channelId: string }
  /** The voice connection has ended: close it for good. */
  | { readonly type: "end"; readonly end: VoiceJoinEnd };

/** Why a voice connection has ended. */
export type VoiceJoinEndCause =
  /** The program left. */
  | "left"
  /** A user disconnected the bot, or deleted the channel. */
  | "kicked"
  /** The main gateway did not respond: the channel is full, closed to the bot, or gone. */
  | "timeout"
  /** The voice server ended the session, and the main gateway named no other. */
  | "disconnected"
  /** Nothing can follow: the voice verdict was to stop. */
  | "stopped";

/** How a voice connection ended. */
export interface VoiceJoinEnd {
  /** The cause. */
  readonly cause: VoiceJoinEndCause;
  /** The channel that the bot was in, `null` if it never was. */
  readonly channelId: string | null;
}

/** When a join wants to be called with `tick`, and why. */
export interface VoiceJoinDeadline {
  /** In ms; `Infinity` while there is nothing to wait for. */
  readonly at: number;
  /** What falls due. */
  readonly reason: "response" | "move" | "pair" | "gateway" | "none";
}

/** What the bot's last VOICE_STATE_UPDATE said. */
export interface KnownState {
  /** The channel. */
  readonly channelId: string;
  /** The voice session. */
  readonly sessionId: string;
}

/** What the last VOICE_SERVER_UPDATE said, and when. */
export interface KnownServer {
  /** Host and port. */
  readonly endpoint: string;
  /** The voice server's token. */
  readonly token: string;
  /** When it came, in ms. */
  readonly at: number;
}

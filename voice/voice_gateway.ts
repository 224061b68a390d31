/**
 * What voice needs of the main gateway, and nothing else of it. A shard fits, and so does an object that passes these
 * messages on from another process.
 */

import type { VoiceStateUpdate } from "../gateway/payload.ts";
import type { VoiceServerEvent, VoiceStateEvent } from "./join_io.ts";

/** What is sent to the main gateway. */
export interface VoiceCommand {
  /** Update voice state. */
  readonly op: 4;
  /** Which channel. */
  readonly d: VoiceStateUpdate;
}

/** What is received from the main gateway. */
export type VoiceGatewayEvent =
  | { readonly t: "READY" | "RESUMED" }
  | { readonly t: "VOICE_STATE_UPDATE"; readonly d: VoiceStateEvent }
  | { readonly t: "VOICE_SERVER_UPDATE"; readonly d: VoiceServerEvent };

/** A main gateway as voice sees it. */
export interface VoiceGateway {
  /** The bot's user id, where it is known. */
  readonly userId?: string | null;
  /** The intents of its session, where they are known. */
  readonly intents?: number;
  /** What it is doing, where that is known: it can report what becomes of a voice session only while it is `live`. */
  readonly status?: { readonly state: string };
  /** Sends a command on the connection that the guild belongs to; rejects if it cannot be sent. */
  send(command: VoiceCommand, options?: { readonly signal?: AbortSignal }): Promise<unknown>;
  /** Calls back with events as they come in; returns a function that stops that. */
  listen(
    names: readonly VoiceGatewayEvent["t"][],
    listener: (event: VoiceGatewayEvent) => void,
  ): () => void;
}

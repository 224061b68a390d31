/**
 * The way into voice, as a shard and a fleet know it: an interface, so that a bot without voice carries nothing of it.
 *
 * `voice()` of `./voice` makes one. What it is given of the main gateway is what a voice connection needs for one guild.
 */

import { MissingOptionError } from "./commands/errors.ts";
import type { GatewayDispatch, VoiceStateUpdate } from "../gateway/mod.ts";

/** Joins voice channels for whoever it is given to; made by `voice()` of `./voice`. */
export interface VoiceProvider<Options = never, Connection = unknown> {
  /** Joins; rejects where that cannot be. */
  join(gateway: GuildGateway, place: VoiceTarget, options?: Options): Promise<Connection>;
}

/** Where to join. */
export interface VoiceTarget {
  /** The guild's id. */
  readonly guildId: string;
  /** The voice channel's id. */
  readonly channelId: string;
}

/** What a voice connection hears of the main gateway. */
export type GuildGatewayEvent =
  /** A new session, which is in no voice channel; or the old one goes on. */
  | { readonly t: "READY" | "RESUMED" }
  | GatewayDispatch<"VOICE_STATE_UPDATE">
  | GatewayDispatch<"VOICE_SERVER_UPDATE">;

/** The main gateway as a voice connection of one guild sees it: a shard is one. */
export interface GuildGateway {
  /** The bot's user id; `null` if it is not known. */
  readonly userId: string | null;
  /** The intents of its session. */
  readonly intents: number;
  /** What it is doing. */
  readonly status: { readonly state: string };
  /** Sends op 4. */
  send(
    command: { readonly op: 4; readonly d: VoiceStateUpdate },
    options?: { readonly signal?: AbortSignal },
  ): Promise<unknown>;
  /** Hears events as they come in; returns how to stop that. */
  listen(
    names: readonly GuildGatewayEvent["t"][],
    listener: (event: GuildGatewayEvent) => void,
  ): () => void;
}

/**
 * The voice provider, where there is one.
 *
 * @throws {MissingOptionError} The shard or the fleet was made without it.
 */
export function requireVoice<Voice>(voice: Voice | undefined): Voice {
  if (voice) return voice;
  throw new MissingOptionError(
    'Cannot join voice: import { voice } from "@discordgateway/edge/voice", and give the option voice: voice()',
    "voice",
  );
}

/**
 * The voice provider, as a shard and a fleet use it: an interface, so that a bot without voice bundles no voice code.
 *
 * `voice()` of `./voice` makes one. It gets the part of the main gateway that a voice connection needs for one guild.
 */

import { MissingOptionError } from "./commands/errors.ts";
import type { GatewayDispatch, VoiceStateUpdate } from "../gateway/mod.ts";

/** Joins voice channels for a shard or a fleet; made by `voice()` of `./voice`. */
export interface VoiceProvider<Options = never, Connection = unknown> {
  /** Joins a channel; rejects if that fails. */
  join(gateway: GuildGateway, target: VoiceTarget, options?: Options): Promise<Connection>;
}

/** Where to join. */
export interface VoiceTarget {
  /** The guild's id. */
  readonly guildId: string;
  /** The voice channel's id. */
  readonly channelId: string;
}

/** The events of the main gateway that a voice connection needs. */
export type GuildGatewayEvent =
  /** A new session, which is in no voice channel; or a resumed one. */
  | { readonly t: "READY" | "RESUMED" }
  | GatewayDispatch<"VOICE_STATE_UPDATE">
  | GatewayDispatch<"VOICE_SERVER_UPDATE">;

/** The main gateway as a voice connection of one guild uses it: a shard is one. */
export interface GuildGateway {
  /** The bot's user id; `null` if it is not known. */
  readonly userId: string | null;
  /** The intents of its session. */
  readonly intents: number;
  /** Its status. */
  readonly status: { readonly state: string };
  /** Sends op 4. */
  send(
    command: { readonly op: 4; readonly d: VoiceStateUpdate },
    options?: { readonly signal?: AbortSignal },
  ): Promise<unknown>;
  /** Listens to events as they come in; returns the function that stops it. */
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

/** What the fake Discord's voice side is made from and asked for, as types alone. */

import type { Platform } from "../../../shard/pipe/platform.ts";
import type { VoiceStates } from "../world/voice_states.ts";
import type { World } from "../world/world.ts";

/** What a `FakeVoice` is made from; everything has a default. */
export interface FakeVoiceOptions {
  /** What HELLO says, in ms. @default {13_750} */
  readonly heartbeatInterval?: number;
  /** How long a session outlives its connection, in ms. @default {60_000} */
  readonly sessionTimeoutMs?: number;
  /** How many messages are kept per session for a resume. @default {500} */
  readonly replayLimit?: number;
  /** The number of a session's first numbered message, of 16 bits. @default {1} */
  readonly firstSequence?: number;
  /** How long a transition of the encryption waits for its confirmations, in ms. @default {5_000} */
  readonly transitionTimeoutMs?: number;
  /** The names of the voice servers; a guild starts on the first. @default {["rotterdam", "frankfurt"]} */
  readonly regions?: readonly string[];
  /** The seed of what befalls datagrams. @default {1} */
  readonly seed?: number;
}

/** Where voice listens. */
export interface VoiceListenOptions {
  /** The address. @default {"127.0.0.1"} */
  readonly hostname?: string;
  /** With a certificate the voice gateway speaks TLS, as clients expect it that dial `wss://`. */
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** Whom to let into which channel. */
export interface VoiceJoinRequest {
  /** The channel; the guild's first voice channel by default. */
  readonly channelId?: string;
  /** The guild; the first one by default. */
  readonly guildId?: string;
}

/** A call as a test sees it. */
export interface FakeVoiceCall {
  /** The users who have identified, in the order of their coming. */
  readonly userIds: readonly string[];
  /** The DAVE version that media is sent with. */
  readonly daveVersion: number;
  /** The epoch of the MLS group; 0 without one. */
  readonly daveEpoch: number;
  /** The users in the MLS group. */
  readonly daveMembers: readonly string[];
  /** DAVE transitions that wait for their execution. */
  readonly pendingTransitions: number;
}

/** What the voice side needs of the Discord around it. */
export interface VoiceEnvironment {
  /** Time, timers and randomness. */
  readonly clock: Platform;
  /** Makes time stand still until something is done. */
  readonly hold: (work: Promise<void>) => void;
  /** What exists. */
  readonly world: World;
  /** Who is in which channel. */
  readonly states: VoiceStates;
  /** Hands an event to the bot's sessions. */
  readonly dispatch: (name: string, data: unknown) => void;
}

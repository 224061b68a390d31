/** What a session at a voice server is made from, and how it ends, as types alone. */

import type { Backoff } from "../ratelimit/backoff.ts";
import type { Dial } from "../shard/pipe/dial.ts";
import type { Platform } from "../shard/pipe/platform.ts";
import type { VoiceEvent, VoiceStateOptions } from "./gateway/state_io.ts";
import type { VoiceServer } from "./wire/payload.ts";
import type { VoiceEndCause } from "./gateway/transitions.ts";
import type { VoiceVerdictAction } from "./wire/close_code.ts";
import type { OpenUdp } from "./media/datagram.ts";
import type { DiscoveryTimes } from "./media/media.ts";
import type { MediaPacket } from "./media/receiver.ts";
import type { createTransportCipher } from "./media/transport_encryption.ts";
import type { VoiceStatus } from "./status.ts";

/** What a session is made from, and its callbacks. */
export interface ServerSessionOptions {
  /** Where to connect, and as whom. */
  readonly server: VoiceServer;
  /** The other options of every state. */
  readonly state: Omit<VoiceStateOptions, "server" | "now" | "session">;
  /** Opens connections. */
  readonly dial: Dial;
  /** How long a handshake may take, in ms. */
  readonly dialDeadlineMs?: number;
  /** Opens the socket for media; `null` = there will be no media. */
  readonly openUdp: OpenUdp | null;
  /** How long the discovery of the address may take. */
  readonly discovery: DiscoveryTimes;
  /** Makes the cipher of the session's key. */
  readonly createCipher: typeof createTransportCipher;
  /** Clock, timers and randomness. */
  readonly platform: Platform;
  /** Waits between attempts; shared with the sessions before. */
  readonly backoff: Backoff;
  /** The status has changed. */
  onStatus(status: VoiceStatus): void;
  /** What happens in the call. */
  onEvent(event: VoiceEvent): void;
  /** A packet of sound came. */
  onPacket(packet: MediaPacket): void;
  /** Whether frames can be sent may have changed. */
  onChange(): void;
}

/** How a session ended by itself. */
export interface ServerSessionEnd {
  /** What follows. */
  readonly action: Exclude<VoiceVerdictAction, "resume">;
  /** Why. */
  readonly cause: VoiceEndCause;
  /** The same in a sentence. */
  readonly why: string;
  /** Discord's close code, where one came. */
  readonly closeCode: number | null;
  /** What went wrong, where something threw. */
  readonly error: Error | null;
  /** How long to wait before what follows, in ms. */
  readonly delayMs: number;
}

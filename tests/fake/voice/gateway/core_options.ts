/** What the voice gateway's core is made from, as types alone. */

import type { Journal } from "../../base/journal.ts";
import type { VoiceCall } from "./call.ts";
import type { VoiceFaults } from "./faults.ts";
import type { VoiceAdmission, VoiceRegistry } from "./registry.ts";
import type { DatagramAddress } from "./session.ts";

/** What the core is made from. */
export interface VoiceGatewayCoreOptions {
  /** Everything is written down here. */
  readonly journal: Journal;
  /** What goes wrong. */
  readonly faults: VoiceFaults;
  /** Who may connect. */
  readonly registry: VoiceRegistry;
  /** What HELLO says, in ms. */
  readonly heartbeatInterval: number;
  /** How long a session outlives its connection, in ms. */
  readonly sessionTimeoutMs: number;
  /** How many messages are kept per session. */
  readonly replayLimit: number;
  /** The number of a session's first numbered message. */
  readonly firstSequence: number;
  /** The call of a channel. */
  readonly callOf: (channelId: string) => VoiceCall;
  /** Whether there is such a guild. */
  readonly hasGuild: (guildId: string) => boolean;
  /** Whether a client without DAVE is turned away in this channel. */
  readonly needsDave: (channelId: string) => boolean;
  /** Where the media of an endpoint goes. */
  readonly mediaOf: (endpoint: string) => DatagramAddress;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** A session has timed out: its user is in the channel no more. */
  readonly timedOut: (admission: VoiceAdmission, now: number) => void;
}

/** What a voice connection is made from, and what it reports, as types alone. */

import type { Dial } from "../shard/pipe/dial.ts";
import type { Platform } from "../shard/pipe/platform.ts";
import type { OpenUdp } from "./media/datagram.ts";
import type { DaveCounters } from "./dave/io.ts";
import type { DaveProvider } from "./dave/provider.ts";
import type { DiscoveryTimes } from "./media/media.ts";
import type { EncryptionMode } from "./wire/payload.ts";
import type { MediaCounters } from "./media/receiver.ts";
import type { VoiceEvent } from "./gateway/state_io.ts";
import type { VoiceStatus } from "./status.ts";
import type { createTransportCipher } from "./media/transport_encryption.ts";
import type { VoiceGateway } from "./voice_gateway.ts";

/** What a voice connection is made from besides guild and channel. */
export interface VoiceOptions {
  /** The bot's user id; by default the one that the gateway knows. */
  readonly userId?: string;
  /** Makes end-to-end encryption, such as `daveyProvider()`. Without it only stage channels can be joined (4017). */
  readonly dave?: DaveProvider | null;
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
   * Whether sound can be sent and received. Without it the voice gateway alone is joined, which needs no UDP and
   * reports who is there and who speaks.
   *
   * @default {true}
   */
  readonly media?: boolean;
  /** Cancels the join: the bot leaves, and `joinVoice` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * How long it may take until sound can be sent and received, in ms, over as many attempts as there is time for: then the
   * bot leaves, and `joinVoice` rejects with `VoiceTimeoutError`, which names what was missing. `Infinity` sets no limit.
   * Once joined, a voice connection has no deadline.
   *
   * @default {60_000}
   */
  readonly deadlineMs?: number;
  /**
   * How long the main gateway may take to respond, in ms. For a full channel there is no response.
   *
   * @default {15_000}
   */
  readonly joinTimeoutMs?: number;
  /** Called whenever the status changes. If it throws, the connection closes with that error. */
  readonly onStatus?: (status: VoiceStatus) => void;
  /** Called with what happens in the call. If it throws, the connection closes with that error. */
  readonly onEvent?: (event: VoiceConnectionEvent) => void;
  /** The transport encryptions to use, in order of preference; both by default. */
  readonly modes?: readonly EncryptionMode[];
  /** How long the discovery of this side's address may take. */
  readonly discovery?: DiscoveryTimes;
  /** How long a handshake may take, in ms. */
  readonly dialDeadlineMs?: number;
  /** Opens connections to the voice gateway; a WebSocket by default. */
  readonly dial?: Dial;
  /** Opens sockets for media; the runtime's own by default. */
  readonly openUdp?: OpenUdp;
  /** Clock, timers and randomness; the runtime's by default. */
  readonly platform?: Platform;
}

/** What a voice connection is made from. */
export interface JoinVoiceOptions extends VoiceOptions {
  /** The guild's id. */
  readonly guildId: string;
  /** The voice channel's id. */
  readonly channelId: string;
}

/** What happens in a call. */
export type VoiceConnectionEvent =
  | VoiceEvent
  /** The bot is in another channel than before, because it moved or was moved. */
  | { readonly type: "moved"; readonly channelId: string }
  /** The main gateway did not respond to a move: the voice connection goes on in the channel before. */
  | { readonly type: "not_moved"; readonly channelId: string };

/** Options of `VoiceConnection.play`. */
export interface PlayOptions {
  /** Ends the playing: five frames of silence go out, and `play` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * How long frames may be blocked without a break, in ms, because there is no connection or there are no keys: then `play`
   * rejects with `VoiceTimeoutError`, which names what was missing. `Infinity` waits as long as the voice connection lasts.
   *
   * @default {60_000}
   */
  readonly deadlineMs?: number;
  /**
   * How the bot speaks: 1 microphone, 2 soundshare, 4 priority.
   *
   * @default {1}
   */
  readonly speaking?: number;
}

/** Counts of packets and frames since the present voice session began. */
export interface VoiceCounters {
  /** Packets sent. */
  readonly sent: number;
  /** Packets received, and datagrams dropped; `null` before the session has a key. */
  readonly media: MediaCounters | null;
  /** Frames encrypted and decrypted end to end; `null` before there is a session. */
  readonly dave: DaveCounters | null;
}

/** What a connection is made from, with nothing left out. */
export interface VoiceConnectionSettings {
  /** The user's options. */
  readonly options: JoinVoiceOptions;
  /** The main gateway. */
  readonly gateway: VoiceGateway;
  /** The bot's user id. */
  readonly userId: string;
  /** Opens connections. */
  readonly dial: Dial;
  /** Opens sockets; `null` = no media. */
  readonly openUdp: OpenUdp | null;
  /** Clock, timers and randomness. */
  readonly platform: Platform;
  /** Makes the ciphers of media. */
  readonly createCipher: typeof createTransportCipher;
  /** Called once, when it has ended. */
  onClosed(): void;
}

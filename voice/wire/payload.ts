/** What voice payloads carry, as types alone: bodies as they are read and sent, and what is made of them. */

/** A transport encryption that voice servers still offer. */
export type EncryptionMode = "aead_aes256_gcm_rtpsize" | "aead_xchacha20_poly1305_rtpsize";

/**
 * The `d` of op 0, which starts a new voice session.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#establishing-a-voice-websocket-connection
 */
export interface VoiceIdentify {
  /** The guild's id, or in a direct call the channel's. */
  readonly server_id: string;
  /** The bot's user id. */
  readonly user_id: string;
  /** From the bot's own VOICE_STATE_UPDATE. */
  readonly session_id: string;
  /** From VOICE_SERVER_UPDATE. */
  readonly token: string;
  /** The newest DAVE version that this client speaks, 0 for none. */
  readonly max_dave_protocol_version: number;
}

/**
 * The `d` of op 1, which names the address that media comes from.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#establishing-a-voice-udp-connection
 */
export interface SelectProtocol {
  /** Always UDP. */
  readonly protocol: "udp";
  /** How to reach this client. */
  readonly data: {
    /** The address that the discovery found. */
    readonly address: string;
    /** The port that the discovery found. */
    readonly port: number;
    /** The transport encryption. */
    readonly mode: EncryptionMode;
  };
}

/**
 * The `d` of op 2, as far as it is read. Its `heartbeat_interval` is wrong, says Discord, and not among it.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#establishing-a-voice-websocket-connection
 */
export interface VoiceReady {
  /** This client's RTP source. */
  readonly ssrc: number;
  /** The address of the UDP server. */
  readonly ip: string;
  /** The port of the UDP server. */
  readonly port: number;
  /** The encryption modes that the server offers, those that nobody uses any more among them. */
  readonly modes: readonly string[];
}

/**
 * The `d` of op 3.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#heartbeating
 */
export interface VoiceHeartbeat {
  /** An integer that the acknowledgement carries back. */
  readonly t: number;
  /** The last sequence number received, -1 before the first. */
  readonly seq_ack: number;
}

/**
 * The `d` of op 4, as far as it is read.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#establishing-a-voice-udp-connection
 */
export interface SessionDescription {
  /** The transport encryption. */
  readonly mode: EncryptionMode;
  /** Its key, 32 bytes. */
  readonly secret_key: readonly number[];
  /** The DAVE version of the call, 0 for none. */
  readonly dave_protocol_version: number;
}

/**
 * The `d` of op 5 as it is sent.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#speaking
 */
export interface SpeakingCommand {
  /** Bits: 1 microphone, 2 soundshare, 4 priority. */
  readonly speaking: number;
  /** Always 0 for a bot. */
  readonly delay: number;
  /** This client's RTP source. */
  readonly ssrc: number;
}

/**
 * The `d` of op 5 as it is received.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#speaking
 */
export interface Speaking {
  /** Bits: 1 microphone, 2 soundshare, 4 priority; 0 when the user falls silent. */
  readonly speaking: number;
  /** The user's RTP source. */
  readonly ssrc: number;
  /** The user's id. */
  readonly user_id: string;
}

/**
 * The `d` of op 7, which continues a voice session on a new connection.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#resuming-voice-connection
 */
export interface VoiceResume {
  /** The guild's id, or in a direct call the channel's. */
  readonly server_id: string;
  /** The same as in the identify. */
  readonly session_id: string;
  /** The same as in the identify. */
  readonly token: string;
  /** The last sequence number received, -1 if there was none. */
  readonly seq_ack: number;
}

/**
 * The `d` of op 8.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#heartbeating
 */
export interface VoiceHello {
  /** The voice gateway's version. */
  readonly v: number;
  /** The time between two heartbeats, in ms. */
  readonly heartbeat_interval: number;
}

/** The `d` of op 11: users that are in the call. */
export interface ClientsConnect {
  /** Their ids. */
  readonly user_ids: readonly string[];
}

/** The `d` of op 13: a user who left the call. */
export interface ClientDisconnect {
  /** The user's id. */
  readonly user_id: string;
}

/** The `d` of op 21. */
export interface DavePrepareTransition {
  /** The version to come, 0 for no end-to-end encryption. */
  readonly protocol_version: number;
  /** The transition's number, 0 for one that takes effect at once. */
  readonly transition_id: number;
}

/** The `d` of op 22, and of our op 23 and op 31. */
export interface DaveTransition {
  /** The transition's number. */
  readonly transition_id: number;
}

/** The `d` of op 24. */
export interface DavePrepareEpoch {
  /** The version to come. */
  readonly protocol_version: number;
  /** The epoch to come; 1 means a new group. */
  readonly epoch: number;
}

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

/** What a message that goes out is for. */
export type VoiceSendPurpose = "heartbeat" | "identify" | "resume" | "select_protocol" | "dave";

/** A message to write. */
export interface VoiceSend {
  /** Tells it from other outputs of a state. */
  readonly type: "send";
  /** The message, text or binary. */
  readonly frame: string | Uint8Array<ArrayBuffer>;
  /** What it is for. */
  readonly what: VoiceSendPurpose;
}

/** What the voice server says of the other users in a call. */
export type CallEvent =
  /** Users are in the call, or have come. */
  | { readonly type: "connected"; readonly userIds: readonly string[] }
  /** A user has left. */
  | { readonly type: "disconnected"; readonly userId: string }
  /** A user starts to speak, falls silent, or changes how. */
  | { readonly type: "speaking"; readonly userId: string; readonly ssrc: number; readonly speaking: number };

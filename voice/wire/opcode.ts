/**
 * What the number in a voice payload's `op` says, and whether it comes as JSON or as bytes.
 *
 * One row per opcode from 0 to 31 that is in use. Those that Discord does not document are for its own clients; they are
 * listed so that the numbers have names in a journal, and a receiver ignores them.
 */

/**
 * The voice opcodes, by Discord's names where it documents them.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-opcodes
 *
 * @example
 * ```ts
 * import { VoiceOpcode } from "@discordgateway/edge/voice/core";
 *
 * if (VoiceOpcode.Hello !== 8 || VoiceOpcode.DaveMlsWelcome !== 30) throw new Error("unexpected");
 * ```
 */
export const VoiceOpcode = {
  Identify: 0,
  SelectProtocol: 1,
  Ready: 2,
  Heartbeat: 3,
  SessionDescription: 4,
  Speaking: 5,
  HeartbeatAck: 6,
  Resume: 7,
  Hello: 8,
  Resumed: 9,
  ClientsConnect: 11,
  Video: 12,
  ClientDisconnect: 13,
  SessionUpdate: 14,
  MediaSinkWants: 15,
  VoiceBackendVersion: 16,
  ChannelOptionsUpdate: 17,
  ClientFlags: 18,
  SpeedTest: 19,
  ClientPlatform: 20,
  DavePrepareTransition: 21,
  DaveExecuteTransition: 22,
  DaveTransitionReady: 23,
  DavePrepareEpoch: 24,
  DaveMlsExternalSender: 25,
  DaveMlsKeyPackage: 26,
  DaveMlsProposals: 27,
  DaveMlsCommitWelcome: 28,
  DaveMlsAnnounceCommitTransition: 29,
  DaveMlsWelcome: 30,
  DaveMlsInvalidCommitWelcome: 31,
} as const;

/** One of the opcodes in the constant of the same name. */
export type VoiceOpcode = typeof VoiceOpcode[keyof typeof VoiceOpcode];

/** What one voice opcode is for. */
export interface VoiceOpcodeRow {
  /** The number in `op`. */
  readonly code: VoiceOpcode;
  /** Discord's name for it. */
  readonly name: keyof typeof VoiceOpcode;
  /** Whether this client sends it. */
  readonly sent: boolean;
  /** Whether a client receives it. */
  readonly received: boolean;
  /** Whether it travels in a binary message rather than as JSON. */
  readonly binary: boolean;
  /** Whether Discord documents it. */
  readonly documented: boolean;
  /** One sentence: what it does. */
  readonly description: string;
}

interface Travels {
  readonly sent?: true;
  readonly received?: true;
  readonly binary?: true;
  readonly undocumented?: true;
}

function row(name: keyof typeof VoiceOpcode, travels: Travels, description: string): VoiceOpcodeRow {
  const { sent = false, received = false, binary = false, undocumented = false } = travels;
  return { code: VoiceOpcode[name], name, sent, received, binary, documented: !undocumented, description };
}

const sent = { sent: true } as const;
const received = { received: true } as const;
const internal = { received: true, undocumented: true } as const;

/**
 * Every voice opcode in use, in ascending order.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#voice-voice-opcodes
 *
 * @example
 * ```ts
 * import { VOICE_OPCODES } from "@discordgateway/edge/voice/core";
 *
 * const binary = VOICE_OPCODES.filter((row) => row.binary).map((row) => row.code);
 * if (binary.join() !== "25,26,27,28,29,30") throw new Error(`unexpected: ${binary}`);
 * ```
 */
export const VOICE_OPCODES: readonly VoiceOpcodeRow[] = [
  row("Identify", sent, "Starts a new voice session"),
  row("SelectProtocol", sent, "Names the address that media comes from, and the encryption mode"),
  row("Ready", received, "Gives the SSRC and the address to send media to"),
  row("Heartbeat", { sent: true, received: true }, "Sent at the interval of the hello, with `seq_ack`"),
  row("SessionDescription", received, "Gives the key of the transport encryption and the DAVE version"),
  row("Speaking", { sent: true, received: true }, "Says who speaks, and which SSRC is whose"),
  row("HeartbeatAck", received, "Acknowledges a heartbeat by its nonce"),
  row("Resume", sent, "Continues a voice session on a new connection"),
  row("Hello", received, "The first payload on a connection, with the heartbeat interval in ms"),
  row("Resumed", received, "The voice session goes on"),
  row("ClientsConnect", received, "Users are in the call, or have come"),
  row("Video", internal, "A user's video streams"),
  row("ClientDisconnect", received, "A user has left the call"),
  row("SessionUpdate", internal, "The session's codecs have changed"),
  row("MediaSinkWants", internal, "The quality wanted of each stream"),
  row("VoiceBackendVersion", internal, "The version of the voice server"),
  row("ChannelOptionsUpdate", internal, "The channel's options have changed"),
  row("ClientFlags", internal, "What a user's client can do"),
  row("SpeedTest", internal, "A test of the connection's speed"),
  row("ClientPlatform", internal, "Which platform a user's client runs on"),
  row("DavePrepareTransition", received, "A change of the DAVE version is upcoming"),
  row("DaveExecuteTransition", received, "A transition announced before takes effect"),
  row("DaveTransitionReady", sent, "This client is ready for a transition"),
  row("DavePrepareEpoch", received, "A new MLS group, or a new version for the present one, is upcoming"),
  row("DaveMlsExternalSender", { ...received, binary: true }, "Who signs the server's proposals"),
  row("DaveMlsKeyPackage", { ...sent, binary: true }, "With which this client can be added to the group"),
  row("DaveMlsProposals", { ...received, binary: true }, "Members to add to or remove from the group"),
  row(
    "DaveMlsCommitWelcome",
    { ...sent, binary: true },
    "A commit to the proposals, a welcome for the added",
  ),
  row("DaveMlsAnnounceCommitTransition", { ...received, binary: true }, "The commit that won"),
  row("DaveMlsWelcome", { ...received, binary: true }, "Welcomes this client to the group"),
  row("DaveMlsInvalidCommitWelcome", sent, "A commit or a welcome was no good: asks to be added anew"),
];

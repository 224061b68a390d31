/**
 * What the number in a voice payload's `op` says, and whether it travels as JSON or as bytes.
 *
 * One line per opcode from 0 to 31 that is in use, in the group that says who sends it and how. The names, the unions and the
 * rows for tools derive from the groups. Those that Discord does not document are for its own clients; they are listed so
 * that the numbers have names in a journal, and a receiver ignores them.
 */

/**
 * What the server sends.
 *
 * @internal
 */
export const RECEIVED_VOICE_OPCODES = {
  Ready: 2,
  SessionDescription: 4,
  HeartbeatAck: 6,
  Hello: 8,
  Resumed: 9,
  ClientsConnect: 11,
  ClientDisconnect: 13,
  DavePrepareTransition: 21,
  DaveExecuteTransition: 22,
  DavePrepareEpoch: 24,
} as const;

/**
 * What both sides send.
 *
 * @internal
 */
export const MUTUAL_VOICE_OPCODES = {
  Heartbeat: 3,
  Speaking: 5,
} as const;

/**
 * What this client sends.
 *
 * @internal
 */
export const SENT_VOICE_OPCODES = {
  Identify: 0,
  SelectProtocol: 1,
  Resume: 7,
  DaveTransitionReady: 23,
  DaveMlsInvalidCommitWelcome: 31,
} as const;

/**
 * What the server sends to Discord's own clients; not documented.
 *
 * @internal
 */
export const INTERNAL_VOICE_OPCODES = {
  Video: 12,
  SessionUpdate: 14,
  MediaSinkWants: 15,
  VoiceBackendVersion: 16,
  ChannelOptionsUpdate: 17,
  ClientFlags: 18,
  SpeedTest: 19,
  ClientPlatform: 20,
} as const;

/**
 * What the server sends as bytes.
 *
 * @internal
 */
export const BINARY_RECEIVED_VOICE_OPCODES = {
  DaveMlsExternalSender: 25,
  DaveMlsProposals: 27,
  DaveMlsAnnounceCommitTransition: 29,
  DaveMlsWelcome: 30,
} as const;

/**
 * What this client sends as bytes.
 *
 * @internal
 */
export const BINARY_SENT_VOICE_OPCODES = {
  DaveMlsKeyPackage: 26,
  DaveMlsCommitWelcome: 28,
} as const;

type Opcodes = typeof VoiceOpcode;

/** What each opcode does, for tools and readers. */
const DESCRIPTIONS: { readonly [Name in keyof Opcodes]?: string } = {
  Identify: "Starts a new voice session",
  SelectProtocol: "Names the address that media comes from, and the encryption mode",
  Ready: "Gives the SSRC and the address to send media to",
  Heartbeat: "Sent at the interval of the hello, with `seq_ack`",
  SessionDescription: "Gives the key of the transport encryption and the DAVE version",
  Speaking: "Says who speaks, and which SSRC is whose",
  HeartbeatAck: "Acknowledges a heartbeat by its nonce",
  Resume: "Continues a voice session on a new connection",
  Hello: "The first payload on a connection, with the heartbeat interval in ms",
  Resumed: "The voice session goes on",
  ClientsConnect: "Users are in the call, or have come",
  Video: "A user's video streams",
  ClientDisconnect: "A user has left the call",
  SessionUpdate: "The session's codecs have changed",
  MediaSinkWants: "The quality wanted of each stream",
  VoiceBackendVersion: "The version of the voice server",
  ChannelOptionsUpdate: "The channel's options have changed",
  ClientFlags: "What a user's client can do",
  SpeedTest: "A test of the connection's speed",
  ClientPlatform: "Which platform a user's client runs on",
  DavePrepareTransition: "A change of the DAVE version is upcoming",
  DaveExecuteTransition: "A transition announced before takes effect",
  DaveTransitionReady: "This client is ready for a transition",
  DavePrepareEpoch: "A new MLS group, or a new version for the present one, is upcoming",
  DaveMlsExternalSender: "Who signs the server's proposals",
  DaveMlsKeyPackage: "With which this client can be added to the group",
  DaveMlsProposals: "Members to add to or remove from the group",
  DaveMlsCommitWelcome: "A commit to the proposals, a welcome for the added",
  DaveMlsAnnounceCommitTransition: "The commit that won",
  DaveMlsWelcome: "Welcomes this client to the group",
  DaveMlsInvalidCommitWelcome: "A commit or a welcome was no good: asks to be added anew",
};

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
export const VoiceOpcode:
  & typeof RECEIVED_VOICE_OPCODES
  & typeof MUTUAL_VOICE_OPCODES
  & typeof SENT_VOICE_OPCODES
  & typeof INTERNAL_VOICE_OPCODES
  & typeof BINARY_RECEIVED_VOICE_OPCODES
  & typeof BINARY_SENT_VOICE_OPCODES = /* @__PURE__ */ all();

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
export const VOICE_OPCODES: readonly VoiceOpcodeRow[] = /* @__PURE__ */ rows();

/** Whether the server sends it as bytes. */
export function isBinaryOpcode(op: number): boolean {
  return Object.values<number>(BINARY_RECEIVED_VOICE_OPCODES).includes(op);
}

function all(): typeof VoiceOpcode {
  return {
    ...RECEIVED_VOICE_OPCODES,
    ...MUTUAL_VOICE_OPCODES,
    ...SENT_VOICE_OPCODES,
    ...INTERNAL_VOICE_OPCODES,
    ...BINARY_RECEIVED_VOICE_OPCODES,
    ...BINARY_SENT_VOICE_OPCODES,
  };
}

function rows(): VoiceOpcodeRow[] {
  const names = Object.keys(VoiceOpcode) as (keyof Opcodes)[];
  const row = (name: keyof Opcodes): VoiceOpcodeRow => ({
    code: VoiceOpcode[name],
    name,
    sent: name in SENT_VOICE_OPCODES || name in BINARY_SENT_VOICE_OPCODES || name in MUTUAL_VOICE_OPCODES,
    received: !(name in SENT_VOICE_OPCODES || name in BINARY_SENT_VOICE_OPCODES),
    binary: name in BINARY_RECEIVED_VOICE_OPCODES || name in BINARY_SENT_VOICE_OPCODES,
    documented: !(name in INTERNAL_VOICE_OPCODES),
    description: DESCRIPTIONS[name] ?? name,
  });
  return names.map(row).sort((a, b) => a.code - b.code);
}

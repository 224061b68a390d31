/**
 * What the number in a payload's `op` says.
 *
 * One row per opcode that a bot meets; all others are for Discord's own clients, and a receiver ignores them. A
 * *command* is a payload that the user may send: heartbeat, identify and resume belong to the connection alone.
 */

/**
 * The gateway opcodes by Discord's names.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-opcodes
 *
 * @example
 * ```ts
 * import { GatewayOpcode } from "@discordgateway/edge/gateway";
 *
 * if (GatewayOpcode.Hello !== 10) throw new Error("unexpected");
 * ```
 */
export const GatewayOpcode = {
  Dispatch: 0,
  Heartbeat: 1,
  Identify: 2,
  PresenceUpdate: 3,
  VoiceStateUpdate: 4,
  Resume: 6,
  Reconnect: 7,
  RequestGuildMembers: 8,
  InvalidSession: 9,
  Hello: 10,
  HeartbeatAck: 11,
  RequestSoundboardSounds: 31,
  RequestChannelInfo: 43,
} as const;

/** One of the opcodes in the constant of the same name. */
export type GatewayOpcode = typeof GatewayOpcode[keyof typeof GatewayOpcode];

/** The opcode of a payload that the user may send. */
export type CommandOpcode =
  | typeof GatewayOpcode.PresenceUpdate
  | typeof GatewayOpcode.VoiceStateUpdate
  | typeof GatewayOpcode.RequestGuildMembers
  | typeof GatewayOpcode.RequestSoundboardSounds
  | typeof GatewayOpcode.RequestChannelInfo;

/** What one opcode is for. */
export interface OpcodeRow {
  /** The number in `op`. */
  readonly code: GatewayOpcode;
  /** Discord's name for it. */
  readonly name: keyof typeof GatewayOpcode;
  /** Whether a client sends it. */
  readonly sent: boolean;
  /** Whether a client receives it. */
  readonly received: boolean;
  /** Whether it is the user who sends it, and not the connection by itself. */
  readonly command: boolean;
  /** One sentence: what it does. */
  readonly description: string;
}

/**
 * Every opcode that a bot meets, in ascending order.
 *
 * @see https://docs.discord.com/developers/topics/opcodes-and-status-codes#gateway-gateway-opcodes
 *
 * @example
 * ```ts
 * import { OPCODES } from "@discordgateway/edge/gateway";
 *
 * const both = OPCODES.filter((row) => row.sent && row.received).map((row) => row.name);
 * if (both.join() !== "Heartbeat") throw new Error(`unexpected: ${both}`);
 * ```
 */
export const OPCODES: readonly OpcodeRow[] = [
  {
    code: 0,
    name: "Dispatch",
    sent: false,
    received: true,
    command: false,
    description: "An event, with its name in `t` and its sequence number in `s`",
  },
  {
    code: 1,
    name: "Heartbeat",
    sent: true,
    received: true,
    command: false,
    description:
      "Sent at the interval of the hello, with the last sequence number; received, it asks for one at once",
  },
  {
    code: 2,
    name: "Identify",
    sent: true,
    received: false,
    command: false,
    description: "Starts a new session",
  },
  {
    code: 3,
    name: "PresenceUpdate",
    sent: true,
    received: false,
    command: true,
    description: "Changes the bot's status and activity",
  },
  {
    code: 4,
    name: "VoiceStateUpdate",
    sent: true,
    received: false,
    command: true,
    description: "Joins, moves between or leaves the voice channels of a guild",
  },
  {
    code: 6,
    name: "Resume",
    sent: true,
    received: false,
    command: false,
    description: "Continues a session on a new connection",
  },
  {
    code: 7,
    name: "Reconnect",
    sent: false,
    received: true,
    command: false,
    description: "Asks the client to reconnect and resume at once",
  },
  {
    code: 8,
    name: "RequestGuildMembers",
    sent: true,
    received: false,
    command: true,
    description: "Asks for members of a guild, answered by GUILD_MEMBERS_CHUNK",
  },
  {
    code: 9,
    name: "InvalidSession",
    sent: false,
    received: true,
    command: false,
    description: "The session is invalid: `d` says whether a resume may be tried",
  },
  {
    code: 10,
    name: "Hello",
    sent: false,
    received: true,
    command: false,
    description: "The first payload on a connection, with the heartbeat interval in ms",
  },
  {
    code: 11,
    name: "HeartbeatAck",
    sent: false,
    received: true,
    command: false,
    description: "Acknowledges a heartbeat",
  },
  {
    code: 31,
    name: "RequestSoundboardSounds",
    sent: true,
    received: false,
    command: true,
    description: "Asks for the sounds of guilds, answered by SOUNDBOARD_SOUNDS",
  },
  {
    code: 43,
    name: "RequestChannelInfo",
    sent: true,
    received: false,
    command: true,
    description: "Asks for the voice channel details of a guild, answered by CHANNEL_INFO",
  },
];

/**
 * Whether a user may send a payload with this opcode.
 *
 * @example
 * ```ts
 * import { GatewayOpcode, isCommandOpcode } from "@discordgateway/edge/gateway";
 *
 * if (!isCommandOpcode(GatewayOpcode.PresenceUpdate)) throw new Error("unexpected");
 * if (isCommandOpcode(GatewayOpcode.Identify)) throw new Error("unexpected");
 * ```
 */
export function isCommandOpcode(op: number): op is CommandOpcode {
  switch (op) {
    case GatewayOpcode.PresenceUpdate:
    case GatewayOpcode.VoiceStateUpdate:
    case GatewayOpcode.RequestGuildMembers:
    case GatewayOpcode.RequestSoundboardSounds:
    case GatewayOpcode.RequestChannelInfo:
      return true;
    default:
      return false;
  }
}

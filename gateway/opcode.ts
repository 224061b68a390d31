/**
 * What the number in a payload's `op` says.
 *
 * One line per opcode that a bot meets, in the group that says who sends it; all others are for Discord's own clients, and a
 * receiver ignores them. The names, the unions and the rows for tools derive from the groups. A *command* is a payload that
 * the user may send: heartbeat, identify and resume belong to the connection alone.
 */

/**
 * What Discord sends.
 *
 * @internal
 */
export const RECEIVED_OPCODES = {
  Dispatch: 0,
  Reconnect: 7,
  InvalidSession: 9,
  Hello: 10,
  HeartbeatAck: 11,
} as const;

/**
 * What both sides send.
 *
 * @internal
 */
export const MUTUAL_OPCODES = { Heartbeat: 1 } as const;

/**
 * What the connection sends.
 *
 * @internal
 */
export const SENT_OPCODES = { Identify: 2, Resume: 6 } as const;

/**
 * What the user sends.
 *
 * @internal
 */
export const COMMAND_OPCODES = {
  PresenceUpdate: 3,
  VoiceStateUpdate: 4,
  RequestGuildMembers: 8,
  RequestSoundboardSounds: 31,
  RequestChannelInfo: 43,
} as const;

type Opcodes = typeof GatewayOpcode;

/** What each opcode does, for tools and readers. */
const DESCRIPTIONS: { readonly [Name in keyof Opcodes]?: string } = {
  Dispatch: "An event, with its name in `t` and its sequence number in `s`",
  Heartbeat:
    "Sent at the interval of the hello, with the last sequence number; received, it asks for one at once",
  Identify: "Starts a new session",
  PresenceUpdate: "Changes the bot's status and activity",
  VoiceStateUpdate: "Joins, moves between or leaves the voice channels of a guild",
  Resume: "Continues a session on a new connection",
  Reconnect: "Asks the client to reconnect and resume at once",
  RequestGuildMembers: "Asks for members of a guild, answered by GUILD_MEMBERS_CHUNK",
  InvalidSession: "The session is invalid: `d` says whether a resume may be tried",
  Hello: "The first payload on a connection, with the heartbeat interval in ms",
  HeartbeatAck: "Acknowledges a heartbeat",
  RequestSoundboardSounds: "Asks for the sounds of guilds, answered by SOUNDBOARD_SOUNDS",
  RequestChannelInfo: "Asks for the voice channel details of a guild, answered by CHANNEL_INFO",
};

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
export const GatewayOpcode:
  & typeof RECEIVED_OPCODES
  & typeof MUTUAL_OPCODES
  & typeof SENT_OPCODES
  & typeof COMMAND_OPCODES = /* @__PURE__ */ all();

/** One of the opcodes in the constant of the same name. */
export type GatewayOpcode = typeof GatewayOpcode[keyof typeof GatewayOpcode];

/** The opcode of a payload that the user may send. */
export type CommandOpcode = typeof COMMAND_OPCODES[keyof typeof COMMAND_OPCODES];

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
export const OPCODES: readonly OpcodeRow[] = /* @__PURE__ */ rows();

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
  return Object.values<number>(COMMAND_OPCODES).includes(op);
}

function all(): typeof GatewayOpcode {
  return { ...RECEIVED_OPCODES, ...MUTUAL_OPCODES, ...SENT_OPCODES, ...COMMAND_OPCODES };
}

function rows(): OpcodeRow[] {
  const names = Object.keys(GatewayOpcode) as (keyof Opcodes)[];
  const row = (name: keyof Opcodes): OpcodeRow => ({
    code: GatewayOpcode[name],
    name,
    sent: !(name in RECEIVED_OPCODES),
    received: name in RECEIVED_OPCODES || name in MUTUAL_OPCODES,
    command: name in COMMAND_OPCODES,
    description: DESCRIPTIONS[name] ?? name,
  });
  return names.map(row).sort((a, b) => a.code - b.code);
}

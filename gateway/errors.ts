/**
 * The errors of the gateway's core and of the voice gateway's.
 *
 * Either the caller made an input that it should not have made: the error is thrown at once, and the state is unchanged.
 * Or the peer sent a frame that cannot be understood: it ends the state, which keeps the error in its `end`.
 */

/** How a connection ended, whichever gateway it led to. */
export interface Ended {
  /** The cause, a row of the verdict table. */
  readonly cause: string;
  /** The phase that it ended. */
  readonly phase: string;
  /** Discord's close code, where one came. */
  readonly closeCode: number | null;
  /** Discord's close reason, often empty. */
  readonly reason: string;
  /** What went wrong, where something threw. */
  readonly error: Error | null;
}

/** What only some ends have. */
export type EndDetails = Pick<Ended, "closeCode" | "reason" | "error">;

/** The details of an end that has none. */
export const NO_DETAILS: EndDetails = { closeCode: null, reason: "", error: null };

/**
 * The caller's fault: an input to a state whose connection has ended. Make a new state from the session in the state's `end`.
 *
 * @example
 * ```ts
 * import { GatewayState, StateClosedError } from "@discordgateway/edge/gateway";
 *
 * const state = new GatewayState({ token: "x", intents: 0, now: 0, random: () => 0.5 });
 * state.close({ keepSession: true });
 * try {
 *   state.receive('{"op":11}', 2);
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof StateClosedError) || error.code !== "ERR_STATE_CLOSED") throw error;
 * }
 * ```
 */
export class StateClosedError extends Error {
  /** The name of the class. */
  override readonly name = "StateClosedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_STATE_CLOSED";
  /** How the connection ended; the first cause. */
  readonly end: Ended;

  /** Made by the state. */
  constructor(end: Ended) {
    super(`Cannot use the state: its connection has ended: ${end.cause}`);
    this.end = end;
  }
}

/**
 * The caller's fault: something to send before the session is usable. Wait for the phase `live`; a shard does so itself.
 *
 * @example
 * ```ts
 * import { GatewayState, NotReadyError } from "@discordgateway/edge/gateway";
 *
 * const state = new GatewayState({ token: "x", intents: 0, now: 0, random: () => 0.5 });
 * try {
 *   state.send({ op: 31, d: { guild_ids: ["1"] } }, 1);
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof NotReadyError) || error.code !== "ERR_NOT_READY") throw error;
 * }
 * ```
 */
export class NotReadyError extends Error {
  /** The name of the class. */
  override readonly name = "NotReadyError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_NOT_READY";

  /** Made by the state: what cannot be done, and the phase in which it was tried. */
  constructor(action: string, phase: string) {
    super(`Cannot ${action}: the session must be live: ${phase}`);
  }
}

/** What is wrong with a command: its content, or only its size. */
export type CommandErrorCode = "ERR_COMMAND_INVALID" | "ERR_PAYLOAD_TOO_LARGE";

/**
 * The caller's fault: a command that Discord would not accept. Its opcode is none that a user sends, its body is no
 * object, its nonce is too long, or its frame is larger than 4096 bytes. Nothing was sent, and the rate limit is as it was.
 *
 * @example
 * ```ts
 * import { CommandError, encodeCommand } from "@discordgateway/edge/gateway";
 *
 * try {
 *   encodeCommand({ op: 8, d: { guild_id: "1", query: "", limit: 0, nonce: "x".repeat(33) } });
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof CommandError) || error.code !== "ERR_COMMAND_INVALID") throw error;
 * }
 * ```
 *
 * @example Too large for one frame
 * ```ts
 * import { CommandError, encodeCommand, MAX_FRAME_BYTES } from "@discordgateway/edge/gateway";
 *
 * try {
 *   encodeCommand({ op: 31, d: { guild_ids: Array.from({ length: 500 }, () => "613425648685547541") } });
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof CommandError) || error.code !== "ERR_PAYLOAD_TOO_LARGE") throw error;
 *   if (error.bytes === null || error.bytes <= MAX_FRAME_BYTES) throw error;
 * }
 * ```
 */
export class CommandError extends Error {
  /** The name of the class. */
  override readonly name = "CommandError";
  /** Stable identifier for switch statements. */
  readonly code: CommandErrorCode;
  /** The size of a frame that is too large, in bytes of UTF-8; otherwise `null`. */
  readonly bytes: number | null;

  /** Made where a command is checked; `bytes` is given for a frame that is too large. */
  constructor(message: string, options: ErrorOptions & { readonly bytes?: number } = {}) {
    super(message, options);
    const { bytes = null } = options;
    this.code = bytes === null ? "ERR_COMMAND_INVALID" : "ERR_PAYLOAD_TOO_LARGE";
    this.bytes = bytes;
  }
}

/**
 * The peer's fault: a frame that could not be read as a payload. It does not decompress, is no UTF-8, no JSON, too long, or
 * binary where text is due. The session is kept: reconnect and resume.
 *
 * @example
 * ```ts
 * import { FrameError, parsePayload } from "@discordgateway/edge/gateway";
 *
 * try {
 *   parsePayload("no JSON");
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof FrameError) || !(error.cause instanceof SyntaxError)) throw error;
 * }
 * ```
 */
export class FrameError extends Error {
  /** The name of the class. */
  override readonly name = "FrameError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_FRAME";
}

/**
 * The peer's fault: a payload that can be read but breaks the protocol, such as a HELLO without an interval.
 *
 * @example
 * ```ts
 * import { GatewayState, ProtocolError } from "@discordgateway/edge/gateway";
 *
 * const state = new GatewayState({ token: "x", intents: 0, now: 0, random: () => 0.5 });
 * state.receive('{"op":10,"d":{}}', 1);
 * if (!(state.end?.error instanceof ProtocolError)) throw new Error("HELLO names an interval");
 * ```
 */
export class ProtocolError extends Error {
  /** The name of the class. */
  override readonly name = "ProtocolError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_PROTOCOL";
}

/**
 * The caller's fault: a stored session record that cannot be used. The message names the field that is wrong.
 *
 * @example
 * ```ts
 * import { parseSessionRecord, SessionRecordError } from "@discordgateway/edge/gateway";
 *
 * try {
 *   parseSessionRecord({ sessionId: "" });
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof SessionRecordError) || !error.message.includes("sessionId")) throw error;
 * }
 * ```
 */
export class SessionRecordError extends Error {
  /** The name of the class. */
  override readonly name = "SessionRecordError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_SESSION_RECORD";
}

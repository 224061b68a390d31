/**
 * The failures of the core, two families.
 *
 * *Ours*: an input that the caller should not have made; thrown at once, the state is unchanged.
 * *Theirs*: a frame that cannot be understood; it ends the state, which keeps the error in its `end`.
 */

import type { GatewayEnd } from "./state.ts";

/**
 * Ours: an input to a state whose connection has ended. Make a new state from `end.session`.
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
  /** How the connection ended; the first cause, for good. */
  readonly end: GatewayEnd;

  /** Made by the state. */
  constructor(end: GatewayEnd) {
    super(`Cannot use the state: its connection has ended: ${end.cause}`);
    this.end = end;
  }
}

/** Ours: a command before READY or RESUMED. Wait for the `live` phase; a shard does so by itself. */
export class NotReadyError extends Error {
  /** The name of the class. */
  override readonly name = "NotReadyError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_NOT_READY";

  /** Made by the state. */
  constructor(phase: string) {
    super(`Cannot send a command: the session is usable from READY or RESUMED on: ${phase}`);
  }
}

/** Ours: a command that Discord would not accept: a foreign opcode, a body that is no object, a nonce too long. */
export class CommandError extends Error {
  /** The name of the class. */
  override readonly name = "CommandError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_COMMAND_INVALID";
}

/** Ours: a command whose frame is larger than Discord accepts (4096 bytes). Nothing was sent, no turn was spent. */
export class PayloadTooLargeError extends Error {
  /** The name of the class. */
  override readonly name = "PayloadTooLargeError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_PAYLOAD_TOO_LARGE";
  /** Size of the refused frame in bytes of UTF-8. */
  readonly bytes: number;
  /** The largest size accepted, in bytes. */
  readonly limit: number;

  /** Made where a command is encoded. */
  constructor(op: number, bytes: number, limit: number) {
    super(`Cannot send op ${op}: a frame has at most ${limit} bytes: ${bytes}`);
    this.bytes = bytes;
    this.limit = limit;
  }
}

/**
 * Theirs: a frame failed before a payload could be read (inflate, UTF-8, JSON, oversize, bytes where text is due).
 *
 * The session is kept: reconnect and resume.
 */
export class FrameError extends Error {
  /** The name of the class. */
  override readonly name = "FrameError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_FRAME";
}

/** Theirs: a payload that reads well but breaks the protocol: HELLO without an interval, READY without a session. */
export class ProtocolError extends Error {
  /** The name of the class. */
  override readonly name = "ProtocolError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_PROTOCOL";
}

/** A stored session record that cannot be used; names the field that is wrong. */
export class SessionRecordError extends Error {
  /** The name of the class. */
  override readonly name = "SessionRecordError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_SESSION_RECORD";
}

/**
 * The end-to-end encryption's messages over one voice connection: what its machine sends, what no heartbeat has confirmed,
 * and what a resume sends again.
 */

import { ProtocolError } from "../../gateway/errors.ts";
import type { Dave } from "../dave/dave.ts";
import type { DaveOutput, DaveSend } from "../dave/io.ts";
import { type DaveMessage, readDaveBinary } from "../wire/frame.ts";
import { isBinaryOpcode } from "../wire/opcode.ts";
import type { VoiceHeartbeats } from "./heartbeats.ts";
import type { VoiceOutput } from "./state_io.ts";

/** Connects a DAVE machine, which outlives connections, to this connection. */
export class DaveLink {
  readonly #dave: Dave;
  readonly #heartbeats: VoiceHeartbeats;
  /** Messages that the connection before sent, and nothing has confirmed. */
  #carried: readonly DaveSend[];

  /** Nothing is sent before the session is live. */
  constructor(dave: Dave, heartbeats: VoiceHeartbeats, unconfirmed: readonly DaveSend[]) {
    this.#dave = dave;
    this.#heartbeats = heartbeats;
    this.#carried = unconfirmed;
  }

  /** The DAVE machine. */
  get dave(): Dave {
    return this.#dave;
  }

  /** Messages that may be lost. */
  get unconfirmed(): readonly DaveSend[] {
    return [...this.#carried, ...this.#heartbeats.unconfirmed];
  }

  /** A message of the server came. */
  receive(message: DaveMessage, now: number): readonly VoiceOutput[] {
    return this.#outputs(this.#dave.receive(message, now));
  }

  /**
   * A binary message of the server came.
   *
   * @throws {ProtocolError} It is cut short.
   */
  receiveBinary(op: number, payload: Uint8Array, now: number): readonly VoiceOutput[] {
    const message = readDaveBinary(op, payload);
    if (message !== null) return this.receive(message, now);
    if (!isBinaryOpcode(op)) return [];
    throw new ProtocolError(`Cannot take op ${op}: it is cut short: ${payload.length} bytes`);
  }

  /** Time has passed. */
  recover(now: number): readonly VoiceOutput[] {
    return this.#outputs(this.#dave.recover(now));
  }

  /** SESSION_DESCRIPTION says which version the call has. */
  describe(version: number): readonly VoiceOutput[] {
    return this.#outputs(this.#dave.describe(version));
  }

  /** RESUMED: what went into a connection that was lost already never arrived, so it is sent again if it is still due. */
  resumed(): readonly VoiceOutput[] {
    const due = this.#carried.filter((message) => this.#dave.isStillDue(message));
    this.#carried = [];
    return this.#outputs(due);
  }

  #outputs(outputs: readonly DaveOutput[]): readonly VoiceOutput[] {
    return outputs.map((output) => {
      if (output.type !== "send") return output;
      this.#heartbeats.sent(output);
      return { type: "send", frame: output.frame, what: "dave" };
    });
  }
}

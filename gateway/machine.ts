/**
 * The machine under a gateway connection's state: where it stands, what moves it on, and how it ends.
 *
 * It reads two tables. A trigger moves it along a row of the transitions, and does nothing where there is no row. A cause
 * ends it along a row of the ends; a cause that may not end the present phase is a programming error. The gateway's state
 * and the voice gateway's state each have their own tables and share this interpreter.
 */

import { END_SESSION_CLOSE_CODE, KEEP_SESSION_CLOSE_CODE } from "./close_code.ts";
import { type Ended, StateClosedError } from "./errors.ts";

/** The request to close the socket with this code and to abandon it: the state has ended. */
export interface CloseOutput {
  /** Tells it from other outputs. */
  readonly type: "close";
  /** The code to close with. */
  readonly code: number;
  /** The cause in words. */
  readonly reason: string;
}

/** How a socket ended. */
export interface SocketEnd {
  /** The close code, `null` if none came. */
  readonly code: number | null;
  /** The close reason, often empty. */
  readonly reason: string;
  /** What went wrong, where something threw. */
  readonly error?: Error;
}

/** The tables of a machine. */
export interface MachineTables<Phase extends string, Trigger extends string> {
  /** The phase in which a connection begins. */
  readonly initial: Phase;
  /** Every step but the end: from a phase, on a trigger, to a phase. */
  readonly transitions: { readonly [From in Phase]?: { readonly [On in Trigger]?: Phase } };
  /** The phases that each cause can end; `close_*` stands for every close code. */
  readonly ends: { readonly [cause: string]: readonly Phase[] };
}

/**
 * A phase and an end, by tables.
 *
 * @typeParam Phase Where a connection can stand; `closed` after the end.
 * @typeParam Trigger What moves it on.
 * @typeParam End How it ends.
 *
 * @example
 * ```ts
 * import { ENDS, type GatewayEnd, type GatewayPhase, type GatewayTrigger } from "@discordgateway/edge/gateway";
 * import { Machine, TRANSITIONS } from "@discordgateway/edge/gateway";
 *
 * const tables = { initial: "awaiting_hello", transitions: TRANSITIONS, ends: ENDS } as const;
 * const machine = new Machine<GatewayPhase, GatewayTrigger, GatewayEnd>(tables);
 * machine.step("HELLO, no session");
 * machine.step("permit");
 * if (machine.phase !== "identifying" || machine.step("RESUMED")) throw new Error("unexpected");
 * if (!machine.mayEnd("ready_timeout") || machine.mayEnd("hello_timeout")) throw new Error("unexpected");
 * ```
 */
export class Machine<Phase extends string, Trigger extends string, End extends Ended> {
  readonly #tables: MachineTables<Phase, Trigger>;
  #phase: Phase | "closed";
  #end: End | null = null;

  /** Starts open. */
  constructor(tables: MachineTables<Phase, Trigger>) {
    this.#tables = tables;
    this.#phase = tables.initial;
  }

  /** Where the connection stands. */
  get phase(): Phase | "closed" {
    return this.#phase;
  }

  /** How it ended, `null` while it lasts. */
  get end(): End | null {
    return this.#end;
  }

  /**
   * Checks that an input is allowed.
   *
   * @throws {StateClosedError} After the end.
   */
  assertOpen(): void {
    if (this.#end !== null) throw new StateClosedError(this.#end);
  }

  /** Moves on by a row of the table. Returns `false`, and stays, if the trigger has no row in this phase. */
  step(on: Trigger): boolean {
    if (this.#phase === "closed") return false;
    const to = this.#tables.transitions[this.#phase]?.[on];
    if (to === undefined) return false;
    this.#phase = to;
    return true;
  }

  /** Whether the cause can end the present phase by the table. */
  mayEnd(cause: End["cause"]): boolean {
    const phases = this.#tables.ends[cause.startsWith("close_") ? "close_*" : cause];
    return phases?.some((phase) => phase === this.#phase) ?? false;
  }

  /**
   * Ends the connection for good.
   *
   * @param endsSession Whether the session ends at Discord too; otherwise it is kept for a resume.
   *
   * @returns The request to close the socket.
   *
   * @throws {TypeError} If the table does not let this cause end the present phase: a mistake in the state's own code.
   */
  close(end: End, endsSession: boolean): CloseOutput {
    if (!this.mayEnd(end.cause)) {
      throw new TypeError(
        `Cannot end the state: its table has no such end of ${this.#phase}: ${end.cause}`,
      );
    }
    this.#end = end;
    this.#phase = "closed";
    const code = endsSession ? END_SESSION_CLOSE_CODE : KEEP_SESSION_CLOSE_CODE;
    return { type: "close", code, reason: end.cause.replaceAll("_", " ") };
  }
}

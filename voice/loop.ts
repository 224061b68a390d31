/**
 * One voice state over one connection: feeds messages and time in, carries outputs out, and sleeps on exactly one timer.
 * The sibling of `shard/loop.ts`.
 */

import type { Connection, ConnectionEnd, ConnectionSink, Frame } from "../shard/connection.ts";
import type { Host } from "../shard/host.ts";
import type { DiscoveredAddress } from "./discovery.ts";
import type { VoiceState } from "./state.ts";
import type { VoiceEnd, VoiceOutput } from "./state_io.ts";

/** What is left to others: all but writing and closing. */
export type VoiceLoopOutput = Exclude<VoiceOutput, { readonly type: "send" | "close" }>;

/** What a {@linkcode VoiceLoop} joins, and whom it tells. */
export interface VoiceLoopOptions {
  /** A fresh connection. */
  readonly connection: Connection;
  /** A fresh state, made for it. */
  readonly state: VoiceState;
  /** Clock and timers. */
  readonly host: Host;
  /** Takes each output that is not for the connection. */
  onOutput(output: VoiceLoopOutput): void;
  /** The state moved on to another phase. */
  onPhase(): void;
  /** The state ended; called once, last. */
  onEnd(end: VoiceEnd): void;
}

/** A timer this late (ms) fired because the process was stalled: messages may be waiting behind it. */
const STALLED_MS = 1_000;
/** How long messages that wait behind a stall get to come in, in ms. */
const CATCH_UP_MS = 50;

/** The loop of one connection. */
export class VoiceLoop implements ConnectionSink {
  readonly #options: VoiceLoopOptions;
  #phase: VoiceState["phase"];
  #timer: unknown = null;
  #wakeAt = Infinity;
  #over = false;

  /** Joins the two; nothing moves before {@linkcode VoiceLoop.start}. */
  constructor(options: VoiceLoopOptions) {
    this.#options = options;
    this.#phase = options.state.phase;
  }

  /** Attaches to the connection; messages that wait in it are handled at once. */
  start(): void {
    this.#arm();
    this.#options.connection.attach(this);
  }

  /** Where the state stands. */
  get phase(): VoiceState["phase"] {
    return this.#options.state.phase;
  }

  /** The state's deadline may have come nearer without an input. */
  poke(): void {
    if (!this.#over) this.#arm();
  }

  /** The address is known under which media comes from here. */
  found(address: DiscoveredAddress): void {
    const { state, host } = this.#options;
    if (!this.#over && state.phase === "discovering") this.#apply(state.selectProtocol(address, host.now()));
  }

  /** The media connection failed. Returns whether the state has got so far as to have one. */
  mediaFailed(error: Error): boolean {
    const { state } = this.#options;
    if (this.#over || state.phase === "awaiting_hello" || state.phase === "identifying") return false;
    this.#apply(state.mediaFailed(error));
    return true;
  }

  /** Says how this client speaks; returns whether it could. */
  speaking(bits: number): boolean {
    const { state } = this.#options;
    if (this.#over || state.phase !== "live") return false;
    this.#write(state.speaking(bits));
    return true;
  }

  /** Ends the connection on our side. */
  close(): void {
    if (!this.#over && this.#options.state.end === null) this.#apply(this.#options.state.close());
  }

  frame(frame: Frame): void {
    const { state, host } = this.#options;
    if (!this.#over) this.#apply(state.receive(frame, host.now()));
  }

  end(end: ConnectionEnd): void {
    if (this.#over) return;
    this.#options.state.connectionEnded(end);
    this.#carryOn();
  }

  #apply(outputs: readonly VoiceOutput[]): void {
    for (const output of outputs) {
      // Whoever took the output before may have closed us.
      if (this.#over) return;
      if (output.type === "send") this.#write(output.frame);
      else if (output.type === "close") this.#closeSocket(output.code, output.reason);
      else this.#options.onOutput(output);
    }
    this.#carryOn();
  }

  #carryOn(): void {
    const { state, onPhase } = this.#options;
    if (this.#over) return;
    if (state.end !== null) return this.#finish(state.end);
    if (state.phase !== this.#phase) {
      this.#phase = state.phase;
      onPhase();
    }
    if (!this.#over) this.#arm();
  }

  #write(frame: string | Uint8Array<ArrayBuffer>): void {
    const { connection, state } = this.#options;
    try {
      connection.send(frame);
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      if (state.end === null) this.#apply(state.writeFailed(error));
    }
  }

  #closeSocket(code: number, reason: string): void {
    try {
      this.#options.connection.close(code, reason);
    } catch {
      // The state has ended either way, and a socket that cannot even be closed is given up with it.
    }
  }

  #arm(): void {
    const { state, host } = this.#options;
    const wakeAt = state.deadline.at;
    // A deadline that moved away is found out when the timer fires.
    if (wakeAt >= this.#wakeAt) return;
    this.#setTimer(wakeAt, () => {
      if (wakeAt === -Infinity || host.now() - wakeAt < STALLED_MS) return this.#wake();
      this.#setTimer(host.now() + CATCH_UP_MS, () => this.#wake());
      // What is overdue already is not made more urgent by a message: others wait behind it.
      this.#wakeAt = wakeAt;
    });
  }

  #setTimer(wakeAt: number, callback: () => void): void {
    const { host } = this.#options;
    if (this.#timer !== null) host.clearTimeout(this.#timer);
    this.#wakeAt = wakeAt;
    this.#timer = host.setTimeout(() => {
      this.#timer = null;
      callback();
    }, Math.max(0, wakeAt - host.now()));
  }

  #wake(): void {
    this.#wakeAt = Infinity;
    if (this.#over) return;
    const { state, host } = this.#options;
    this.#apply(state.tick(host.now()));
  }

  #finish(end: VoiceEnd): void {
    this.#over = true;
    if (this.#timer !== null) this.#options.host.clearTimeout(this.#timer);
    this.#timer = null;
    this.#options.onEnd(end);
  }
}

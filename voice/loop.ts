/**
 * One voice state over one connection: feeds messages and time in, carries outputs out, and sleeps on exactly one timer.
 * The sibling of `shard/connect/loop.ts`.
 */

import type { Connection, ConnectionEnd, ConnectionSink, Frame } from "../shard/pipe/connection.ts";
import type { Platform } from "../shard/pipe/platform.ts";
import { WakeTimer } from "../shard/pipe/timer.ts";
import type { DiscoveredAddress } from "./media/discovery.ts";
import type { VoiceState } from "./gateway/state.ts";
import type { VoiceEnd, VoiceOutput } from "./gateway/state_io.ts";

/** What the loop passes on: every output but writing and closing. */
export type VoiceLoopOutput = Exclude<VoiceOutput, { readonly type: "send" | "close" }>;

/** What a {@linkcode VoiceLoop} connects, and its callbacks. */
export interface VoiceLoopOptions {
  /** A fresh connection. */
  readonly connection: Connection;
  /** A fresh state, made for it. */
  readonly state: VoiceState;
  /** Clock and timers. */
  readonly platform: Platform;
  /** Takes each output that is not for the connection. */
  onOutput(output: VoiceLoopOutput): void;
  /** The state moved on to another phase. */
  onPhase(): void;
  /** The state ended; called once, last. */
  onEnd(end: VoiceEnd): void;
}

/** The loop of one connection. */
export class VoiceLoop implements ConnectionSink {
  readonly #options: VoiceLoopOptions;
  readonly #timer: WakeTimer;
  #phase: VoiceState["phase"];
  #over = false;

  /** Joins the two; nothing moves before {@linkcode VoiceLoop.start}. */
  constructor(options: VoiceLoopOptions) {
    this.#options = options;
    this.#phase = options.state.phase;
    this.#timer = new WakeTimer(options.platform, () => this.#wake());
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

  /** The discovery has found the address that media comes from. */
  found(address: DiscoveredAddress): void {
    const { state, platform } = this.#options;
    if (!this.#over && state.phase === "discovering") {
      this.#apply(state.selectProtocol(address, platform.now()));
    }
  }

  /** The media failed. Returns whether the state was far enough to have media. */
  mediaFailed(error: Error): boolean {
    const { state } = this.#options;
    if (this.#over || state.phase === "awaiting_hello" || state.phase === "identifying") return false;
    this.#apply(state.mediaFailed(error));
    return true;
  }

  /** Sends how this client speaks; returns whether the state allowed it. */
  speaking(bits: number): boolean {
    const { state } = this.#options;
    if (this.#over || state.phase !== "live") return false;
    this.#write(state.speaking(bits));
    return true;
  }

  /** Ends the connection on this side. */
  close(): void {
    if (!this.#over && this.#options.state.end === null) this.#apply(this.#options.state.close());
  }

  frame(frame: Frame): void {
    const { state, platform } = this.#options;
    if (!this.#over) this.#apply(state.receive(frame, platform.now()));
  }

  end(end: ConnectionEnd): void {
    if (this.#over) return;
    this.#options.state.connectionEnded(end);
    this.#carryOn();
  }

  #apply(outputs: readonly VoiceOutput[]): void {
    for (const output of outputs) {
      // The callback of the output before may have closed the loop.
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
      // The state has ended either way. A socket that cannot be closed is dropped with it.
    }
  }

  #arm(): void {
    this.#timer.wakeAt(this.#options.state.deadline.at);
  }

  #wake(): void {
    if (this.#over) return;
    const { state, platform } = this.#options;
    this.#apply(state.tick(platform.now()));
  }

  #finish(end: VoiceEnd): void {
    this.#over = true;
    this.#timer.stop();
    this.#options.onEnd(end);
  }
}

/**
 * One state over one connection: feeds frames and time into the state, carries out its outputs, and sleeps on one timer.
 *
 * Everything that a loop started ends with it: the timer, the wait for the identify limiter, the attachment to the socket.
 */

import type {
  EncodedCommand,
  GatewayDispatch,
  GatewayEnd,
  GatewayOutput,
  GatewayState,
} from "../../gateway/mod.ts";
import type { GatedQueue, IdentifyLimiter, IdentifyOutcome, IdentifyPermit } from "../../ratelimit/mod.ts";
import { IdentifyLimiterError, IdentifyRefusedError } from "../../ratelimit/mod.ts";
import type { Connection, ConnectionEnd, ConnectionSink, Frame } from "../pipe/connection.ts";
import type { Platform } from "../pipe/platform.ts";
import { releasePermit } from "../../ratelimit/identify/permit.ts";
import { WakeTimer } from "../pipe/timer.ts";

/** What a {@linkcode ConnectionLoop} connects, and its callbacks. */
export interface ConnectionLoopOptions {
  /** A fresh connection. */
  readonly connection: Connection;
  /** A fresh state, made for it. */
  readonly state: GatewayState;
  /** Clock and timers. */
  readonly platform: Platform;
  /** Permits an identify. */
  readonly identifyLimiter: IdentifyLimiter;
  /** The shard that identifies. */
  readonly shardId: number;
  /** Callers that wait to send; they outlive the connection. */
  readonly commands: GatedQueue<EncodedCommand>;
  /** Takes each wanted event, with the length of its frame. */
  onEvent(event: GatewayDispatch, size: number): void;
  /** The state entered another phase. */
  onPhase(): void;
  /** The state ended; called once, last. */
  onEnd(end: GatewayEnd): void;
}

/** The loop of one connection. */
export class ConnectionLoop implements ConnectionSink {
  readonly #options: ConnectionLoopOptions;
  readonly #timer: WakeTimer;
  readonly #limiterWait = new AbortController();
  #permit: IdentifyPermit | null = null;
  #phase: GatewayState["phase"];
  #over = false;

  /** Connects the two; nothing happens before {@linkcode ConnectionLoop.start}. */
  constructor(options: ConnectionLoopOptions) {
    this.#options = options;
    this.#phase = options.state.phase;
    this.#timer = new WakeTimer(options.platform, () => this.#wake());
  }

  /** Attaches to the connection; frames that wait in it are handled at once. */
  start(): void {
    this.#arm();
    this.#options.connection.attach(this);
  }

  /** A caller joined the queue: sends what may be sent now, and wakes up for the next command. */
  commandsWaiting(): void {
    if (!this.#over) this.#carryOn();
  }

  /** Closes the connection. */
  close(options: { readonly keepSession: boolean; readonly consumerBehind?: boolean }): void {
    if (!this.#over && this.#options.state.end === null) this.#apply(this.#options.state.close(options), 0);
  }

  frame(frame: Frame): void {
    const { state, platform } = this.#options;
    if (this.#over) return;
    const outputs = state.receive(frame, platform.now());
    if (outputs.length > 0 || state.phase !== this.#phase) this.#apply(outputs, frame.length);
    // HELLO again can bring the next heartbeat nearer, and nothing else.
    else if (state.deadline.at < this.#timer.at) this.#arm();
  }

  end(end: ConnectionEnd): void {
    if (this.#over) return;
    this.#options.state.connectionEnded(end);
    this.#carryOn();
  }

  #apply(outputs: readonly GatewayOutput[], size: number): void {
    for (const output of outputs) {
      // The consumer of an event may have closed the loop.
      if (this.#over) return;
      switch (output.type) {
        case "event":
          this.#options.onEvent(output.event, size);
          // Only READY and RESUMED change the phase or a deadline.
          if (this.#options.state.phase === this.#phase) return;
          break;
        case "send":
          this.#write(output.frame);
          break;
        case "permit":
          this.#askForPermit();
          break;
        case "close":
          this.#closeSocket(output.code, output.reason);
          break;
      }
    }
    this.#carryOn();
  }

  /** After anything but a plain event: reports the phase, serves waiting callers, sets the timer, or finishes. */
  #carryOn(): void {
    const { state, onPhase } = this.#options;
    if (this.#over) return;
    if (state.end !== null) return this.#finish(state.end);
    if (state.phase !== this.#phase) {
      this.#phase = state.phase;
      if (state.phase === "live") this.#releasePermit("ready");
      onPhase();
    }
    this.#serveCallers();
    if (!this.#over) this.#arm();
  }

  #serveCallers(): void {
    const { state, platform, commands, connection } = this.#options;
    while (!this.#over && state.end === null) {
      const now = platform.now();
      if (commands.readyAt(now) > now || state.nextCommandAt(now) > now) return;
      const position = commands.next(now);
      if (position === undefined) return;
      let frame: string;
      try {
        frame = state.send(position.item, now);
        position.spend(now);
      } catch (error) {
        position.reject(error);
        continue;
      }
      try {
        connection.send(frame);
        position.resolve();
      } catch (error) {
        position.reject(error);
        return this.#writeFailed(error);
      }
    }
  }

  #write(frame: string): void {
    try {
      this.#options.connection.send(frame);
    } catch (error) {
      this.#writeFailed(error);
    }
  }

  #writeFailed(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error(String(cause));
    if (this.#options.state.end === null) this.#apply(this.#options.state.writeFailed(error), 0);
  }

  #closeSocket(code: number, reason: string): void {
    try {
      this.#options.connection.close(code, reason);
    } catch {
      // The state has ended in any case; a socket that cannot be closed is abandoned.
    }
  }

  async #askForPermit(): Promise<void> {
    const { identifyLimiter, shardId, state, platform } = this.#options;
    const { signal } = this.#limiterWait;
    let outputs: () => readonly GatewayOutput[];
    try {
      const permit = await identifyLimiter.take(shardId, { signal });
      if (typeof permit === "object") this.#permit = permit;
      outputs = permit
        ? () => state.identify(platform.now())
        : () => state.identifyRefused(new IdentifyRefusedError(shardId));
    } catch (cause) {
      outputs = cause instanceof IdentifyRefusedError
        ? () => state.identifyRefused(cause)
        : () => state.identifyRefused(limiterError(shardId, cause), { failed: true });
    }
    // The connection may have ended meanwhile.
    if (this.#over || state.end !== null) this.#releasePermit("unused");
    else this.#apply(outputs(), 0);
  }

  #releasePermit(outcome: IdentifyOutcome): void {
    const permit = this.#permit;
    this.#permit = null;
    if (permit !== null) void releasePermit(permit, outcome);
  }

  #arm(): void {
    const { state, platform, commands } = this.#options;
    const now = platform.now();
    let wakeAt = state.deadline.at;
    const readyAt = commands.readyAt(now);
    if (readyAt < Infinity) wakeAt = Math.min(wakeAt, Math.max(readyAt, state.nextCommandAt(now)));
    this.#timer.wakeAt(wakeAt);
  }

  #wake(): void {
    if (this.#over) return;
    const { state, platform } = this.#options;
    this.#apply(state.tick(platform.now()), 0);
  }

  #finish(end: GatewayEnd): void {
    this.#over = true;
    this.#timer.stop();
    this.#limiterWait.abort(new Error("The connection ended while it waited for a permit to identify"));
    this.#releasePermit("failed");
    this.#options.onEnd(end);
  }
}

function limiterError(shardId: number, cause: unknown): IdentifyLimiterError {
  return cause instanceof IdentifyLimiterError ? cause : new IdentifyLimiterError({ shardId, cause });
}

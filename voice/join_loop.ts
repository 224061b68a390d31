/**
 * Runs a join over the main gateway: feeds the gateway's events and the time to a `VoiceJoin`, and sends the commands that
 * the join asks for. Its other outputs are callbacks.
 */

import type { Clock } from "../ratelimit/clock.ts";
import { Timer } from "../ratelimit/timer.ts";
import type { VoiceServer } from "./wire/payload.ts";
import type { VoiceJoin } from "./join.ts";
import type { VoiceJoinEnd, VoiceJoinOutput } from "./join_io.ts";
import type { VoiceCommand, VoiceGateway, VoiceGatewayEvent } from "./voice_gateway.ts";

const GATEWAY_EVENTS = ["READY", "RESUMED", "VOICE_STATE_UPDATE", "VOICE_SERVER_UPDATE"] as const;

/** What a join's loop is made from. */
export interface JoinLoopOptions {
  /** The machine. */
  readonly join: VoiceJoin;
  /** The main gateway. */
  readonly gateway: VoiceGateway;
  /** The clock and timers. */
  readonly clock: Clock;
  /** Aborted when the voice connection has ended. */
  readonly ending: AbortSignal;
  /** Begin a session at this voice server. */
  readonly onConnect: (server: VoiceServer) => void;
  /** The voice server is gone; another may follow. */
  readonly onDisconnect: () => void;
  /** A move got no response from the main gateway. */
  readonly onNotMoved: (channelId: string) => void;
  /** The join has ended. */
  readonly onEnd: (end: VoiceJoinEnd) => void;
  /** Something threw, or a command could not be sent. */
  readonly onError: (error: unknown) => void;
}

/** Runs a join. */
export class JoinLoop {
  readonly #options: JoinLoopOptions;
  readonly #timer: Timer;
  readonly #stopListening: () => void;
  /** Joins that the main gateway has not been sent yet. */
  #unsent = 0;
  /** What follows is up to the main gateway, which is not connected. */
  #waitsForGateway = false;
  /** The leave that is being sent. */
  #leaving: Promise<unknown> = Promise.resolve();

  /** Listens; {@linkcode JoinLoop.start} sends the first command. */
  constructor(options: JoinLoopOptions) {
    this.#options = options;
    this.#timer = new Timer(options.clock);
    this.#stopListening = options.gateway.listen(GATEWAY_EVENTS, (event) => this.#gatewayEvent(event));
  }

  /** Resolves when the leave was sent to the main gateway, or cannot be sent. */
  get left(): Promise<unknown> {
    return this.#leaving;
  }

  /** Sends the join. */
  start(): void {
    this.#apply((join) => join.start());
  }

  /** Asks for another channel. */
  move(channelId: string): void {
    this.#apply((join, now) => join.move(channelId, now));
  }

  /** Leaves. */
  leave(): void {
    this.#apply((join) => join.leave());
  }

  /** Leaves after a failure: tells the main gateway, without callbacks. */
  leaveSilently(): void {
    for (const output of this.#options.join.leave()) {
      if (output.type === "command") this.#command(output.command);
    }
  }

  /** A session begins: nothing more is expected of the main gateway. */
  sessionBegins(): void {
    this.#waitsForGateway = false;
  }

  /** The voice session ended, and nothing can follow. */
  stop(): void {
    this.#apply((join) => join.stop());
  }

  /** The voice session ended: joins anew. */
  rejoin(): void {
    this.#apply((join, now) => join.rejoin(now));
  }

  /** The voice server has ended the session, and only the main gateway knows what follows. */
  wait(): void {
    const { state = "live" } = this.#options.gateway.status ?? {};
    // A gateway that is closed for good sends nothing any more.
    this.#waitsForGateway = state !== "live" && state !== "closed";
    if (!this.#waitsForGateway) this.#apply((join, now) => join.wait(now));
  }

  /** Stops listening, and clears the timer. */
  close(): void {
    this.#timer.clear();
    this.#stopListening();
  }

  #gatewayEvent(event: VoiceGatewayEvent): void {
    switch (event.t) {
      case "READY":
        // A new session of the main gateway is in no channel, and the voice session ends with the old one.
        this.#waitsForGateway = false;
        if (this.#unsent === 0) this.rejoin();
        return;
      case "RESUMED":
        // The replay has brought every event that was missed.
        if (this.#waitsForGateway) this.wait();
        return;
      case "VOICE_STATE_UPDATE":
        return this.#apply((join, now) => join.voiceState(event.d, now));
      case "VOICE_SERVER_UPDATE":
        return this.#apply((join, now) => join.voiceServer(event.d, now));
    }
  }

  #apply(input: (join: VoiceJoin, now: number) => readonly VoiceJoinOutput[]): void {
    const { join, clock, onError } = this.#options;
    try {
      for (const output of input(join, clock.now())) this.#act(output);
      if (this.#options.ending.aborted) return;
      this.#timer.set(join.deadline.at - clock.now(), () => this.#apply((join, now) => join.tick(now)));
    } catch (error) {
      onError(error);
    }
  }

  #act(output: VoiceJoinOutput): void {
    const { onConnect, onDisconnect, onNotMoved, onEnd } = this.#options;
    switch (output.type) {
      case "command":
        return this.#command(output.command);
      case "connect":
        return onConnect(output.server);
      case "disconnect":
        return onDisconnect();
      case "not_moved":
        return onNotMoved(output.channelId);
      case "end":
        return onEnd(output.end);
    }
  }

  #command(command: VoiceCommand): void {
    const { gateway, ending, onError } = this.#options;
    if (command.d.channel_id === null) {
      // The voice connection ends either way; a gateway that is closed has ended it at Discord.
      this.#leaving = gateway.send(command).catch(() => {});
      return;
    }
    this.#unsent++;
    gateway.send(command, { signal: ending }).catch((error: unknown) => {
      if (!ending.aborted) onError(error);
    }).finally(() => this.#unsent--);
  }
}

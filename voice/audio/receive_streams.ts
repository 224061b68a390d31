/**
 * From packets of sound to one stream of Opus frames for each user who is listened to.
 *
 * Packets travel apart from the voice gateway's messages, and can come before the message that names their sender: they
 * wait for up to two seconds. Frames of users without a stream are not decrypted.
 */

import { Timer } from "../../ratelimit/timer.ts";
import type { Clock } from "../../ratelimit/clock.ts";
import type { DaveReceived } from "../dave/io.ts";
import type { MediaPacket } from "../media/receiver.ts";
import { type InOrder, Sequencer } from "../media/sequencer.ts";

/** A received Opus frame. */
export interface OpusPacket {
  /** The frame. */
  readonly frame: Uint8Array;
  /** Counts packets, 16 bits. */
  readonly sequence: number;
  /** Counts samples at 48 kHz, 32 bits; silence that was not sent counts as well. */
  readonly timestamp: number;
  /** How many packets before this one never came, or were dropped because they were not read in time. */
  readonly lost: number;
}

/** Options of a stream of received frames. */
export interface ReceiveOptions {
  /**
   * How many packets may wait for the reader. Beyond that the oldest are dropped, and marked as lost.
   *
   * @default {250}
   */
  readonly maxQueued?: number;
}

/** What receive streams are made from. */
export interface ReceiveStreamsOptions {
  /** Keeps the time. */
  readonly clock: Clock;
  /** Who sends with an SSRC; `null` if that is not known yet. */
  userOf(ssrc: number): string | null;
  /** Decrypts a frame of a user. */
  decrypt(userId: string, frame: Uint8Array): DaveReceived;
}

/** Five seconds. */
const MAX_QUEUED = 250;
/** How long a packet waits for one before it, in ms. */
const REORDER_MS = 60;
/** Packets of unknown senders that are kept, and for how long, in ms. */
const MAX_UNKNOWN = 256;
const UNKNOWN_MS = 2_000;

/** The streams of one voice connection. */
export class ReceiveStreams {
  readonly #options: ReceiveStreamsOptions;
  readonly #streams = new Map<string, UserStream>();
  #unknown: { readonly packet: MediaPacket; readonly at: number }[] = [];
  #closed: { readonly error: Error | null } | null = null;

  /** There is no stream yet. */
  constructor(options: ReceiveStreamsOptions) {
    this.#options = options;
  }

  /**
   * The frames of a user, from now on.
   *
   * @throws {TypeError} There is a stream of the user already.
   */
  stream(userId: string, { maxQueued = MAX_QUEUED }: ReceiveOptions = {}): ReadableStream<OpusPacket> {
    if (!(maxQueued >= 1)) {
      throw new RangeError(`Cannot receive: at least one packet must be able to wait: ${maxQueued}`);
    }
    if (this.#streams.has(userId)) {
      throw new TypeError(`Cannot receive: the user is listened to already: ${userId}`);
    }
    const userStream = new UserStream(
      this.#options.clock,
      maxQueued,
      () => void this.#streams.delete(userId),
    );
    if (this.#closed) userStream.close(this.#closed.error);
    else this.#streams.set(userId, userStream);
    return userStream.stream;
  }

  /** A packet came. */
  packet(packet: MediaPacket): void {
    if (this.#streams.size === 0) return;
    const userId = this.#options.userOf(packet.ssrc);
    if (userId !== null) {
      if (this.#unknown.some((one) => one.packet.ssrc === packet.ssrc)) this.named();
      return this.#pass(userId, packet);
    }
    this.#unknown.push({ packet, at: this.#options.clock.now() });
    if (this.#unknown.length > MAX_UNKNOWN) this.#unknown.shift();
  }

  /** A message named the sender of an SSRC. */
  named(): void {
    const since = this.#options.clock.now() - UNKNOWN_MS;
    const waiting = this.#unknown.filter(({ at }) => at >= since);
    this.#unknown = waiting.filter(({ packet }) => this.#options.userOf(packet.ssrc) === null);
    for (const { packet } of waiting) {
      const userId = this.#options.userOf(packet.ssrc);
      if (userId !== null) this.#pass(userId, packet);
    }
  }

  /** A new session: SSRCs mean something else. */
  restart(): void {
    this.#unknown = [];
  }

  /** Ends all streams. */
  close(error: Error | null): void {
    this.#closed = { error };
    this.#unknown = [];
    for (const userStream of this.#streams.values()) userStream.close(error);
    this.#streams.clear();
  }

  #pass(userId: string, packet: MediaPacket): void {
    const userStream = this.#streams.get(userId);
    if (userStream === undefined) return;
    const { frame } = this.#options.decrypt(userId, packet.payload);
    if (frame !== null) userStream.push({ ...packet, payload: frame });
  }
}

/** One user's frames, in order, until they are read. */
class UserStream {
  readonly stream: ReadableStream<OpusPacket>;
  readonly #maxQueued: number;
  readonly #queue: OpusPacket[] = [];
  readonly #sequencer = new Sequencer<MediaPacket>();
  #ssrc: number | null = null;
  readonly #timer: Timer;
  #wake: (() => void) | null = null;
  #end: { readonly error: Error | null } | null = null;
  #cancelled = false;

  constructor(clock: Clock, maxQueued: number, onCancel: () => void) {
    this.#timer = new Timer(clock);
    this.#maxQueued = maxQueued;
    this.stream = new ReadableStream({
      pull: (controller) => this.#pull(controller),
      cancel: () => {
        this.#cancelled = true;
        this.#stop();
        onCancel();
      },
    }, { highWaterMark: 0 });
  }

  push(packet: MediaPacket): void {
    if (this.#ssrc !== packet.ssrc) this.#enqueue(this.#sequencer.restart());
    this.#ssrc = packet.ssrc;
    const inOrder = this.#sequencer.push(packet);
    this.#enqueue(inOrder);
    // The next gap gets its full time.
    if (inOrder.length > 0) this.#timer.clear();
    if (!this.#sequencer.holds || this.#timer.isSet) return;
    this.#timer.set(REORDER_MS, () => this.#enqueue(this.#sequencer.flush()));
  }

  close(error: Error | null): void {
    this.#enqueue(this.#sequencer.flush());
    this.#end = { error };
    this.#stop();
  }

  #enqueue(packets: readonly InOrder<MediaPacket>[]): void {
    for (const { packet: { payload: frame, sequence, timestamp }, lost } of packets) {
      this.#queue.push({ frame, sequence, timestamp, lost });
    }
    while (this.#queue.length > this.#maxQueued) this.#dropOldest();
    if (packets.length > 0) this.#wake?.();
  }

  #dropOldest(): void {
    const dropped = this.#queue.shift();
    const [next] = this.#queue;
    if (dropped && next) this.#queue[0] = { ...next, lost: next.lost + dropped.lost + 1 };
  }

  async #pull(controller: ReadableStreamDefaultController<OpusPacket>): Promise<void> {
    while (!this.#cancelled) {
      const packet = this.#queue.shift();
      if (packet) return controller.enqueue(packet);
      if (this.#end?.error) return controller.error(this.#end.error);
      if (this.#end) return controller.close();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #stop(): void {
    this.#timer.clear();
    this.#wake?.();
  }
}

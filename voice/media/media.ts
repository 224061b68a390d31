/**
 * The media of one voice session: a socket, the discovery of its address, a cipher, and the packets in both directions.
 *
 * It lasts from READY to the end of the session, over all connections to the voice gateway.
 */

import { Timer } from "../../ratelimit/timer.ts";
import type { Platform } from "../../shard/pipe/platform.ts";
import type { DatagramSocket, OpenUdp } from "./datagram.ts";
import { type DiscoveredAddress, Discovery, type DiscoveryOutput, encodeKeepAlive } from "./discovery.ts";
import { VoiceMediaError } from "./media_error.ts";
import type { EncryptionMode, MediaServer } from "../wire/payload.ts";
import { type MediaCounters, type MediaPacket, MediaReceiver } from "./receiver.ts";
import { encodeRtpHeader, RtpClock } from "./rtp.ts";
import type { createTransportCipher, TransportCipher } from "./transport_encryption.ts";

/** How long the discovery of the address may take. */
export interface DiscoveryTimes {
  /**
   * How long a response may take before the request is sent again, in ms.
   *
   * @default {1_000}
   */
  readonly retryMs?: number;
  /**
   * How long all of it may take, in ms.
   *
   * @default {10_000}
   */
  readonly timeoutMs?: number;
}

/** What media is made from, and its callbacks. */
export interface MediaOptions {
  /** From READY. */
  readonly server: MediaServer;
  /** Opens the socket. */
  readonly openUdp: OpenUdp;
  /** Clock, timers and randomness. */
  readonly platform: Platform;
  /** How long the discovery of the address may take. */
  readonly discovery: DiscoveryTimes;
  /** Makes the cipher of the session's key. */
  readonly createCipher: typeof createTransportCipher;
  /** The address was found. */
  onFound(address: DiscoveredAddress): void;
  /** Frames may be sent and come in. */
  onOpen(): void;
  /** A packet of sound came. */
  onPacket(packet: MediaPacket): void;
  /** The media has failed. Called once, last. */
  onFailed(error: Error): void;
}

/** How often a keepalive datagram is sent, in ms. */
const KEEP_ALIVE_MS = 5_000;

/** The media of one voice session. */
export class Media {
  readonly #options: MediaOptions;
  readonly #clock: RtpClock;
  #discovery: Discovery | null = null;
  #socket: DatagramSocket | null = null;
  #cipher: TransportCipher | null = null;
  #receiver: MediaReceiver | null = null;
  readonly #timer: Timer;
  #keepAlives = 0;
  #sent = 0;
  #over = false;
  /** Packets are sent in the order of their numbers, also where sealing gives promises. */
  #tail: Promise<void> | null = null;

  /** Opens nothing yet. */
  constructor(options: MediaOptions) {
    this.#options = options;
    this.#timer = new Timer(options.platform);
    const { platform, server: { ssrc } } = options;
    const random = (bits: number) => Math.floor(platform.random() * 2 ** bits);
    this.#clock = new RtpClock({ sequence: random(16), timestamp: random(32), ssrc });
  }

  /** Whether frames can be sent. */
  get open(): boolean {
    return this.#cipher !== null && !this.#over;
  }

  /** What came in; `null` before the key. */
  get counters(): MediaCounters | null {
    return this.#receiver?.counters ?? null;
  }

  /** Packets sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Opens the socket and starts the discovery. */
  async start(): Promise<void> {
    const { server: { ip, port, ssrc }, openUdp, platform, discovery } = this.#options;
    try {
      const socket = await openUdp({ address: ip, port }, {
        receive: (datagram) => this.#receive(datagram),
        failed: (error) => this.#fail(error),
      });
      if (this.#over) return socket.close();
      this.#socket = socket;
    } catch (error) {
      return this.#fail(error);
    }
    this.#discovery = new Discovery({ ...discovery, ssrc, now: platform.now() });
    this.#discover(this.#discovery, this.#discovery.tick(platform.now()));
  }

  /** The session has its key. */
  async setKey(mode: EncryptionMode, key: Uint8Array): Promise<void> {
    try {
      const cipher = await this.#options.createCipher({ mode, key });
      if (this.#over) return;
      this.#receiver = new MediaReceiver(cipher, (packet) => {
        if (!this.#over) this.#options.onPacket(packet);
      });
      this.#cipher = cipher;
    } catch (error) {
      return this.#fail(error);
    }
    this.#options.onOpen();
  }

  /** Sends a frame in the next slot. A promise resolves when it was sent. */
  send(frame: Uint8Array): Promise<void> | void {
    const cipher = this.#cipher;
    if (cipher === null || this.#over) return;
    try {
      const sealed = cipher.seal(encodeRtpHeader(this.#clock.next()), frame);
      if (this.#tail === null && !(sealed instanceof Promise)) return this.#write(sealed);
      return this.#tail = this.#writeAfter(this.#tail, sealed);
    } catch (error) {
      if (!(error instanceof VoiceMediaError && error.code === "ERR_NONCE_EXHAUSTED")) throw error;
      // A new session brings a new key.
      this.#fail(error);
    }
  }

  /** Slots pass without a frame. */
  skip(slots: number): void {
    this.#clock.skip(slots);
  }

  /** Closes the socket. */
  close(): void {
    this.#over = true;
    this.#timer.clear();
    this.#socket?.close();
  }

  async #writeAfter(before: Promise<void> | null, sealed: Uint8Array | Promise<Uint8Array>): Promise<void> {
    try {
      const packet = await sealed;
      await before;
      this.#write(packet);
    } catch (error) {
      this.#fail(error);
    }
  }

  #write(packet: Uint8Array): void {
    if (this.#over) return;
    this.#sent++;
    this.#socket?.send(packet);
  }

  #receive(datagram: Uint8Array): void {
    const discovery = this.#discovery;
    if (this.#over) return;
    if (discovery !== null) this.#discover(discovery, discovery.receive(datagram));
    else this.#receiver?.receive(datagram);
  }

  #discover(discovery: Discovery, output: DiscoveryOutput | null): void {
    switch (output?.type) {
      case "found":
        this.#discovery = null;
        this.#keepAlive();
        return this.#options.onFound(output.found);
      case "failed":
        return this.#fail(
          new VoiceMediaError(
            `Cannot find the address: the media server responds to one of ${output.attempts} requests: none`,
            { code: "ERR_VOICE_MEDIA_DISCOVERY" },
          ),
        );
      case "send":
        this.#socket?.send(output.packet);
    }
    const { platform } = this.#options;
    this.#timer.set(
      discovery.deadline - platform.now(),
      () => this.#discover(discovery, discovery.tick(platform.now())),
    );
  }

  #keepAlive(): void {
    this.#timer.set(KEEP_ALIVE_MS, () => {
      this.#socket?.send(encodeKeepAlive(this.#keepAlives++));
      this.#keepAlive();
    });
  }

  #fail(cause: unknown): void {
    if (this.#over) return;
    this.close();
    this.#options.onFailed(cause instanceof Error ? cause : new Error(String(cause)));
  }
}

/**
 * From datagrams to packets of sound, in order.
 *
 * Each datagram is classified, decrypted, and stripped of extension and padding. One that is no sound is dropped and
 * counted, and never throws: anybody can send a datagram. One cipher gives results at once, the other gives promises that
 * may overtake each other; packets are delivered in the order in which they came in either case.
 */

import type { Awaitable } from "./aead_interface.ts";
import { packetKind, parseRtpHeader, type RtpHeader, stripPayload } from "./rtp.ts";
import { packetNonce, type TransportCipher } from "./transport_encryption.ts";

/** A packet of sound; its payload is an Opus frame, end-to-end encrypted where the call is. */
export interface MediaPacket {
  /** Counts packets, 16 bits. */
  readonly sequence: number;
  /** Counts samples at 48 kHz, 32 bits. */
  readonly timestamp: number;
  /** The source of the packet, 32 bits. */
  readonly ssrc: number;
  /** The frame. */
  readonly payload: Uint8Array;
}

/** Why a datagram was dropped. */
export type MediaDropReason =
  /** Neither RTP nor RTCP: a response to a discovery, the echo of a keepalive, a stray. */
  | "foreign"
  /** RTCP, which is not used. */
  | "rtcp"
  /** RTP, but no Opus. */
  | "not_opus"
  /** Cut short. */
  | "short"
  /** Changed on the way, or sealed with another key. */
  | "forged"
  /** Its nonce has come before, with the same SSRC. */
  | "replayed"
  /** Its lengths contradict each other. */
  | "malformed"
  /** Nothing but padding. */
  | "empty";

/** Counts of datagrams. */
export interface MediaCounters {
  /** Packets delivered. */
  readonly received: number;
  /** Datagrams dropped, by reason. */
  readonly dropped: { readonly [Reason in MediaDropReason]: number };
}

/** Nonces remembered: at 50 packets a second and speaker, over a minute for one speaker. */
const REMEMBERED_NONCES = 4096;

/**
 * Receives the packets of one voice session.
 *
 * @example
 * ```ts
 * import { createTransportCipher, encodeRtpHeader, MediaReceiver } from "@discordgateway/edge/voice/core";
 *
 * const cipher = await createTransportCipher({ mode: "aead_xchacha20_poly1305_rtpsize", key: new Uint8Array(32) });
 * const heard: string[] = [];
 * const receiver = new MediaReceiver(cipher, ({ ssrc, payload }) => heard.push(`${ssrc}: ${payload}`));
 *
 * const packet = await cipher.seal(encodeRtpHeader({ sequence: 1, timestamp: 2, ssrc: 3 }), new Uint8Array([4, 5]));
 * receiver.receive(packet);
 * receiver.receive(packet);
 * if (heard.join() !== "3: 4,5" || receiver.counters.dropped.replayed !== 1) throw new Error("unexpected");
 * ```
 */
export class MediaReceiver {
  readonly #cipher: TransportCipher;
  readonly #deliver: (packet: MediaPacket) => void;
  readonly #nonces = new RecentNonces(REMEMBERED_NONCES);
  readonly #dropped = {
    foreign: 0,
    rtcp: 0,
    not_opus: 0,
    short: 0,
    forged: 0,
    replayed: 0,
    malformed: 0,
    empty: 0,
  };
  #received = 0;
  /** Packets that are being opened, in order; `null` while there is none. */
  #tail: Promise<void> | null = null;
  #waiting = 0;

  /**
   * Starts with nothing received.
   *
   * @param cipher Opens the packets.
   * @param deliver Takes them, in order; must not throw.
   */
  constructor(cipher: TransportCipher, deliver: (packet: MediaPacket) => void) {
    this.#cipher = cipher;
    this.#deliver = deliver;
  }

  /** Counts of datagrams. */
  get counters(): MediaCounters {
    return { received: this.#received, dropped: { ...this.#dropped } };
  }

  /** A datagram came. Never throws. */
  receive(packet: Uint8Array): void {
    const header = this.#readHeader(packet);
    const nonce = packetNonce(packet);
    if (header === null || nonce === null) return;
    if (this.#nonces.has(header.ssrc, nonce)) {
      this.#dropped.replayed++;
      return;
    }
    this.#inOrder(this.#cipher.open(packet, header.clearBytes), (payload) => {
      this.#opened({ header, nonce, payload });
    });
  }

  /** Resolves when every packet received so far is delivered or dropped. */
  async settled(): Promise<void> {
    while (this.#tail !== null) await this.#tail;
  }

  #readHeader(packet: Uint8Array): RtpHeader | null {
    const kind = packetKind(packet);
    if (kind === "opus") {
      const header = parseRtpHeader(packet);
      if (header === null) this.#dropped.short++;
      return header;
    }
    this.#dropped[kind === "other" ? "foreign" : kind === "rtcp" ? "rtcp" : "not_opus"]++;
    return null;
  }

  #opened(
    { header, nonce, payload }: {
      readonly header: RtpHeader;
      readonly nonce: number;
      readonly payload: Uint8Array | null;
    },
  ): void {
    // Only nonces of authentic packets are remembered: a forger cannot use up a nonce.
    if (payload === null) this.#dropped.forged++;
    else if (!this.#nonces.add(header.ssrc, nonce)) this.#dropped.replayed++;
    else this.#deliverSound(header, stripPayload(header, payload));
  }

  #deliverSound({ sequence, timestamp, ssrc }: RtpHeader, payload: Uint8Array | null): void {
    if (payload === null) {
      this.#dropped.malformed++;
    } else if (payload.length === 0) {
      this.#dropped.empty++;
    } else {
      this.#received++;
      this.#deliver({ sequence, timestamp, ssrc, payload });
    }
  }

  /** Calls `go` at once if no packet is before it, and otherwise after those. */
  #inOrder<T>(result: Awaitable<T>, go: (value: T) => void): void {
    if (this.#tail === null && !(result instanceof Promise)) {
      go(result);
      return;
    }
    this.#waiting++;
    this.#tail = this.#after(this.#tail, result, go);
  }

  async #after<T>(before: Promise<void> | null, result: Awaitable<T>, go: (value: T) => void): Promise<void> {
    const value = await result;
    await before;
    go(value);
    if (--this.#waiting === 0) this.#tail = null;
  }
}

/**
 * The newest nonces, up to a capacity. They are kept for each speaker: whether the server counts for all of them or for each
 * is not known, and a packet is no replay of another speaker's.
 */
class RecentNonces {
  readonly #ring: Float64Array;
  readonly #known = new Set<number>();
  #count = 0;

  constructor(size: number) {
    this.#ring = new Float64Array(size);
  }

  has(ssrc: number, nonce: number): boolean {
    return this.#known.has(keyOf(ssrc, nonce));
  }

  /** Returns whether it is new. */
  add(ssrc: number, nonce: number): boolean {
    const key = keyOf(ssrc, nonce);
    if (this.#known.has(key)) return false;
    const at = this.#count % this.#ring.length;
    if (this.#count >= this.#ring.length) this.#known.delete(this.#ring[at] ?? 0);
    this.#ring[at] = key;
    this.#known.add(key);
    this.#count++;
    return true;
  }
}

/** All of the nonce and 21 bits of the SSRC: as much as fits in an integer. */
function keyOf(ssrc: number, nonce: number): number {
  return nonce * 2 ** 21 + ssrc % 2 ** 21;
}

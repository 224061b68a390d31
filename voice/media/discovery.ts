/**
 * Finds this side's address as the media server sees it. The server is asked by UDP, which loses packets.
 *
 * The codec, and a small machine that sends the request again until a response comes or a deadline passes. And the keepalive
 * datagram, which keeps the path through routers open while nobody speaks.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#ip-discovery
 */

const PACKET_BYTES = 74;
const BODY_BYTES = 70;
const ADDRESS_BYTES = 64;
const REQUEST = 1;
const RESPONSE = 2;

/** What a discovery finds out. */
export interface DiscoveredAddress {
  /** This side's address, as the server sees it. */
  readonly address: string;
  /** This side's port, as the server sees it. */
  readonly port: number;
}

/**
 * Writes the request.
 *
 * @example
 * ```ts
 * import { encodeDiscovery } from "@discordgateway/edge/voice/core";
 *
 * const packet = encodeDiscovery(0x01020304);
 * if (packet.length !== 74 || packet.subarray(0, 8).join() !== "0,1,0,70,1,2,3,4") throw new Error("unexpected");
 * ```
 */
export function encodeDiscovery(ssrc: number): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(PACKET_BYTES);
  const view = new DataView(packet.buffer);
  view.setUint16(0, REQUEST);
  view.setUint16(2, BODY_BYTES);
  view.setUint32(4, ssrc);
  return packet;
}

/**
 * Reads the response.
 *
 * @returns `null` if the packet is no response, or one to another SSRC.
 *
 * @example
 * ```ts
 * import { encodeDiscovery, parseDiscovery } from "@discordgateway/edge/voice/core";
 *
 * const packet = encodeDiscovery(7);
 * if (parseDiscovery(packet, 7) !== null) throw new Error("a request is no response");
 * packet[1] = 2;
 * packet.set(new TextEncoder().encode("192.0.2.1"), 8);
 * packet[73] = 80;
 * const found = parseDiscovery(packet, 7);
 * if (found?.address !== "192.0.2.1" || found.port !== 80) throw new Error("unexpected");
 * ```
 */
export function parseDiscovery(packet: Uint8Array, ssrc: number): DiscoveredAddress | null {
  if (packet.length !== PACKET_BYTES) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (view.getUint16(0) !== RESPONSE || view.getUint16(2) !== BODY_BYTES || view.getUint32(4) !== ssrc) {
    return null;
  }
  const field = packet.subarray(8, 8 + ADDRESS_BYTES);
  const end = field.indexOf(0);
  const address = String.fromCharCode(...field.subarray(0, end < 0 ? ADDRESS_BYTES : end));
  const port = view.getUint16(PACKET_BYTES - 2);
  // Digits, letters, dots and colons: what IPv4 and IPv6 are written in.
  return port > 0 && /^[0-9A-Fa-f.:]+$/.test(address) ? { address, port } : null;
}

/**
 * Writes the keepalive datagram: a counter of four bytes, and four zeros.
 *
 * @example
 * ```ts
 * import { encodeKeepAlive } from "@discordgateway/edge/voice/core";
 *
 * if (encodeKeepAlive(258).join() !== "2,1,0,0,0,0,0,0") throw new Error("unexpected");
 * ```
 */
export function encodeKeepAlive(counter: number): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(8);
  new DataView(packet.buffer).setUint32(0, counter >>> 0, true);
  return packet;
}

/** What a discovery is made from. */
export interface DiscoveryOptions {
  /** This client's RTP source, from READY. */
  readonly ssrc: number;
  /** The present, in ms on the clock of all later inputs. */
  readonly now: number;
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

/** What a discovery asks the caller to do. */
export type DiscoveryOutput =
  /** Send this datagram. */
  | { readonly type: "send"; readonly packet: Uint8Array<ArrayBuffer> }
  /** The address was found. */
  | { readonly type: "found"; readonly found: DiscoveredAddress }
  /** No response came. */
  | { readonly type: "failed"; readonly attempts: number };

/**
 * One discovery: sends the request at once, and again until a response or the deadline.
 *
 * @example
 * ```ts
 * import { Discovery } from "@discordgateway/edge/voice/core";
 *
 * const discovery = new Discovery({ ssrc: 7, now: 0 });
 * if (discovery.tick(0)?.type !== "send" || discovery.deadline !== 1_000) throw new Error("unexpected");
 * if (discovery.tick(999) !== null || discovery.tick(1_000)?.type !== "send") throw new Error("unexpected");
 * if (discovery.tick(10_000)?.type !== "failed" || discovery.deadline !== Infinity) throw new Error("unexpected");
 * ```
 */
export class Discovery {
  readonly #ssrc: number;
  readonly #retryMs: number;
  readonly #endAt: number;
  #nextAt: number;
  #attempts = 0;
  #over = false;

  /** Sends the first request at the first `tick`. */
  constructor({ ssrc, now, retryMs = 1_000, timeoutMs = 10_000 }: DiscoveryOptions) {
    this.#ssrc = ssrc;
    this.#retryMs = retryMs;
    this.#endAt = now + timeoutMs;
    this.#nextAt = now;
  }

  /** When to call `tick` next, in ms; `Infinity` when it has ended. */
  get deadline(): number {
    return this.#over ? Infinity : Math.min(this.#nextAt, this.#endAt);
  }

  /** Time has passed. */
  tick(now: number): DiscoveryOutput | null {
    if (this.#over) return null;
    if (now >= this.#endAt) {
      this.#over = true;
      return { type: "failed", attempts: this.#attempts };
    }
    if (now < this.#nextAt) return null;
    this.#attempts++;
    this.#nextAt = now + this.#retryMs;
    return { type: "send", packet: encodeDiscovery(this.#ssrc) };
  }

  /** A datagram came; one that is no response is ignored. */
  receive(packet: Uint8Array): DiscoveryOutput | null {
    const found = this.#over ? null : parseDiscovery(packet, this.#ssrc);
    if (found === null) return null;
    this.#over = true;
    return { type: "found", found };
  }
}

/**
 * The encryption between this client and the voice server, in Discord's two `rtpsize` modes:
 *
 * `header, contributors, first 4 bytes of the extension | ciphertext | tag, 16 bytes | nonce, 4 bytes`
 *
 * The clear part is authenticated. The cipher's own nonce is the four bytes, then zeros. They count up and are never used
 * again with one key: not after a packet that was lost, and not after a resume, which keeps the key. So there is one cipher
 * for each key, as long as the key is in use.
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#transport-encryption-and-sending-voice
 */

import { aesGcm, xChaCha20Poly1305 } from "./aead.ts";
import type { Aead, Awaitable } from "./aead_interface.ts";
import { copyOf } from "../wire/bytes.ts";
import { VoiceMediaError } from "./media_error.ts";
import type { EncryptionMode } from "../wire/payload.ts";

const NONCE_BYTES = 4;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

/** What a cipher is made from: the `key` output of a voice state. */
export interface TransportCipherOptions {
  /** The mode. */
  readonly mode: EncryptionMode;
  /** 32 bytes. */
  readonly key: Uint8Array;
  /**
   * The first nonce.
   *
   * @default {0}
   */
  readonly firstNonce?: number;
}

/** Seals and opens the packets of one voice session. */
export interface TransportCipher {
  /** The mode. */
  readonly mode: EncryptionMode;
  /**
   * Makes a packet of its clear part and the rest. The nonce is taken in the order of the calls, whatever the order
   * of the results.
   *
   * @throws {VoiceMediaError} `ERR_NONCE_EXHAUSTED`: all 2 ** 32 nonces are used; thrown at once.
   */
  seal(clear: Uint8Array, plain: Uint8Array): Awaitable<Uint8Array<ArrayBuffer>>;
  /** Opens a packet of which the first bytes are in the clear; `null` if it was changed, or is too short. Never throws. */
  open(packet: Uint8Array, clearBytes: number): Awaitable<Uint8Array | null>;
}

/**
 * Makes the cipher for a key.
 *
 * @throws {RangeError} A key that is not 32 bytes long, or a first nonce that does not fit in 32 bits.
 *
 * @example
 * ```ts
 * import { createTransportCipher, encodeRtpHeader } from "@discordgateway/edge/voice/core";
 *
 * const key = new Uint8Array(32).fill(7);
 * const cipher = await createTransportCipher({ mode: "aead_aes256_gcm_rtpsize", key });
 * const header = encodeRtpHeader({ sequence: 1, timestamp: 960, ssrc: 7 });
 * const packet = await cipher.seal(header, new Uint8Array([1, 2, 3]));
 * if (packet.length !== 12 + 3 + 16 + 4) throw new Error("unexpected");
 * if ((await cipher.open(packet, 12))?.join() !== "1,2,3") throw new Error("unexpected");
 * packet[12] = 0;
 * if (await cipher.open(packet, 12) !== null) throw new Error("unexpected");
 * ```
 */
export async function createTransportCipher(options: TransportCipherOptions): Promise<TransportCipher> {
  const { mode, key, firstNonce = 0 } = options;
  if (key.length !== KEY_BYTES) {
    throw new RangeError(`Cannot make a cipher: a key has ${KEY_BYTES} bytes: ${key.length}`);
  }
  if (!Number.isInteger(firstNonce) || firstNonce < 0 || firstNonce >= 2 ** 32) {
    throw new RangeError(`Cannot make a cipher: the first nonce is an integer of 32 bits: ${firstNonce}`);
  }
  const own = copyOf(key);
  const aead = mode === "aead_aes256_gcm_rtpsize" ? await aesGcm(own) : xChaCha20Poly1305(own);
  return new RtpSizeCipher(mode, aead, firstNonce);
}

/** Either mode, over its cipher. */
export class RtpSizeCipher implements TransportCipher {
  readonly mode: EncryptionMode;
  readonly #aead: Aead;
  /** The present nonce: four bytes that change, then zeros. */
  readonly #nonce: Uint8Array;
  readonly #view: DataView;
  #nextNonce: number;

  /** The cipher has its key, and no nonce from the first one on has been used with it. */
  constructor(mode: EncryptionMode, aead: Aead, firstNonce: number) {
    this.mode = mode;
    this.#aead = aead;
    const nonce = new Uint8Array(aead.nonceBytes);
    this.#nonce = nonce;
    this.#view = new DataView(nonce.buffer);
    this.#nextNonce = firstNonce;
  }

  seal(clear: Uint8Array, plain: Uint8Array): Awaitable<Uint8Array<ArrayBuffer>> {
    if (this.#nextNonce >= 2 ** 32) {
      throw new VoiceMediaError("Cannot encrypt a packet: a key serves at most 2 ** 32 nonces", {
        code: "ERR_NONCE_EXHAUSTED",
      });
    }
    const nonce = this.#nextNonce++;
    this.#view.setUint32(0, nonce);
    const tail = clear.length + plain.length + TAG_BYTES;
    const packet = new Uint8Array(tail + NONCE_BYTES);
    packet.set(clear);
    new DataView(packet.buffer).setUint32(tail, nonce);
    const input = { nonce: this.#nonce, additional: clear };
    const done = this.#aead.encrypt(input, plain, packet.subarray(clear.length, tail));
    return done instanceof Promise ? done.then(() => packet) : packet;
  }

  open(packet: Uint8Array, clearBytes: number): Awaitable<Uint8Array | null> {
    const end = packet.length - NONCE_BYTES;
    if (end - TAG_BYTES < clearBytes) return null;
    this.#nonce.set(packet.subarray(end));
    const input = { nonce: this.#nonce, additional: packet.subarray(0, clearBytes) };
    return this.#aead.decrypt(input, packet.subarray(clearBytes, end));
  }
}

/**
 * The four bytes of a packet's nonce as a number, to recognise it; `null` if the packet is too short for one.
 *
 * @example
 * ```ts
 * import { packetNonce } from "@discordgateway/edge/voice/core";
 *
 * if (packetNonce(new Uint8Array([9, 9, 0, 0, 1, 2])) !== 258) throw new Error("unexpected");
 * ```
 */
export function packetNonce(packet: Uint8Array): number | null {
  if (packet.length < NONCE_BYTES) return null;
  return new DataView(packet.buffer, packet.byteOffset, packet.byteLength).getUint32(
    packet.length - NONCE_BYTES,
  );
}

/**
 * The SFU's side of the transport encryption: both `rtpsize` modes, written on their own and not with what a client uses.
 *
 * `header, contributors, first 4 bytes of the extension | ciphertext | tag, 16 bytes | nonce, 4 bytes`
 *
 * @see https://docs.discord.com/developers/topics/voice-connections#transport-encryption-and-sending-voice
 */

import { gcm } from "@noble/ciphers/aes.js";
import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";
import { type Bytes, concat } from "../mls/codec.ts";

const NONCE_BYTES = 4;
const TAG_BYTES = 16;

function cipher(mode: string, key: Uint8Array, nonce: Uint8Array, clear: Uint8Array): ReturnType<typeof gcm> {
  const long = new Uint8Array(mode === "aead_aes256_gcm_rtpsize" ? 12 : 24);
  long.set(nonce);
  return mode === "aead_aes256_gcm_rtpsize" ? gcm(key, long, clear) : xchacha20poly1305(key, long, clear);
}

/** A mode and a key of 32 bytes. */
export interface PacketKey {
  /** The mode. */
  readonly mode: string;
  /** The key. */
  readonly key: Uint8Array;
}

/** The four bytes at the end as a number. */
export function nonceOf(packet: Uint8Array): number {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  return view.getUint32(packet.length - NONCE_BYTES);
}

/** Opens a packet of which the first bytes are in the clear; `null` if it was changed. */
export function openPacket({ mode, key }: PacketKey, packet: Uint8Array, clearBytes: number): Bytes | null {
  const end = packet.length - NONCE_BYTES;
  if (end - TAG_BYTES < clearBytes) return null;
  try {
    const opened = cipher(mode, key, packet.slice(end), packet.slice(0, clearBytes))
      .decrypt(packet.slice(clearBytes, end));
    return Uint8Array.from(opened);
  } catch {
    return null;
  }
}

/** Makes a packet. */
export function sealPacket(
  { mode, key }: PacketKey,
  { clear, plain, nonce }: { readonly clear: Uint8Array; readonly plain: Uint8Array; readonly nonce: number },
): Bytes {
  const short = new Uint8Array(NONCE_BYTES);
  // A client copies the bytes and cannot know their order: Discord's is the low one first.
  new DataView(short.buffer).setUint32(0, nonce, true);
  return concat(clear, cipher(mode, key, short, clear).encrypt(plain), short);
}

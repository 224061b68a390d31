/** The end of a transport key. */

/**
 * Every nonce of a transport key was used. A new voice session brings a new key: rejoin.
 *
 * @example
 * ```ts
 * import { createTransportCipher, NonceExhaustedError } from "@discordgateway/edge/voice";
 *
 * const mode = "aead_xchacha20_poly1305_rtpsize";
 * const cipher = await createTransportCipher({ mode, key: new Uint8Array(32), firstNonce: 0xffff_ffff });
 * await cipher.seal(new Uint8Array(12), new Uint8Array(3));
 * try {
 *   await cipher.seal(new Uint8Array(12), new Uint8Array(3));
 *   throw new Error("unreachable");
 * } catch (error) {
 *   if (!(error instanceof NonceExhaustedError) || error.code !== "ERR_NONCE_EXHAUSTED") throw error;
 * }
 * ```
 */
export class NonceExhaustedError extends Error {
  /** The name of the class. */
  override readonly name = "NonceExhaustedError";
  /** Stable identifier for switch statements. */
  readonly code = "ERR_NONCE_EXHAUSTED";

  /** Made by the cipher. */
  constructor() {
    super("Cannot encrypt a packet: a key serves at most 2 ** 32 nonces");
  }
}

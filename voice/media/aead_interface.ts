/** Authenticated encryption with additional data (AEAD), as the transport encryption uses it. */

/** A value, or the promise of one: WebCrypto gives promises, the other ciphers do not. */
export type Awaitable<T> = T | Promise<T>;

/** What a cipher is given besides the text. */
export interface AeadInput {
  /** As long as {@linkcode Aead.nonceBytes}. */
  readonly nonce: Uint8Array;
  /** What is in the clear, and authenticated as well. */
  readonly additional: Uint8Array;
}

/** Encrypts, and detects changes when it decrypts. The caller may reuse all buffers at once, except `out`. */
export interface Aead {
  /** The length of a nonce in bytes. */
  readonly nonceBytes: number;
  /** Writes the ciphertext and then the tag to `out`, which is 16 bytes longer than the text. */
  encrypt(input: AeadInput, plain: Uint8Array, out: Uint8Array): Awaitable<void>;
  /** Gives the text; `null` if the tag does not match. */
  decrypt(input: AeadInput, sealed: Uint8Array): Awaitable<Uint8Array | null>;
}

/** One that gives its results at once. */
export interface SyncAead extends Aead {
  encrypt(input: AeadInput, plain: Uint8Array, out: Uint8Array): void;
  decrypt(input: AeadInput, sealed: Uint8Array): Uint8Array | null;
}

/** Authenticated encryption with additional data (AEAD), as the transport encryption uses it. */

/** A value, or the promise of one: WebCrypto gives promises, the other ciphers do not. */
export type Awaitable<T> = T | Promise<T>;

/** What a cipher is given besides the text. */
export interface AeadInput {
  /** As long as {@linkcode Aead.nonceBytes}. */
  readonly nonce: Uint8Array;
  /** What is in the clear and must not be changed either. */
  readonly additional: Uint8Array;
}

/** Encrypts, and tells whether what it decrypts was changed. All that it is given, but for the room, may be used again at once. */
export interface Aead {
  /** The length of a nonce in bytes. */
  readonly nonceBytes: number;
  /** Writes the ciphertext and after it the tag into a room for both: 16 bytes more than the text. */
  encrypt(input: AeadInput, plain: Uint8Array, room: Uint8Array): Awaitable<void>;
  /** Gives the text; `null` if the tag does not fit. */
  decrypt(input: AeadInput, sealed: Uint8Array): Awaitable<Uint8Array | null>;
}

/** One that answers at once. */
export interface SyncAead extends Aead {
  encrypt(input: AeadInput, plain: Uint8Array, room: Uint8Array): void;
  decrypt(input: AeadInput, sealed: Uint8Array): Uint8Array | null;
}

/**
 * What the DAVE machine needs of a library that does the cryptography: MLS for the group, AES for the frames.
 *
 * Nothing here names a library. A program that needs end-to-end encryption passes a {@linkcode DaveProvider}; `davey.ts`
 * makes one from @snazzah/davey.
 *
 * @see https://daveprotocol.com
 */

/** Makes sessions. */
export interface DaveProvider {
  /** The newest DAVE version that it speaks; 1 is the only one that exists. */
  readonly maxVersion: number;
  /** Makes a session without a group. */
  create(options: DaveSessionOptions): DaveSession;
}

/** What a session is made from. */
export interface DaveSessionOptions {
  /** The DAVE version. */
  readonly version: number;
  /** The bot's user id. */
  readonly userId: string;
  /** The voice channel's id, which is the group's. */
  readonly channelId: string;
}

/** This client's commit to proposals, and the welcome for the users that it adds. */
export interface DaveCommit {
  /** An MLSMessage. */
  readonly commit: Uint8Array;
  /** A bare Welcome; `null` if the commit adds nobody. */
  readonly welcome: Uint8Array | null;
}

/** What became of a commit or a welcome. */
export type DaveOutcome =
  /** The group is in the epoch that it leads to. */
  | { readonly outcome: "applied" }
  /** It is not for this client, whose group is not established: nothing is wrong. */
  | { readonly outcome: "ignored"; readonly reason: string }
  /** This client cannot follow: it has to be added again. */
  | { readonly outcome: "failed"; readonly error: Error };

/** What became of a frame. */
export type DaveDecryption =
  | { readonly outcome: "decrypted"; readonly frame: Uint8Array }
  /** No key of this sender is known: it is not in the group, or not yet. */
  | { readonly outcome: "unknown_sender" }
  /** The frame is forged, damaged, replayed, or of an epoch that has passed. */
  | { readonly outcome: "failed"; readonly error: Error };

/** One member's side of one call. Synchronous, so that steps keep their order. */
export interface DaveSession {
  /** Whether it has the keys to encrypt. */
  readonly ready: boolean;
  /** The group's epoch, `null` without a group. */
  readonly epoch: bigint | null;
  /** Thirty digits that members compare to be sure of each other; empty without a group. */
  readonly privacyCode: string;
  /** Drops group and keys and starts over, as if it were new. */
  reset(version: number): void;
  /** Takes op 25's payload. Throws if it cannot be read. */
  setExternalSender(externalSender: Uint8Array): void;
  /** A fresh key package, the payload of op 26. */
  keyPackage(): Uint8Array;
  /**
   * Takes op 27's payload after the operation.
   *
   * @returns This client's commit, or `null` if there is nothing to commit.
   * @throws A proposal is invalid, such as one that adds a user who is not among the given.
   */
  processProposals(
    operation: "append" | "revoke",
    proposals: Uint8Array,
    recognizedUserIds: readonly string[],
  ): DaveCommit | null;
  /** Takes op 29's commit. */
  processCommit(commit: Uint8Array): DaveOutcome;
  /** Takes op 30's welcome. */
  processWelcome(welcome: Uint8Array): DaveOutcome;
  /** Encrypts an Opus frame. Throws if it is not ready. */
  encrypt(frame: Uint8Array): Uint8Array;
  /** Decrypts a frame of a user. */
  decrypt(userId: string, frame: Uint8Array): DaveDecryption;
}

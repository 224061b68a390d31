/**
 * The frames of an encrypted call, in both directions.
 *
 * The most important rule: at version 1 no frame is sent unless the group has given keys, and each encrypted frame is
 * checked before it is sent. Plain frames are accepted only around a change of the version; silence always, since servers
 * make it.
 */

import { isSilenceFrame, readDaveTrailer } from "./frame.ts";
import type { DaveGroup } from "./group.ts";
import type { DaveCounters, DaveDropReason, DaveReceived } from "./io.ts";

/** How long after an upgrade plain frames of slower clients are accepted, in ms. */
const UPGRADE_PASSTHROUGH_MS = 10_000;
/** The same from the announcement of a downgrade on, whose execution may come late. */
const DOWNGRADE_PASSTHROUGH_MS = 24_000;
/** How long after an announcement undecryptable frames are expected, in ms: old keys are valid as long. */
const TRANSITION_MS = 10_000;
/** Undecryptable frames in a row beyond which this client asks to be added again. */
export const MAX_FAILURES = 36;

/** The frames of one call. */
export class DaveMedia {
  readonly #group: DaveGroup;
  readonly #counters = {
    encrypted: 0,
    held: 0,
    decrypted: 0,
    passed: 0,
    dropped: { plain: 0, unknown_sender: 0, undecryptable: 0 },
  };
  /** The version that the sender uses. */
  #version = 0;
  #announcedAt = -Infinity;
  #plainUntil = -Infinity;
  #failures = 0;
  #recoveryDue = false;

  /** Nothing is encrypted. */
  constructor(group: DaveGroup) {
    this.#group = group;
  }

  /** The version that the sender uses. */
  get version(): number {
    return this.#version;
  }

  /** Too many frames in a row did not decrypt. */
  get recoveryDue(): boolean {
    return this.#recoveryDue;
  }

  /** Counts of frames. */
  get counters(): DaveCounters {
    return { ...this.#counters, dropped: { ...this.#counters.dropped } };
  }

  // The version.

  /** A call begins. */
  restart(version: number): void {
    this.#version = version;
    this.#plainUntil = -Infinity;
  }

  /** A group begins: earlier failures do not count for it. */
  forgetFailures(): void {
    this.#failures = 0;
    this.#recoveryDue = false;
  }

  /** A transition was announced: other keys may be in use. */
  announced(now: number): void {
    this.#announcedAt = now;
    this.#failures = 0;
  }

  /** A transition was executed. */
  executed(now: number): void {
    this.#announcedAt = now;
  }

  /** A transition to version 0 was announced, and some clients use it already. */
  downgrading(now: number): void {
    if (this.#version > 0) this.#plainUntil = now + DOWNGRADE_PASSTHROUGH_MS;
  }

  /** The sender uses another version. */
  moveTo(version: number, now: number): void {
    if (this.#version === 0 && version > 0) this.#plainUntil = now + UPGRADE_PASSTHROUGH_MS;
    this.#version = version;
  }

  // Frames.

  /** Encrypts a frame. `null`: there are no keys, and the frame must not be sent. */
  encrypt(frame: Uint8Array): Uint8Array | null {
    if (this.#version === 0 || isSilenceFrame(frame)) {
      this.#counters.passed++;
      return frame;
    }
    const encrypted = this.#group.ready ? this.#tryEncrypt(frame) : null;
    if (encrypted === null) this.#counters.held++;
    else this.#counters.encrypted++;
    return encrypted;
  }

  /** Decrypts a received frame; `null` for a sender whom no op 5 has named yet. */
  decrypt(userId: string | null, frame: Uint8Array, now: number): DaveReceived {
    if (isSilenceFrame(frame)) return this.#pass(frame);
    const encrypted = readDaveTrailer(frame) !== null;
    const { session } = this.#group;
    if (!encrypted || session === null) {
      return this.#version === 0 || !encrypted && now < this.#plainUntil
        ? this.#pass(frame)
        : this.#drop("plain");
    }
    if (userId === null) return this.#drop("unknown_sender");
    const result = session.decrypt(userId, frame);
    switch (result.outcome) {
      case "decrypted":
        this.#failures = 0;
        this.#counters.decrypted++;
        return { frame: result.frame, dropped: null };
      case "unknown_sender":
        return this.#drop("unknown_sender");
      case "failed":
        this.#countFailure(now);
        return this.#drop("undecryptable");
    }
  }

  #tryEncrypt(frame: Uint8Array): Uint8Array | null {
    try {
      const encrypted = this.#group.session?.encrypt(frame) ?? null;
      return encrypted !== null && readDaveTrailer(encrypted) !== null ? encrypted : null;
    } catch {
      return null;
    }
  }

  /** Around a transition, and before there is a group, frames with other keys are no failure. */
  #countFailure(now: number): void {
    if (!this.#group.established || now < this.#announcedAt + TRANSITION_MS) return;
    this.#failures++;
    if (this.#failures > MAX_FAILURES) this.#recoveryDue = true;
  }

  #pass(frame: Uint8Array): DaveReceived {
    this.#counters.passed++;
    return { frame, dropped: null };
  }

  #drop(reason: DaveDropReason): DaveReceived {
    this.#counters.dropped[reason]++;
    return { frame: null, dropped: reason };
  }
}

/**
 * Who is in a call, and whose RTP source is whose.
 *
 * Op 11 and op 13 say who is there; they alone decide whom the DAVE group may add. Op 5 says which SSRC a user sends with.
 * The roster outlives a connection: a resumed session goes on with what was known.
 */

/**
 * The users of one call, this client left out.
 *
 * @example
 * ```ts
 * import { VoiceRoster } from "@discordgateway/edge/voice/core";
 *
 * const roster = new VoiceRoster("1");
 * roster.connected(["1", "2"]);
 * roster.speaks("2", 700);
 * if (roster.userIds.join() !== "2" || roster.userOf(700) !== "2") throw new Error("unexpected");
 * roster.disconnected("2");
 * if (!roster.alone || roster.userOf(700) !== null) throw new Error("unexpected");
 * ```
 */
export class VoiceRoster {
  readonly #selfId: string;
  readonly #users = new Set<string>();
  readonly #userBySsrc = new Map<number, string>();
  readonly #ssrcByUser = new Map<string, number>();

  /** Starts empty. */
  constructor(selfId: string) {
    this.#selfId = selfId;
  }

  /** The others in the call, in the order in which they came. */
  get userIds(): readonly string[] {
    return [...this.#users];
  }

  /** Everybody whom the group may hold: the others, and this client. */
  get recognizedUserIds(): readonly string[] {
    return [...this.#users, this.#selfId];
  }

  /** Nobody else is there. */
  get alone(): boolean {
    return this.#users.size === 0;
  }

  /** Whether a user is in the call. */
  has(userId: string): boolean {
    return this.#users.has(userId);
  }

  /** The user who sends with an SSRC, `null` if that is not known. */
  userOf(ssrc: number): string | null {
    return this.#userBySsrc.get(ssrc) ?? null;
  }

  /** The SSRC that a user sends with, `null` if that is not known. */
  ssrcOf(userId: string): number | null {
    return this.#ssrcByUser.get(userId) ?? null;
  }

  /** Op 11: users are there, or have come. Returns those who were not known. */
  connected(userIds: readonly string[]): readonly string[] {
    const fresh = [...new Set(userIds)].filter((id) => id !== this.#selfId && !this.#users.has(id));
    for (const id of fresh) this.#users.add(id);
    return fresh;
  }

  /** Op 13: a user has left. Returns whether the user was there. */
  disconnected(userId: string): boolean {
    this.#forgetSource(userId);
    return this.#users.delete(userId);
  }

  /** Op 5, or op 12: a user sends with an SSRC. An SSRC belongs to one user, and a user has one for sound. */
  speaks(userId: string, ssrc: number): void {
    this.#forgetSource(userId);
    const before = this.#userBySsrc.get(ssrc);
    if (before !== undefined) this.#ssrcByUser.delete(before);
    this.#userBySsrc.set(ssrc, userId);
    this.#ssrcByUser.set(userId, ssrc);
  }

  #forgetSource(userId: string): void {
    const ssrc = this.#ssrcByUser.get(userId);
    if (ssrc === undefined) return;
    this.#ssrcByUser.delete(userId);
    this.#userBySsrc.delete(ssrc);
  }
}

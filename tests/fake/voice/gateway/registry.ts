/** Who may connect to voice: one admission to a channel after the other, each with a token of its own, and its session if it came. */

import type { VoiceCredentials, VoiceSession } from "./session.ts";

/** One stay of a user in a channel on a voice server. */
export interface VoiceAdmission {
  /** Whose it is, and where. */
  readonly credentials: VoiceCredentials;
  /** The session that was identified with the token; `null` as long as none was. */
  session: VoiceSession | null;
  /** Why it is over; `null` while it goes on. */
  over: "replaced" | "left" | "timed out" | null;
}

/** How many stays that are over are remembered. */
const REMEMBERED = 1000;

/** All stays. */
export class VoiceRegistry {
  readonly #byToken = new Map<string, VoiceAdmission>();
  readonly #present = new Map<string, VoiceAdmission>();

  /** The stays that go on, oldest first. */
  get present(): readonly VoiceAdmission[] {
    return [...this.#present.values()];
  }

  /** Sessions of stays that go on. */
  get sessions(): readonly VoiceSession[] {
    return this.present.flatMap(({ session }) => session ?? []);
  }

  /** Admits a user; an earlier admission of the same user in the same guild there was has to be ended first. */
  begin(credentials: VoiceCredentials): VoiceAdmission {
    const admission: VoiceAdmission = { credentials, session: null, over: null };
    this.#byToken.set(credentials.token, admission);
    this.#present.set(keyOf(credentials.guildId, credentials.userId), admission);
    const [oldest] = this.#byToken;
    if (oldest && this.#byToken.size > REMEMBERED && oldest[1].over) this.#byToken.delete(oldest[0]);
    return admission;
  }

  /** The stay that a token was made for, also when it is over. */
  find(token: string): VoiceAdmission | undefined {
    return this.#byToken.get(token);
  }

  /** The stay of a user in a guild. */
  of(guildId: string, userId: string): VoiceAdmission | undefined {
    return this.#present.get(keyOf(guildId, userId));
  }

  /** A voice connection is over. */
  end(admission: VoiceAdmission, why: "replaced" | "left" | "timed out"): void {
    if (admission.over !== null) return;
    admission.over = why;
    this.#present.delete(keyOf(admission.credentials.guildId, admission.credentials.userId));
  }
}

function keyOf(guildId: string, userId: string): string {
  return `${guildId} ${userId}`;
}

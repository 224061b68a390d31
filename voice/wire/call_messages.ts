/** What the voice server says of the other users in a call. */

import { VoiceOpcode } from "./opcode.ts";
import type { CallEvent } from "./payload.ts";
import { field } from "../../gateway/field.ts";
import { readSoundSource, readSpeaking, readUserIds } from "./read.ts";
import type { VoiceRoster } from "./roster.ts";

/**
 * Notes in the roster what a message says of the other users. Returns its event, `null` if there is none.
 *
 * @throws {ProtocolError} A message that cannot be understood.
 */
export function noteOthers(
  { op, d }: { readonly op: number; readonly d: unknown },
  roster: VoiceRoster,
  ownUserId: string,
): CallEvent | null {
  switch (op) {
    case VoiceOpcode.Speaking: {
      const spoken = readSpeaking(d);
      if (spoken === null || spoken.userId === ownUserId) return null;
      roster.speaks(spoken.userId, spoken.ssrc);
      return { type: "speaking", ...spoken };
    }
    case VoiceOpcode.Video: {
      // Not documented; it can name a user's source of sound before the user has spoken.
      const source = readSoundSource(d);
      if (source !== null && source.userId !== ownUserId) roster.speaks(source.userId, source.ssrc);
      return null;
    }
    case VoiceOpcode.ClientsConnect: {
      const userIds = roster.connected(readUserIds(d));
      return userIds.length === 0 ? null : { type: "connected", userIds };
    }
    case VoiceOpcode.ClientDisconnect: {
      const userId = field(d, "user_id");
      if (typeof userId !== "string" || !roster.disconnected(userId)) return null;
      return { type: "disconnected", userId };
    }
    default:
      // Discord's own clients receive many more, and new ones come without a new version.
      return null;
  }
}

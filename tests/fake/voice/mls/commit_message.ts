/** How a commit reaches one member: as the commit itself (op 29), or as a welcome (op 30); or spoilt, by a fault. */

import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import { type Bytes, concat, MlsReader, uint, vector } from "./codec.ts";
import { type DaveFaults, takeDaveFault } from "./dave_faults.ts";
import { readWelcome, SUITE } from "./messages.ts";

/** A commit that won. */
export interface WonCommit {
  /** The MLSMessage. */
  readonly commit: Bytes;
  /** By user: those that were added. */
  readonly welcomes: ReadonlyMap<string, Bytes>;
  /** The transition that it begins. */
  readonly transitionId: number;
}

/** The message for one member. */
export function commitMessage(
  userId: string,
  { commit, welcomes, transitionId }: WonCommit,
  faults: DaveFaults,
): { readonly op: number; readonly payload: Bytes } {
  const welcome = welcomes.get(userId);
  if (welcome) {
    const payload = takeDaveFault(faults, "emptyWelcomes") ? withoutSecrets(welcome) : welcome;
    return { op: VoiceOpcode.DaveMlsWelcome, payload: concat(uint(2, transitionId), payload) };
  }
  const flip = faults.flipCommitFor.indexOf(userId);
  if (flip >= 0) faults.flipCommitFor.splice(flip, 1);
  const payload = concat(uint(2, transitionId), flip >= 0 ? flipped(commit) : commit);
  return { op: VoiceOpcode.DaveMlsAnnounceCommitTransition, payload };
}

/** A welcome that welcomes nobody. */
function withoutSecrets(welcome: Bytes): Bytes {
  const { groupInfo } = readWelcome(new MlsReader(welcome));
  return concat(uint(2, SUITE), vector(), vector(groupInfo));
}

/** A commit of which one bit is another. */
function flipped(commit: Bytes): Bytes {
  return commit.map((byte, at) => at === commit.length - 9 ? byte ^ 1 : byte);
}

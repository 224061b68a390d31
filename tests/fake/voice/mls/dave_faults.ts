/** What can be made to go wrong in the end-to-end encryption. Counts go down as they are used. */

import type { ProposalFault } from "./delivery_service.ts";

/** Faults of DAVE's delivery service. */
export interface DaveFaults {
  /** What is wrong with the next proposals, one each. @default {[]} */
  proposals: ProposalFault[];
  /** So many next welcomes have no secret for whom they go to. @default {0} */
  emptyWelcomes: number;
  /** The users who get the next commit with one bit flipped. @default {[]} */
  flipCommitFor: string[];
  /** An add and a removal are sent in two op 27, the add first: clients lose the welcome, and it is mended. @default {false} */
  splitAddRemove: boolean;
  /** So many next adds are sent, taken back, and sent again. @default {0} */
  revokeAdds: number;
  /** Before there is a group, members are asked to add themselves as well. @default {false} */
  ownAdd: boolean;
  /** Commits are announced with transition 0, which takes effect at once. @default {false} */
  zeroTransitions: boolean;
  /** So many next transitions are prepared and never executed. @default {0} */
  silentExecute: number;
  /** A commit that newer proposals have overtaken is announced all the same. @default {false} */
  announceOvertaken: boolean;
}

/** Everything works. */
export function noDaveFaults(): DaveFaults {
  return {
    proposals: [],
    emptyWelcomes: 0,
    flipCommitFor: [],
    splitAddRemove: false,
    revokeAdds: 0,
    ownAdd: false,
    zeroTransitions: false,
    silentExecute: 0,
    announceOvertaken: false,
  };
}

/** Uses up one of a count of faults; `false` if none is left. */
export function takeDaveFault(
  faults: DaveFaults,
  name: "emptyWelcomes" | "revokeAdds" | "silentExecute",
): boolean {
  if (faults[name] <= 0) return false;
  faults[name]--;
  return true;
}

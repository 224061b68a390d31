/** What can be made to go wrong. Every field may be set and changed at any time; counts go down as they are used. */

/** The faults of a {@linkcode FakeDiscord}. */
export interface Faults {
  /** The next dials are rejected with these HTTP statuses, one each. @default {[]} */
  rejectDials: number[];
  /** So many next dials are never answered. @default {0} */
  blackHoleDials: number;
  /** The next REST calls are answered with these HTTP statuses, one each. @default {[]} */
  rejectRequests: number[];
  /** Frames have their keys in another order: `d`, `op`, `s`, `t`. @default {false} */
  reorderKeys: boolean;
  /** A server cuts each message into WebSocket fragments, and these into pieces on the wire. @default {false} */
  splitFrames: boolean;
  /** A server sends HELLO in the same segment as its response to the handshake. @default {false} */
  coalesceHello: boolean;
  /** Heartbeats are not acknowledged. @default {false} */
  muteAcks: boolean;
  /** So many next connections get no HELLO. @default {0} */
  silentHello: number;
  /** So many next identifies get no READY, and no session. @default {0} */
  silentReady: number;
  /** Guilds do not come after READY, nor anything of them, until a connection's `sendGuilds()`. @default {false} */
  withholdGuilds: boolean;
  /** So many next resumes get their replay, but no RESUMED. @default {0} */
  silentResumed: number;
  /** So many next resumes are refused by op 9 with `false`. @default {0} */
  refuseResumes: number;
  /** So many next commands that ask something are not answered. @default {0} */
  muteResponses: number;
  /** The answers to the next command with these indexes, from 0, are lost. @default {[]} */
  loseResponses: number[];
  /** The answers to a command come in reverse order. @default {false} */
  reverseResponses: boolean;
  /** The connection is cut once after so many answers to one command; the rest waits for a resume. @default {0} */
  cutAfterResponses: number;
}

/** Those of a socket. */
export type SocketFaults = Pick<Faults, "splitFrames" | "coalesceHello">;

/** Everything works. */
export function noFaults(): Faults {
  return {
    rejectDials: [],
    blackHoleDials: 0,
    rejectRequests: [],
    reorderKeys: false,
    splitFrames: false,
    coalesceHello: false,
    muteAcks: false,
    silentHello: 0,
    silentReady: 0,
    withholdGuilds: false,
    silentResumed: 0,
    refuseResumes: 0,
    muteResponses: 0,
    loseResponses: [],
    reverseResponses: false,
    cutAfterResponses: 0,
  };
}

/** Uses up one of a count of faults; `false` if none is left. */
export function takeOne(
  faults: Faults,
  name:
    | "blackHoleDials"
    | "silentHello"
    | "silentReady"
    | "silentResumed"
    | "refuseResumes"
    | "muteResponses",
): boolean {
  if (faults[name] <= 0) return false;
  faults[name]--;
  return true;
}

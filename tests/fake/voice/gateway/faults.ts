/** What can be made to go wrong in voice. Every field may be set and changed at any time; counts go down as they are used. */

import { type DaveFaults, noDaveFaults } from "../mls/dave_faults.ts";

/** The transport encryptions that Discord offers, its favourite first. */
export const ENCRYPTION_MODES = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"] as const;

/** Faults of the voice gateway and its UDP server. */
export interface VoiceFaults {
  /** The next dials are rejected with these HTTP statuses, one each. @default {[]} */
  rejectDials: number[];
  /** So many next dials are never answered. @default {0} */
  blackHoleDials: number;
  /** A server cuts each message into WebSocket fragments, and these into pieces on the wire. @default {false} */
  splitFrames: boolean;
  /** A server sends HELLO in the same segment as its response to the handshake. @default {false} */
  coalesceHello: boolean;
  /** Heartbeats are not acknowledged. @default {false} */
  muteAcks: boolean;
  /** So many next connections get no HELLO. @default {0} */
  silentHello: number;
  /** So many next identifies get no READY. @default {0} */
  silentReady: number;
  /** So many next select protocols get no session description. @default {0} */
  silentDescription: number;
  /** So many next resumes get their replay, but no RESUMED. @default {0} */
  silentResumed: number;
  /** So many next resumes are refused with 4006. @default {0} */
  refuseResumes: number;
  /** A resume is answered by the replay first, and RESUMED after it. @default {false} */
  replayBeforeResumed: boolean;
  /** The encryption modes that READY offers. @default {both of Discord's} */
  modes: readonly string[];
  /** So many next discoveries get no response. @default {0} */
  silentDiscovery: number;
  /** Before it responds to a discovery, the server sends datagrams that are no response. @default {false} */
  strayDatagrams: boolean;
  /** Keepalives are not echoed. @default {false} */
  muteKeepAlives: boolean;
  /** Packets of sound come without the header extension and padding that Discord's have. @default {false} */
  bareRtp: boolean;
  /** Faults of the end-to-end encryption. */
  readonly dave: DaveFaults;
}

/** Everything works. */
export function noVoiceFaults(): VoiceFaults {
  return {
    rejectDials: [],
    blackHoleDials: 0,
    splitFrames: false,
    coalesceHello: false,
    muteAcks: false,
    silentHello: 0,
    silentReady: 0,
    silentDescription: 0,
    silentResumed: 0,
    refuseResumes: 0,
    replayBeforeResumed: false,
    modes: ENCRYPTION_MODES,
    silentDiscovery: 0,
    strayDatagrams: false,
    muteKeepAlives: false,
    bareRtp: false,
    dave: noDaveFaults(),
  };
}

/** Uses up one of a count of faults; `false` if none is left. */
export function takeVoiceFault(
  faults: VoiceFaults,
  name:
    | "blackHoleDials"
    | "silentHello"
    | "silentReady"
    | "silentDescription"
    | "silentResumed"
    | "refuseResumes"
    | "silentDiscovery",
): boolean {
  if (faults[name] <= 0) return false;
  faults[name]--;
  return true;
}

/** What a DAVE coordinator is made from, as types alone. */

import type { DaveFaults } from "./dave_faults.ts";

/** What a coordinator is made from. */
export interface DaveCoordinatorOptions {
  /** The channel, whose number is the group's. */
  readonly channelId: string;
  /** The DAVE version to start with: 1, or 0 where there is no encryption. */
  readonly version: number;
  /** What goes wrong. */
  readonly faults: DaveFaults;
  /** How long a transition may wait for its confirmations, in ms. */
  readonly transitionTimeoutMs: number;
  /** The present, in ms. */
  readonly now: () => number;
  /** Holds the clock until something is done. */
  readonly hold: (work: Promise<void>) => void;
  /** A deadline has changed. */
  readonly changed: () => void;
  /** Sends a JSON message to a user. */
  readonly send: (userId: string, op: number, d: unknown) => void;
  /** Sends a binary message to a user. */
  readonly sendBinary: (userId: string, op: number, payload: Uint8Array) => void;
  /** A user broke a rule. */
  readonly violation: (userId: string, rule: string) => void;
}

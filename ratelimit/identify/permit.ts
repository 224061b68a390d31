/** A permit to identify: how it is given back, even to a limiter that fails. */

/**
 * How an identify ended: with READY, with the end of its connection, or it was never sent.
 */
export type IdentifyOutcome = "ready" | "failed" | "unused";

/** A turn to identify, of which the limiter wants to know how it ended. */
export interface IdentifyPermit {
  /**
   * Ends the turn; called once, as soon as the outcome is known. A shard does not wait for it, and what it fails of is not
   * reported.
   */
  release(outcome: IdentifyOutcome): void | Promise<void>;
}

/** Tells the limiter how the identify ended. Neither the session nor the process depends on its response. */
export async function releasePermit(permit: IdentifyPermit, outcome: IdentifyOutcome): Promise<void> {
  try {
    await permit.release(outcome);
  } catch {
    // Not reported, as for `update`: a permit that is not released expires.
  }
}

/** A permit whose release has an effect once. */
export function permitOf(release: (outcome: IdentifyOutcome) => void): IdentifyPermit {
  let isReleased = false;
  return {
    release: (outcome) => {
      if (isReleased) return;
      isReleased = true;
      release(outcome);
    },
  };
}

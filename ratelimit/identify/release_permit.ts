/** How a turn to identify is given back, whatever its limiter makes of that. */

import type { IdentifyOutcome, IdentifyPermit } from "../mod.ts";

/** Tells the limiter how the turn ended. Neither the session nor the process depends on whether it can hear it. */
export async function releasePermit(permit: IdentifyPermit, outcome: IdentifyOutcome): Promise<void> {
  try {
    await permit.release(outcome);
  } catch {
    // Not reported, as an `update` is not: a turn that nobody ends is one that lapses.
  }
}

/** How a permit to identify is given back, even to a limiter that fails. */

import type { IdentifyOutcome, IdentifyPermit } from "./limiter.ts";

/** Tells the limiter how the identify ended. Neither the session nor the process depends on its response. */
export async function releasePermit(permit: IdentifyPermit, outcome: IdentifyOutcome): Promise<void> {
  try {
    await permit.release(outcome);
  } catch {
    // Not reported, as for `update`: a permit that is not released expires.
  }
}

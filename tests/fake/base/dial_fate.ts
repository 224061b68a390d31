/** What becomes of a dial: the faults decide, and the journal has it. */

import type { Journal } from "./journal.ts";

/** What a dial's fate is decided from. */
export interface DialFateOptions {
  /** Where it is written down. */
  readonly journal: Journal;
  /** HTTP statuses for the next dials; the first one is used up. */
  readonly rejectDials: number[];
  /** Uses up a dial that is never answered; `false` if there is none. */
  readonly takeBlackHole: () => boolean;
  /** The present, in ms. */
  readonly now: number;
}

/** Opens, rejects with an HTTP status, or never answers. */
export function dialFate(
  url: string,
  { journal, rejectDials, takeBlackHole, now }: DialFateOptions,
): number | "open" | "black hole" {
  const status = rejectDials.shift();
  if (status !== undefined) {
    journal.write({ kind: "dial", at: now, url, outcome: "rejected", status });
    return status;
  }
  if (!takeBlackHole()) return "open";
  journal.write({ kind: "dial", at: now, url, outcome: "black hole" });
  return "black hole";
}

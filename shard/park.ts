/** The wait of a parked session for its consumer. */

import type { Clock } from "../ratelimit/clock.ts";
import { Timer } from "../ratelimit/timer.ts";

/** Something that waits for the consumer, and that the session is parked for when it is too much. */
export interface Backlog {
  /** How much waits. */
  readonly length: number;
  /** Resolves as soon as nothing waits any more. */
  drained(): Promise<void>;
}

/** A consumer that takes nothing for so long, in ms, while the session waits for it, waits for something itself. */
const STUCK_MS = 60_000;

/**
 * Resolves when the backlog is taken. A consumer that handles an event, or reads a response, by waiting for a command
 * would wait for ever: `onStuck` is called after each minute in which nothing was taken.
 */
export async function untilDrained(
  backlog: Backlog,
  { clock, onStuck }: { readonly clock: Clock; readonly onStuck: () => void },
): Promise<void> {
  const timer = new Timer(clock);
  let left = backlog.length;
  const look = () => {
    if (backlog.length === left) onStuck();
    left = backlog.length;
    timer.set(STUCK_MS, look);
  };
  timer.set(STUCK_MS, look);
  await backlog.drained();
  timer.clear();
}

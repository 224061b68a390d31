/** The wait of a parked session for its consumer. */

import type { Clock } from "../ratelimit/clock.ts";
import { Timer } from "../ratelimit/timer.ts";

/** A queue of the consumer: the session is parked when it is full, until it is empty. */
export interface Backlog {
  /** How many items wait. */
  readonly length: number;
  /** Resolves as soon as the queue is empty. */
  drained(): Promise<void>;
}

/** A consumer that takes nothing for this long, in ms, probably waits for a command itself. */
const STUCK_MS = 60_000;

/**
 * Resolves when the backlog is taken. A consumer that waits for a command while it handles an event or a response would
 * wait forever: `onStuck` is called after each minute in which nothing was taken.
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

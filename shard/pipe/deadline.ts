/** Work that ends with a deadline or with a signal, whichever comes first. */

import type { Clock } from "../../ratelimit/clock.ts";
import { Timer } from "../../ratelimit/timer.ts";

/** When the work ends. */
export interface Deadline {
  /** Times it. */
  readonly clock: Clock;
  /** How long the work may take, in ms. */
  readonly deadlineMs: number;
  /** Also ends the work. */
  readonly signal?: AbortSignal | undefined;
  /** The reason of the abort after the deadline. */
  readonly error: () => Error;
}

/** Runs `work` with a signal that is aborted with the given one, or after the deadline. */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  { clock, deadlineMs, signal, error }: Deadline,
): Promise<T> {
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal?.reason);
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort);
  const timer = new Timer(clock);
  timer.set(deadlineMs, () => controller.abort(error()));
  try {
    return await work(controller.signal);
  } finally {
    timer.clear();
    signal?.removeEventListener("abort", onAbort);
  }
}

/** A promise with a time limit. */

import { abortable } from "./abortable.ts";

/** Options of {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Gives up early, with its own reason. */
  signal?: AbortSignal;
}

/** Settles like `promise`, or rejects with a `TimeoutError` after `ms`. The limit leaves no timer behind. */
export async function deadline<T>(
  promise: Promise<T>,
  ms: number,
  options: DeadlineOptions = {},
): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new DOMException("Signal timed out.", "TimeoutError")), ms);
  const signals = options.signal ? [limit.signal, options.signal] : [limit.signal];
  try {
    return await abortable(promise, AbortSignal.any(signals));
  } finally {
    clearTimeout(timer);
  }
}

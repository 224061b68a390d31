/** A wait that ends with its time, or with a signal. */

import type { Clock } from "./clock.ts";

/** Resolves after so many ms, or as soon as the signal is aborted. */
export function sleep(
  ms: number,
  { platform, signal }: { readonly platform: Clock; readonly signal: AbortSignal },
): Promise<void> {
  if (signal.aborted || ms <= 0) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      platform.clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = platform.setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

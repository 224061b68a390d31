/** A pause as a promise. */

/** Options of {@linkcode delay}. */
export interface DelayOptions {
  /** Ends the pause early: the promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Whether the pending pause keeps the process alive; default true. */
  persistent?: boolean;
}

/** Resolves after `ms`. */
export function delay(ms: number, options: DelayOptions = {}): Promise<void> {
  const { signal, persistent = true } = options;
  if (signal?.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
    if (!persistent) Deno.unrefTimer(timer);
  });
}

/** Waiting for a promise that may ignore an `AbortSignal`. */

/**
 * Settles as `work` does, or rejects with the signal's reason as soon as it is aborted. A result that comes after that
 * goes to `late`, which can close it.
 */
export function abortable<T>(
  work: Promise<T>,
  signal: AbortSignal,
  late: (result: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    const settle = () => signal.removeEventListener("abort", onAbort);
    work.then((result) => {
      settle();
      if (signal.aborted) late(result);
      else resolve(result);
    }, (error) => {
      settle();
      reject(error);
    });
  });
}

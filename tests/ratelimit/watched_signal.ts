/** An AbortSignal that counts who listens to it, to find listeners left behind. */

export interface WatchedSignal extends AbortSignal {
  readonly listeners: number;
}

export function watched(signal: AbortSignal): WatchedSignal {
  const listening = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  return Object.defineProperties(signal, {
    listeners: { get: () => listening.size },
    addEventListener: {
      value: (...args: Parameters<AbortSignal["addEventListener"]>) => {
        listening.add(args[1]);
        addEventListener.apply(signal, args);
      },
    },
    removeEventListener: {
      value: (...args: Parameters<AbortSignal["removeEventListener"]>) => {
        listening.delete(args[1]);
        removeEventListener.apply(signal, args);
      },
    },
  }) as WatchedSignal;
}

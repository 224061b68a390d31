/**
 * Time as the limiters see it: a monotonic reading and one-shot timers, injected, so that a test owns both.
 *
 * The default one reads the runtime and lives in `shard/pipe/platform.ts`; a virtual one comes with
 * `@discordgateway/edge/testing`.
 *
 * @example
 * ```ts
 * import type { Clock } from "@discordgateway/edge/ratelimit";
 *
 * const clock: Clock = {
 *   now: () => performance.now(),
 *   setTimeout: (callback, delayMs) => setTimeout(callback, delayMs),
 *   clearTimeout: (timer) => clearTimeout(timer as number),
 * };
 * if (clock.now() > clock.now()) throw new Error("A monotonic clock never goes back");
 * ```
 */
export interface Clock {
  /** The present in ms, monotonic, from an arbitrary origin. */
  now(): number;
  /** Calls `callback` once, `delayMs` ms from now, and returns a handle for {@linkcode Clock.clearTimeout}. */
  setTimeout(callback: () => void, delayMs: number): unknown;
  /** Takes back a timer; one that has fired already is ignored. */
  clearTimeout(timer: unknown): void;
}

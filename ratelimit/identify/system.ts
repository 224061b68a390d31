/**
 * The only file in this folder that reads the runtime: the wall clock, timers and randomness for the identify limiters
 * that processes share. A clock that starts with the process, as a shard's does, says nothing to another process.
 */

import type { Clock } from "../clock.ts";

/** The longest delay that timers take everywhere; with a longer one some fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The wall clock and the runtime's timers. Unlike other clocks it may be set back. */
export const wallClock: Clock = {
  now: () => Date.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(delayMs, MAX_DELAY_MS)),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};

/** A name that no other process has. */
export function uniqueName(): string {
  return crypto.randomUUID().slice(0, 13);
}

/** Resolves after a random time of up to `mostMs` ms. */
export function pause(mostMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * mostMs));
}

/** The SHA-1 of a text, in hex: the name by which a Redis server knows a script. */
export async function sha1Of(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

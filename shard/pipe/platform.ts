/**
 * The only file that reads the runtime's clock, timers and randomness.
 *
 * Everything else takes a {@linkcode Platform}, so that a test can control the time.
 */

import type { Clock } from "../../ratelimit/clock.ts";

/** What a shard needs of its runtime: a clock, timers and randomness. */
export interface Platform extends Clock {
  /** A number in [0, 1), for jitter. */
  random(): number;
}

/** The longest delay that every runtime supports; with a longer one some timers fire at once. */
const MAX_DELAY_MS = 2 ** 31 - 1;

/**
 * The runtime's own clock, timers and randomness.
 *
 * @example
 * ```ts
 * import { systemPlatform } from "@discordgateway/edge/shard";
 *
 * const before = systemPlatform.now();
 * const number = systemPlatform.random();
 * if (systemPlatform.now() < before || number < 0 || number >= 1) throw new Error("unexpected");
 * ```
 */
export const systemPlatform: Platform = {
  now: () => performance.now(),
  // A deadline may have passed while it was computed, and some runtimes warn about negative delays.
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_DELAY_MS)),
  clearTimeout: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
  random: () => Math.random(),
};

interface EnvironmentReaders {
  /** Exists everywhere: the compiler refuses a type without a property in common. */
  readonly globalThis: unknown;
  readonly Deno?: {
    readonly permissions: {
      querySync(descriptor: { name: "env"; variable: string }): { readonly state: string };
    };
    readonly env: { get(name: string): string | undefined };
  };
  readonly process?: { readonly env?: { readonly [name: string]: string | undefined } };
}

/**
 * Reads an environment variable, if the runtime has them and the program may read it; never prompts for a permission.
 *
 * @example
 * ```ts
 * import { environmentVariable } from "@discordgateway/edge/shard";
 *
 * if (environmentVariable("A_NAME_THAT_IS_NOT_SET") !== undefined) throw new Error("unexpected");
 * ```
 */
export function environmentVariable(name: string): string | undefined {
  const { Deno, process }: EnvironmentReaders = globalThis;
  if (Deno === undefined) return process?.env?.[name];
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/**
 * The wall clock in ms since the epoch: for stored instants and for alarms. It may jump, so no duration is measured with it.
 *
 * @example
 * ```ts
 * import { wallClock } from "@discordgateway/edge/shard";
 *
 * if (wallClock() < 1_700_000_000_000) throw new Error("unexpected");
 * ```
 */
export function wallClock(): number {
  return Date.now();
}

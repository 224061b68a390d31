/** Ids and tokens of the fake. */

import type { Platform } from "../../../shard/pipe/platform.ts";

/** So many hexadecimal digits of the platform's randomness. */
export function randomHex(platform: Platform, length: number): string {
  return Array.from({ length }, () => Math.floor(platform.random() * 16).toString(16)).join("");
}

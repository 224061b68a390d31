/** The contract of identify limiters, in memory. */

import { MemoryIdentifyLimiter } from "../../../ratelimit/mod.ts";
import { identifyContract } from "./contract.ts";

identifyContract("memory", () => {
  let limiter: MemoryIdentifyLimiter | null = null;
  return Promise.resolve({
    // The shards of a process share the one.
    limiter: (options) => {
      const another = new MemoryIdentifyLimiter(options);
      return limiter ??= another;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}, { isShared: false, periodMs: 300 });

/** The contract of identify limiters, on a real Deno KV: one file that three processes have open. */

import { identifyContract } from "../ratelimit/identify/contract.ts";
import { KvLimiterProcess } from "./kv_limiter_process.ts";

identifyContract("Deno KV", async () => {
  const folder = await Deno.makeTempDir();
  const processes = await Promise.all([1, 2, 3].map(() => KvLimiterProcess.start(`${folder}/kv`)));
  let made = 0;
  return {
    // Each limiter in another process than the one before.
    limiter: (options) => processes[made++ % processes.length]!.limiter(options),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(processes.map((process) => process[Symbol.asyncDispose]()));
      await Deno.remove(folder, { recursive: true });
    },
  };
}, { periodMs: 1_000 });

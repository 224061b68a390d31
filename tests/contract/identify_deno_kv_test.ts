/** The contract of identify limiters, on a real Deno KV in a file. */

import { DenoKvIdentifyLimiter } from "../../ratelimit/identify_deno_kv.ts";
import { identifyContract } from "../ratelimit/identify_contract.ts";

identifyContract("Deno KV", async () => {
  const folder = await Deno.makeTempDir();
  const kv = await Deno.openKv(`${folder}/kv`);
  return {
    limiter: (options) => new DenoKvIdentifyLimiter(kv, options),
    [Symbol.asyncDispose]: async () => {
      kv.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}, { periodMs: 1_000 });

/** Deno, the one that runs this. */

import { NO_WORD_OF_CERTIFICATES, runProcess, type Runtime } from "./runtime.ts";
import { SUITE, wsPath } from "./suite_program.ts";

/** Deno. */
export const deno: Runtime = {
  name: `Deno ${Deno.version.deno.split(".")[0]}`,
  lacks: { dialNamesCertificate: NO_WORD_OF_CERTIFICATES },
  run: async ({ url, certificateFile }, report) => {
    // Into the cache, as long as certificates are those of this machine.
    await wsPath();
    const args = ["run", "--quiet", "--no-lock", "-A", SUITE, url, "ws"];
    await runProcess(Deno.execPath(), args, certificateFile, report);
  },
};

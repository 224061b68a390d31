/** Deno, the one that runs this. */

import { runProcess, type Runtime } from "./runtime.ts";
import { SUITE } from "./suite_program.ts";

/** Deno. */
export const deno: Runtime = {
  name: `Deno ${Deno.version.deno.split(".")[0]}`,
  lacks: {},
  run: (control, report) =>
    runProcess(Deno.execPath(), ["run", "--quiet", "--no-lock", "-A", SUITE, control, "ws"], report),
};

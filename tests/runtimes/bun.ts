/** Bun, which runs the sources as they are. */

import { npmBinary, VERSIONS } from "./npm_binary.ts";
import { runProcess, type Runtime } from "./runtime.ts";
import { SUITE, wsPath } from "./suite_program.ts";

/** Bun. */
export const bun: Runtime = {
  name: `Bun ${VERSIONS.bun}`,
  lacks: {},
  run: async ({ url, certificateFile }, report) =>
    await runProcess(
      await npmBinary("bun"),
      [SUITE, url, await wsPath(), "dialNamesCertificate"],
      certificateFile,
      report,
    ),
};

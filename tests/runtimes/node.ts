/** Node.js, which strips the types of the sources: the newest and the oldest that are promised, and without a WebSocket. */

import { type NpmBinary, npmBinary, VERSIONS } from "./npm_binary.ts";
import { NO_WORD_OF_CERTIFICATES, runProcess, type Runtime } from "./runtime.ts";
import { SUITE, wsPath } from "./suite_program.ts";

/** The newest. */
export const node: Runtime = nodeWith("node");

/** The oldest. */
export const node22: Runtime = nodeWith("node22");

/** Without a global WebSocket, as older versions are: every behaviour by npm's `ws`. */
export const nodeWithWs: Runtime = {
  name: `${node.name}, ws`,
  lacks: {},
  run: async ({ url, certificateFile }, report) => {
    const args = [
      "--no-experimental-websocket",
      SUITE,
      url,
      await wsPath(),
      "injected",
      "dialNamesCertificate",
    ];
    await runProcess(await npmBinary("node"), args, certificateFile, report);
  },
};

function nodeWith(binary: NpmBinary): Runtime {
  return {
    name: `Node ${VERSIONS[binary]}`,
    lacks: { dialNamesCertificate: NO_WORD_OF_CERTIFICATES },
    run: async ({ url, certificateFile }, report) =>
      await runProcess(await npmBinary(binary), [SUITE, url, await wsPath()], certificateFile, report),
  };
}

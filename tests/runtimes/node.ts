/** Node.js, which strips the types of the sources: the newest and the oldest that are promised, and without a WebSocket. */

import { type NpmBinary, npmBinary, VERSIONS } from "./npm_binary.ts";
import { runProcess, type Runtime } from "./runtime.ts";
import { SUITE, wsPath } from "./suite_program.ts";

/** The newest. */
export const node: Runtime = nodeWith("node");

/** The oldest. */
export const node22: Runtime = nodeWith("node22");

/** Without a global WebSocket, as older versions are: every behaviour by npm's `ws`. */
export const nodeWithWs: Runtime = {
  name: `${node.name}, ws`,
  lacks: {},
  run: async (control, report) => {
    const args = ["--no-experimental-websocket", SUITE, control, await wsPath(), "injected"];
    await runProcess(await npmBinary("node"), args, report);
  },
};

function nodeWith(binary: NpmBinary): Runtime {
  return {
    name: `Node ${VERSIONS[binary]}`,
    lacks: {},
    run: async (control, report) =>
      await runProcess(await npmBinary(binary), [SUITE, control, await wsPath()], report),
  };
}

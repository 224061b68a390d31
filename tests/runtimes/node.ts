/** Node.js, which strips the types of the sources; with its own WebSocket, and without one. */

import { npmBinary, VERSIONS } from "./npm_binary.ts";
import { runProcess, type Runtime } from "./runtime.ts";
import { SUITE, wsPath } from "./suite_program.ts";

/** Node.js. */
export const node: Runtime = {
  name: `Node ${VERSIONS.node}`,
  lacks: {},
  run: async (control, report) =>
    await runProcess(await npmBinary("node"), [SUITE, control, await wsPath()], report),
};

/** Node.js without a global WebSocket, like versions before 22: every behaviour by npm's `ws`. */
export const nodeWithWs: Runtime = {
  name: `Node ${VERSIONS.node} with ws`,
  lacks: {},
  run: async (control, report) => {
    const args = ["--no-experimental-websocket", SUITE, control, await wsPath(), "injected"];
    await runProcess(await npmBinary("node"), args, report);
  },
};

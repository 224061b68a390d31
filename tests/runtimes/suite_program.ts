/** Where the suite's program and npm's `ws` are, for runtimes that take paths. */

import { fileURLToPath } from "node:url";
import { CONFIG } from "../gate/published.ts";
import { npmPackage } from "./npm_package.ts";

/** The program, as a path: no runtime but Deno knows this package by its name. */
export const SUITE: string = fileURLToPath(new URL("programs/suite.ts", import.meta.url));

/** npm's `ws`, as a path. */
export async function wsPath(): Promise<string> {
  const specifier = CONFIG.scopes["./tests/"]?.ws ?? "";
  return fileURLToPath(new URL("wrapper.mjs", await npmPackage(specifier.replace("npm:", ""))));
}

/** One script out of TypeScript sources, for runtimes that take only that. */

import { fileURLToPath } from "node:url";
import { ROOT } from "../gate/process.ts";
import { CONFIG } from "../gate/published.ts";
import { npmBinary } from "./npm_binary.ts";

/** How to bundle. */
export interface BundleOptions {
  /** Makes it small, as it would be deployed. @default {false} */
  readonly minify?: boolean;
}

/**
 * The program at `entry` (a path from the root of the repository) with all that it imports, as one ES module. The
 * package's own entry points may be imported by name; what begins with `cloudflare:` or `node:` stays an import.
 */
export async function bundle(entry: string, options: BundleOptions = {}): Promise<string> {
  const aliases = Object.entries(CONFIG.exports).map(([name, path]) =>
    `--alias:${CONFIG.name}${name.slice(1)}=${fileURLToPath(new URL(path, ROOT))}`
  );
  const args = [
    "--bundle",
    "--format=esm",
    "--target=esnext",
    "--external:cloudflare:*",
    "--external:node:*",
  ];
  const command = new Deno.Command(await npmBinary("esbuild"), {
    args: [entry, ...args, ...aliases, "--log-level=error", ...(options.minify ? ["--minify"] : [])],
    cwd: ROOT,
  });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`Cannot bundle ${entry}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

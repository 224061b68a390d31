/** One script out of TypeScript sources, for runtimes that take only that. */

import { fileURLToPath } from "node:url";
import { ROOT } from "../gate/process.ts";
import { CONFIG } from "../gate/published.ts";
import { npmBinary } from "./npm_binary.ts";
import { npmPackage } from "./npm_package.ts";

/** The packages of npm that voice and its example import. */
const BUNDLED: Readonly<Record<string, string>> = {
  "@noble/ciphers": CONFIG.imports["@noble/ciphers"] ?? "",
  "mediabunny": CONFIG.scopes["./examples/ogg.ts"]?.mediabunny ?? "",
};

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
  return await build([entry], "", options);
}

/** The same for a program that is given as text and imports the package by name. */
export async function bundleText(program: string, options: BundleOptions = {}): Promise<string> {
  return await build([], program, options);
}

async function build(entries: readonly string[], input: string, options: BundleOptions): Promise<string> {
  const aliases = Object.entries(CONFIG.exports).map(([name, path]) =>
    `--alias:${CONFIG.name}${name.slice(1)}=${fileURLToPath(new URL(path, ROOT))}`
  );
  for (const [name, specifier] of Object.entries(BUNDLED)) {
    const folder = fileURLToPath(await npmPackage(specifier.replace(/^npm:|\^/g, "")));
    aliases.push(`--alias:${name}=${folder.replace(/\/$/, "")}`);
  }
  const args = [
    "--bundle",
    "--format=esm",
    "--target=esnext",
    "--external:cloudflare:*",
    "--external:node:*",
    // Native code, which no bundle can hold.
    "--external:@snazzah/davey",
    // What is compared with as npm installs it.
    "--external:@discordjs/voice",
  ];
  const child = new Deno.Command(await npmBinary("esbuild"), {
    args: [...entries, ...args, ...aliases, "--log-level=error", ...(options.minify ? ["--minify"] : [])],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) {
    throw new Error(`Cannot bundle ${entries.join() || input}: ${new TextDecoder().decode(stderr)}`);
  }
  return new TextDecoder().decode(stdout);
}

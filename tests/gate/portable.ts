/**
 * Whether the TypeScript compiler accepts the published sources with nothing but the types of one platform in scope: who
 * imports TypeScript from JSR may have those of Cloudflare Workers, of Node.js, or of a browser, and none of Deno's.
 */

import { fileURLToPath } from "node:url";
import ts from "typescript";
import { npmPackage } from "../runtimes/npm_package.ts";
import { ROOT } from "./process.ts";
import { CONFIG } from "./published.ts";

/** A platform, as the compiler sees it. */
interface Platform {
  /** What it is called here. */
  readonly name: string;
  /** The compiler's own libraries. */
  readonly lib: readonly string[];
  /** Packages of types, each with the file that declares its globals, and what they import. */
  readonly types: readonly (readonly [specifier: string, file: string])[];
  /** Entry points that it is not made for. */
  readonly without?: readonly string[];
  /** Programs that put the platform's own types to use. */
  readonly programs?: readonly string[];
}

const WORKERS = ["@cloudflare/workers-types@5.20261117.1", "index.d.ts"] as const;
const NODE = ["@types/node@24.19.2", "index.d.ts"] as const;
/** What `@types/node` imports. */
const UNDICI = "undici-types@7.16.0";

const PLATFORMS: readonly Platform[] = [
  {
    name: "Cloudflare Workers",
    lib: ["lib.esnext.d.ts"],
    types: [WORKERS],
    without: ["./testing"],
    programs: ["tests/durable_object/cloudflare_types.ts", "examples/durable_object/worker.ts"],
  },
  { name: "Cloudflare Workers with nodejs_compat", lib: ["lib.esnext.d.ts"], types: [WORKERS, NODE] },
  { name: "Node.js", lib: ["lib.esnext.d.ts"], types: [NODE] },
  {
    name: "browsers",
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
    types: [],
    without: ["./testing"],
  },
];

/** One line for each complaint of the compiler about a published source. */
async function complaints({ name, lib, types, without = [], programs = [] }: Platform): Promise<string[]> {
  const entries = Object.entries(CONFIG.exports).filter(([entry]) => !without.includes(entry));
  const packages = await Promise.all(
    types.map(async ([specifier, file]) => new URL(file, await npmPackage(specifier))),
  );
  const imported = (name: string) => npmPackage((CONFIG.imports[name] ?? "").replace(/^npm:|\^/g, ""));
  const discord = await imported("discord-api-types");
  const ciphers = await imported("@noble/ciphers");
  const undici = await npmPackage(UNDICI);
  const options: ts.CompilerOptions = {
    lib: [...lib],
    types: [],
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    noEmit: true,
    // Errors inside the platform's own types do not count.
    skipLibCheck: true,
    paths: {
      "@noble/ciphers/*": [`${fileURLToPath(ciphers)}*`],
      // As an installed package has it, for the programs.
      ...Object.fromEntries(
        Object.entries(CONFIG.exports).map(([entry, path]) => [
          `${CONFIG.name}${entry.slice(1)}`,
          [fileURLToPath(new URL(path, ROOT))],
        ]),
      ),
      "discord-api-types/*": [`${fileURLToPath(discord)}*`],
      "undici-types": [`${fileURLToPath(undici)}index.d.ts`],
    },
    ...CONFIG.compilerOptions,
  };
  const program = ts.createProgram({
    rootNames: [
      ...[...entries.map(([, path]) => path), ...programs].map((path) => new URL(path, ROOT)),
      ...packages,
    ].map((url) => fileURLToPath(url)),
    options,
  });
  const root = fileURLToPath(ROOT);
  return ts.getPreEmitDiagnostics(program).flatMap(({ file, start = 0, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, "\n");
    if (!file) return [`${name}: ${text}`];
    const { line } = file.getLineAndCharacterOfPosition(start);
    return [`${name}: ${file.fileName.replace(root, "")}:${line + 1}: ${text}`];
  });
}

if (import.meta.main) {
  let count = 0;
  for (const platform of PLATFORMS) {
    for (const complaint of await complaints(platform)) {
      console.error(complaint);
      count++;
    }
  }
  if (count > 0) Deno.exit(1);
  console.log(`accepted with the types of ${PLATFORMS.map(({ name }) => name).join(", ")}`);
}

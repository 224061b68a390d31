/**
 * Published code imports nothing at run time but its own files, and ciphers for voice. Read from Deno's module graph, so neither a comment
 * nor an unusual way to write an import can hide one.
 */

import { plain, ROOT, runDeno } from "./process.ts";
import { CONFIG, publishedSources } from "./published.ts";

/** A package whose types, and only they, may be imported. */
const TYPES_FROM = /^discord-api-types(\/|$)/;

/** Files for which no runtime-neutral module exists, and the built-in ones of Node.js that every runtime has for them. */
export const BUILT_INS: Readonly<Record<string, readonly string[]>> = {
  // The fake Discord listens on ports.
  "tests/fake/net/server.ts": ["node:crypto", "node:http", "node:https"],
  "tests/fake/voice/media/udp_server.ts": ["node:dgram"],
};

/** The one package that published code imports at run time: ciphers, of which no runtime has both. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "voice/media/aead.ts": ["@noble/ciphers/chacha.js"],
  "tests/fake/voice/media/packet_cipher.ts": ["@noble/ciphers/aes.js", "@noble/ciphers/chacha.js"],
};

interface Module {
  readonly specifier: string;
  readonly error?: string;
  readonly dependencies?: readonly Dependency[];
}

interface Dependency {
  readonly specifier: string;
  /** Present where the import is there at run time. */
  readonly code?: { readonly specifier?: string };
}

/** One line for each import that is not allowed, and for each entry point that cannot be read. */
export async function importProblems(env: Record<string, string>): Promise<string[]> {
  const problems = new Set<string>();
  for (const entry of Object.values(CONFIG.exports)) {
    const { code, output } = await runDeno(["info", "--json", entry], { env });
    if (code !== 0) problems.add(`${entry}: ${plain(output).trim()}`);
    else for (const problem of graphProblems(parseGraph(output))) problems.add(problem);
  }
  return [...problems].sort();
}

function graphProblems(modules: readonly Module[]): string[] {
  const published = new Set(publishedSources());
  return modules.filter(({ specifier }) => specifier.startsWith(ROOT.href)).flatMap((module) => {
    const file = module.specifier.slice(ROOT.href.length);
    if (!published.has(file)) return [`${file}: belongs to an entry point but is not published`];
    if (module.error) return [`${file}: ${module.error}`];
    return (module.dependencies ?? []).flatMap((dependency) => dependencyProblems(file, dependency));
  });
}

function dependencyProblems(file: string, { specifier, code }: Dependency): string[] {
  if (/^\.\.?\//.test(specifier)) return [];
  if (TYPES_FROM.test(specifier) && !code) return [];
  if (BUILT_INS[file]?.includes(specifier) || PACKAGES[file]?.includes(specifier)) return [];
  return [`${file}: imports ${specifier}${code ? " at run time" : ""}`];
}

/** Deno may print warnings before the JSON. */
function parseGraph(output: string): readonly Module[] {
  return JSON.parse(output.slice(output.indexOf("{\n"))).modules;
}

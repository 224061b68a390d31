/**
 * `deno task size`: how much a program grows by what it imports, minified, and minified and compressed with gzip.
 *
 * Whole entry points first, then what a program that uses one thing really gets: a bundler drops the rest.
 */

import { bundleText } from "../runtimes/bundle.ts";
import { CONFIG } from "./published.ts";

/** Programs that use a part. */
const PARTS: readonly (readonly [what: string, program: string])[] = [
  ["Shard", `export { Shard } from "${CONFIG.name}";`],
  [
    "GatewayState, its URL and verdict",
    `export { delayMs, GatewayState, gatewayUrl, verdict } from "${CONFIG.name}";`,
  ],
  ["intentsOf", `export { intentsOf } from "${CONFIG.name}";`],
  ["dial", `export { dial } from "${CONFIG.name}";`],
  ["CommandLimiter", `export { CommandLimiter } from "${CONFIG.name}";`],
  ["MemoryIdentifyLimiter", `export { MemoryIdentifyLimiter } from "${CONFIG.name}";`],
];

if (import.meta.main) {
  const wholes = Object.keys(CONFIG.exports).map((entry) => {
    const specifier = `${CONFIG.name}${entry.slice(1)}`;
    return [specifier, `export * from "${specifier}";`] as const;
  });
  console.log(row("", "minified", "gzip"));
  for (const [what, program] of [...wholes, ...PARTS]) {
    const { minified, gzip } = await sizeOf(program);
    console.log(row(what, kilobytes(minified), kilobytes(gzip)));
  }
}

/** Both sizes of a program in bytes. */
async function sizeOf(program: string): Promise<{ readonly minified: number; readonly gzip: number }> {
  const code = new TextEncoder().encode(await bundleText(program, { minify: true }));
  const compressed = new Blob([code]).stream().pipeThrough(new CompressionStream("gzip"));
  return { minified: code.length, gzip: (await new Response(compressed).arrayBuffer()).byteLength };
}

function row(what: string, minified: string, gzip: string): string {
  return `${what.padEnd(46)} ${minified.padStart(10)} ${gzip.padStart(10)}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

/**
 * `deno task size`: how much a program grows by what it imports, minified, and minified and compressed with gzip.
 *
 * Whole entry points first, then what a program that uses one thing really gets, since a bundler drops the rest, and
 * what the largest of these is made of. With `--check` it only looks whether each is within its bound, and fails if one
 * is not.
 */

import { bundleText } from "../runtimes/bundle.ts";
import { CONFIG } from "./published.ts";
import { bundleWithout, SHARD_PARTS } from "./size_parts.ts";

/** What may be imported, and the most that it may weigh, compressed, in kB of 1000 bytes. */
interface Program {
  readonly what: string;
  readonly text: string;
  readonly mostKb: number;
}

/** Bounds of whole entry points. Where one is to grow, this is the place to say so. */
const ENTRIES: Readonly<Record<string, number>> = {
  ".": 25,
  "./gateway": 11,
  "./ratelimit": 6.5,
  "./ratelimit/deno-kv": 4,
  "./ratelimit/durable-object": 4.5,
  "./ratelimit/redis": 5,
  "./shard": 23.5,
  "./stores": 24.5,
  "./durable-object": 34,
  "./fleet": 32,
  "./voice": 30,
  "./voice/core": 19.5,
  "./testing": 47,
};

const SHARD = `export { Shard } from "${CONFIG.name}";`;

/** Programs that use a part. */
const PARTS: readonly Program[] = [
  { what: "Shard", text: SHARD, mostKb: 23 },
  {
    what: "GatewayState, its URL and verdict",
    text: `export { delayMs, GatewayState, gatewayUrl, verdict } from "${CONFIG.name}/gateway";`,
    mostKb: 7.1,
  },
  { what: "intentsOf", text: `export { intentsOf } from "${CONFIG.name}";`, mostKb: 1.5 },
  { what: "dial", text: `export { dial } from "${CONFIG.name}";`, mostKb: 2 },
  { what: "CommandLimiter", text: `export { CommandLimiter } from "${CONFIG.name}/ratelimit";`, mostKb: 1 },
  {
    what: "MemoryIdentifyLimiter",
    text: `export { MemoryIdentifyLimiter } from "${CONFIG.name}";`,
    mostKb: 2.6,
  },
];

if (import.meta.main) {
  const programs = [...entries(), ...PARTS];
  const isWithin = await printPrograms(programs);
  if (!Deno.args.includes("--check")) await printParts();
  else if (!isWithin) Deno.exit(1);
}

/** Every entry point, whole. */
function entries(): Program[] {
  return Object.keys(CONFIG.exports).map((entry) => {
    const what = `${CONFIG.name}${entry.slice(1)}`;
    const mostKb = ENTRIES[entry];
    if (mostKb === undefined) {
      throw new Error(`Cannot judge its size: the entry point has no bound: ${entry}`);
    }
    return { what, text: `export * from "${what}";`, mostKb };
  });
}

/** Prints a row for each; returns whether all are within their bounds. */
async function printPrograms(programs: readonly Program[]): Promise<boolean> {
  let isWithin = true;
  console.log(row("", "minified", "gzip", "at most"));
  for (const { what, text, mostKb } of programs) {
    const { minified, gzip } = await sizeOf(await bundleText(text, { minify: true }));
    const isTooLarge = gzip > mostKb * 1000;
    if (isTooLarge) isWithin = false;
    console.log(
      row(what, kilobytes(minified), kilobytes(gzip), `${mostKb} kB`) + (isTooLarge ? "  TOO LARGE" : ""),
    );
  }
  return isWithin;
}

/** Prints by how much a program with a shard would be smaller without each part, and what is left without all of them. */
async function printParts(): Promise<void> {
  const whole = await sizeOf(await bundleText(SHARD, { minify: true }));
  console.log(`\n${row("Shard: the share of …", "minified", "gzip")}`);
  let left = whole;
  for (const { what, files } of SHARD_PARTS) {
    const without = await sizeOf(await bundleWithout(files, SHARD));
    const share = { minified: whole.minified - without.minified, gzip: whole.gzip - without.gzip };
    left = { minified: left.minified - share.minified, gzip: left.gzip - share.gzip };
    console.log(row(what, kilobytes(share.minified), kilobytes(share.gzip)));
  }
  console.log(
    row("the rest: shard, cycle, loop, queue of events", kilobytes(left.minified), kilobytes(left.gzip)),
  );
}

/** Both sizes of a bundle in bytes. */
async function sizeOf(bundle: string): Promise<{ readonly minified: number; readonly gzip: number }> {
  const code = new TextEncoder().encode(bundle);
  const compressed = new Blob([code]).stream().pipeThrough(new CompressionStream("gzip"));
  return { minified: code.length, gzip: (await new Response(compressed).arrayBuffer()).byteLength };
}

function row(what: string, ...columns: readonly string[]): string {
  return `${what.padEnd(50)}${columns.map((column) => column.padStart(11)).join("")}`;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

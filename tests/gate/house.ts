/**
 * `deno task house`: the folders of the published sources, and how they hang together.
 *
 * A *pair* is an arrow between two folders: a file of the one imports a file of the other, be it a type. A barrel
 * (`mod.ts`) is a door, and what goes through it is no arrow. A *circle* is a path of imports from a file back to itself,
 * type-only imports included.
 */

import { reachOf } from "./names.ts";
import { ROOT } from "./process.ts";
import { publishedSources } from "./published.ts";
import { resolve } from "./layers.ts";

/** One folder, without those below it. */
export interface Folder {
  /** The path, with a slash at its end. */
  readonly path: string;
  /** How many files. */
  readonly files: number;
  /** How many lines they have. */
  readonly lines: number;
  /** The longest of them. */
  readonly longest: { readonly path: string; readonly lines: number };
}

/** An arrow between two folders. */
export interface Pair {
  /** The folder that imports. */
  readonly from: string;
  /** The folder that is imported from. */
  readonly to: string;
  /** The imports themselves, as `file → file`. */
  readonly imports: readonly string[];
}

/** Everything that the gate judges. */
export interface House {
  readonly folders: readonly Folder[];
  readonly pairs: readonly Pair[];
  /** Each as the files from one back to itself. */
  readonly circles: readonly string[];
}

/** Measures sources by path. */
export function measure(sources: ReadonlyMap<string, string>): House {
  const edges = importsBetween(sources);
  return { folders: foldersOf(sources), pairs: pairsOf(edges), circles: circlesOf(edges) };
}

/** Every file's imports of other files here, types included. */
function importsBetween(sources: ReadonlyMap<string, string>): Map<string, string[]> {
  return new Map(
    [...reachOf(sources)].map(([path, { imports }]) => {
      const targets = imports.map(({ specifier }) => resolve(path, specifier));
      return [path, [...new Set(targets)].filter((target) => sources.has(target))];
    }),
  );
}

function foldersOf(sources: ReadonlyMap<string, string>): Folder[] {
  const folders = new Map<string, { files: number; lines: number; longest: Folder["longest"] }>();
  for (const [path, text] of sources) {
    const lines = text.split("\n").length - 1;
    const { files = 0, lines: before = 0, longest = { path, lines } } = folders.get(folderOf(path)) ?? {};
    folders.set(folderOf(path), {
      files: files + 1,
      lines: before + lines,
      longest: lines > longest.lines ? { path, lines } : longest,
    });
  }
  return [...folders].map(([path, folder]) => ({ path, ...folder })).sort((a, b) => a.path < b.path ? -1 : 1);
}

function pairsOf(edges: ReadonlyMap<string, readonly string[]>): Pair[] {
  const pairs = new Map<string, { from: string; to: string; imports: string[] }>();
  for (const [path, targets] of edges) {
    if (isBarrel(path)) continue;
    for (const target of targets) {
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from === to || isBarrel(target)) continue;
      const key = `${from} ${to}`;
      const pair = pairs.get(key) ?? { from, to, imports: [] };
      pair.imports.push(`${path} → ${target}`);
      pairs.set(key, pair);
    }
  }
  return [...pairs.values()].sort((a, b) => a.from + a.to < b.from + b.to ? -1 : 1);
}

/** One for each file that closes one: not every circle there is, but none where there is none. */
function circlesOf(edges: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) found.push([...trail.slice(at), path].join(" → "));
    if (at >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

/** Pairs whose reverse is there too. */
export function twoWay(pairs: readonly Pair[]): Pair[] {
  return pairs.filter(({ from, to }) => pairs.some((other) => other.from === to && other.to === from));
}

function isBarrel(path: string): boolean {
  return path === "mod.ts" || path.endsWith("/mod.ts");
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** The published sources by path. */
export function readSources(): Map<string, string> {
  return new Map(publishedSources().map((path) => [path, Deno.readTextFileSync(new URL(path, ROOT))]));
}

if (import.meta.main) {
  const house = measure(readSources());
  for (const { path, files, lines, longest } of house.folders) {
    console.log(`${path.padEnd(34)} ${String(files).padStart(3)} files ${String(lines).padStart(6)} lines  longest ${longest.lines} ${longest.path}`);
  }
  for (const top of ["gateway/", "ratelimit/", "shard/", "voice/", "tests/fake/"]) {
    const inside = house.pairs.filter(({ from, to }) => from.startsWith(top) && to.startsWith(top));
    console.log(`pairs inside ${top}: ${inside.length}`);
  }
  for (const { from, to, imports } of twoWay(house.pairs)) console.log(`TWO WAYS ${from} → ${to}\n    ${imports.join("\n    ")}`);
  console.log(house.circles.length === 0 ? "circles: none" : `circles:\n  ${house.circles.join("\n  ")}`);
}

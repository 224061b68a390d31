/**
 * `deno task house`: the folders of the published sources, and how they hang together.
 *
 * A *pair* is an arrow between two folders: a file of the one imports a file of the other, be it a type. A barrel (nothing
 * but re-exports) is a door, and what goes through it is no arrow. A *circle* is a path of imports from a file back to itself,
 * type-only imports included.
 *
 * It prints all of it and draws the table of folders in DESIGN.md; with `--check` it only compares, and fails on what the
 * limits in `rooms.ts` forbid.
 */

import { exportsOf } from "./doors.ts";
import { folderOf, resolve } from "./layers.ts";
import { reachOf } from "./names.ts";
import { drawOrCheck } from "./page.ts";
import { ROOT } from "./process.ts";
import { CONFIG, publishedSources } from "./published.ts";
import {
  LONG_FILES,
  MOST_FILES,
  MOST_FILES_OF,
  MOST_LINES,
  MOST_PAIRS,
  MOST_VALUES,
  ROOMS,
} from "./rooms.ts";

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

/** Everything that is measured. */
export interface House {
  /** Sorted by path. */
  readonly folders: readonly Folder[];
  /** Sorted by path. */
  readonly pairs: readonly Pair[];
  /** Each as the files from one back to itself. */
  readonly circles: readonly string[];
}

/** The trees whose inner arrows are counted. */
const TREES = ["gateway/", "ratelimit/", "shard/", "voice/", "tests/fake/"];

/** Measures sources by path. */
export function measure(sources: ReadonlyMap<string, string>): House {
  const edges = importsBetween(sources);
  const doors = new Set([...sources].filter(([, text]) => isDoor(text)).map(([path]) => path));
  return { folders: foldersOf(sources), pairs: pairsOf(edges, doors), circles: circlesOf(edges) };
}

/** One line for each limit that is broken. */
export function problems(house: House, sources: ReadonlyMap<string, string>): string[] {
  const lines = (path: string) => (sources.get(path) ?? "").split("\n").length - 1;
  const tooLong = [...sources.keys()].filter((path) => lines(path) > MOST_LINES && !(path in LONG_FILES));
  const needless = Object.keys(LONG_FILES).filter((path) => lines(path) <= MOST_LINES);
  const both = twoWay(house.pairs).filter(({ from, to }) => from < to);
  return [
    ...tooLong.map((path) => `${path} has ${lines(path)} lines, and ${MOST_LINES} at most are allowed`),
    ...needless.map((path) => `${path} needs no exception: it has ${lines(path)} lines`),
    ...Object.keys(LONG_FILES).slice(3).map((path) => `${path} is one exception too many: three are allowed`),
    ...house.folders.filter(({ path, files }) => files > (MOST_FILES_OF[path] ?? MOST_FILES)).map((
      { path, files },
    ) => `${path} has ${files} files, and ${MOST_FILES_OF[path] ?? MOST_FILES} at most are allowed`),
    ...Object.entries(MOST_PAIRS).filter(([tree, most]) => inside(house.pairs, tree).length > most).map((
      [tree, most],
    ) => `${tree} has ${inside(house.pairs, tree).length} pairs inside, and ${most} at most are allowed`),
    ...both.map(({ from, to }) => `${from} and ${to} import from each other`),
    ...house.circles.map((circle) => `a circle: ${circle}`),
  ];
}

/** Pairs whose reverse is there too. */
export function twoWay(pairs: readonly Pair[]): Pair[] {
  return pairs.filter(({ from, to }) => pairs.some((other) => other.from === to && other.to === from));
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
  const folders = new Map<string, Omit<Folder, "path">>();
  for (const [path, text] of sources) {
    const count = text.split("\n").length - 1;
    const { files, lines, longest } = folders.get(folderOf(path)) ??
      { files: 0, lines: 0, longest: { path, lines: count } };
    folders.set(folderOf(path), {
      files: files + 1,
      lines: lines + count,
      longest: count > longest.lines ? { path, lines: count } : longest,
    });
  }
  return [...folders].map(([path, folder]) => ({ path, ...folder })).sort((a, b) => a.path < b.path ? -1 : 1);
}

function pairsOf(edges: ReadonlyMap<string, readonly string[]>, doors: ReadonlySet<string>): Pair[] {
  const pairs = new Map<string, { from: string; to: string; imports: string[] }>();
  for (const [path, targets] of edges) {
    for (const target of targets) {
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from === to || doors.has(path) || doors.has(target)) continue;
      const pair = pairs.get(`${from} ${to}`) ?? { from, to, imports: [] };
      pair.imports.push(`${path} → ${target}`);
      pairs.set(`${from} ${to}`, pair);
    }
  }
  return [...pairs.values()].sort((a, b) => `${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1);
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

function inside(pairs: readonly Pair[], tree: string): Pair[] {
  return pairs.filter(({ from, to }) => from.startsWith(tree) && to.startsWith(tree));
}

/** A barrel: nothing but re-exports, and at least one. */
function isDoor(text: string): boolean {
  const code = text.replace(/\/\*[^]*?\*\//g, "").trim();
  return code !== "" && code.replace(/export (?:type )?(?:\*|\{[^}]*\}) from "[^"]*";\s*/g, "") === "";
}

/** The table for DESIGN.md: what stands in it changes with the walls, not with every line. */
function table(): string {
  const rows = ROOMS.map(({ path, owns, imports }) => {
    const from = imports.filter((one) => one !== path && /\/$/.test(one)).map((one) => short(one, path));
    const files = imports.some((one) => one.endsWith(".ts")) ? [...from, "single files"] : from;
    return `| \`${path || "mod.ts"}\` | ${owns} | ${files.join(", ")} |`;
  });
  // Unaligned: a row has its own width.
  const lines = ["| folder | owns | imports from |", "| --- | --- | --- |", ...rows];
  return ["<!-- deno-fmt-ignore-start -->", "", ...lines, "", "<!-- deno-fmt-ignore-end -->"].join("\n");
}

function short(target: string, path: string): string {
  const parent = path.split("/")[0] + "/";
  return target.startsWith(parent) && target !== parent
    ? target.slice(parent.length, -1)
    : target.slice(0, -1);
}

function print({ folders, pairs, circles }: House): void {
  console.log(`${"folder".padEnd(30)} files  lines  longest file`);
  for (const { path, files, lines, longest } of folders) {
    const columns = [String(files).padStart(5), String(lines).padStart(6), String(longest.lines).padStart(5)];
    console.log(`${(path || "(root)").padEnd(30)} ${columns.join(" ")} ${longest.path}`);
  }
  console.log();
  for (const tree of TREES) console.log(`pairs inside ${tree.padEnd(12)} ${inside(pairs, tree).length}`);
  for (const { from, to, imports } of twoWay(pairs)) {
    console.log(`two ways: ${from} → ${to}\n  ${imports.join("\n  ")}`);
  }
  console.log(circles.length === 0 ? "circles: none" : `circles:\n  ${circles.join("\n  ")}`);
}

if (import.meta.main) {
  const sources = new Map(
    publishedSources().map((path) => [path, Deno.readTextFileSync(new URL(path, ROOT))]),
  );
  const house = measure(sources);
  print(house);
  const found = problems(house, sources);
  for (const [entry, file] of Object.entries(CONFIG.exports)) {
    const { values, types, needless } = await exportsOf(file);
    const most = MOST_VALUES[entry];
    console.log(`exports of ${entry.padEnd(26)} ${values.length} values, ${types.length} types`);
    if (most === undefined) continue;
    if (values.length > most) {
      found.push(`${entry} exports ${values.length} values, and ${most} at most are allowed`);
    }
    if (needless.length > 0) {
      found.push(`${entry} exports types that no signature needs: ${needless.join(", ")}`);
    }
  }
  await drawOrCheck({ page: "DESIGN.md", part: "folders", task: "house", content: table() });
  if (found.length > 0) {
    console.error(`\n${found.join("\n")}`);
    Deno.exit(1);
  }
}

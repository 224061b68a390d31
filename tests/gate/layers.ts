/** Judges source files by a table of layers: who may import whom, and who may name what of a runtime. */

import { type Import, type Reach, reachOf } from "./names.ts";

/** What the files of a folder may reach. */
export interface Layer {
  /** A folder (`name/`) or a single file. */
  readonly path: string;
  /** Folders, files, packages and schemes (`node:`) that it may import. */
  readonly imports: readonly string[];
  /** Packages of which it may import types. */
  readonly types: readonly string[];
  /** Names of the runtime that all of its files may use; `"any"` where it does not matter. */
  readonly names: readonly string[] | "any";
  /** Names that only the file made for them may use besides. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Modules that only the file made for them may import besides. */
  readonly modules?: Readonly<Record<string, readonly string[]>>;
}

/** One line for each violation; takes the sources by path. */
export function violations(sources: ReadonlyMap<string, string>, layers: readonly Layer[]): string[] {
  const found: string[] = [];
  for (const [path, reach] of reachOf(sources)) {
    const layer = layers.find((one) => covers(one.path, path));
    if (!layer) found.push(`${path}: no layer in the table covers this file`);
    else found.push(...importViolations(path, reach, layer), ...nameViolations(path, reach, layer));
  }
  return found;
}

/**
 * Circles among the imports that are there at run time, each as the files from one back to itself. Types may refer to
 * each other: an error to the record that it carries, the reader of that record to the error.
 */
export function cycles(sources: ReadonlyMap<string, string>): string[] {
  const edges = new Map<string, string[]>();
  for (const [path, { imports }] of reachOf(sources)) {
    const atRunTime = imports.filter((one) => !one.typeOnly);
    edges.set(path, atRunTime.map((one) => resolve(path, one.specifier)));
  }
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

function importViolations(path: string, { imports }: Reach, layer: Layer): string[] {
  return imports
    .filter((one) => !mayImport(path, one, layer))
    .map(({ specifier, typeOnly }) =>
      `${path}: may not import ${specifier}${typeOnly ? ", not even its types" : ""}`
    );
}

function mayImport(path: string, { specifier, typeOnly }: Import, layer: Layer): boolean {
  const target = resolve(path, specifier);
  if (layer.modules?.[path]?.includes(specifier)) return true;
  return layer.imports.some((allowed) => covers(allowed, target) || isPartOf(allowed, target)) ||
    typeOnly && layer.types.some((allowed) => isPartOf(allowed, target));
}

function nameViolations(path: string, { names }: Reach, layer: Layer): string[] {
  if (layer.names === "any") return [];
  const allowed = [...layer.names, ...layer.files[path] ?? []];
  return [...names]
    .filter(([name]) => !allowed.includes(name))
    .map(([name, line]) => `${path}:${line}: may not name ${name}`);
}

/** A folder ends in a slash, a scheme in a colon. */
function covers(folderOrFile: string, path: string): boolean {
  return /[/:]$/.test(folderOrFile) ? path.startsWith(folderOrFile) : path === folderOrFile;
}

/** Whether a specifier is a package or one of its entry points. */
function isPartOf(name: string, specifier: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`) && !name.endsWith("/");
}

/** A relative specifier as a path from the root, any other as it is. */
export function resolve(from: string, specifier: string): string {
  if (!/^\.\.?\//.test(specifier)) return specifier;
  const root = "file:///";
  return decodeURI(new URL(specifier, `${root}${from}`).href.slice(root.length));
}

/** Checks source files against a table of layers: what each folder may import, and what it may name of a runtime. */

import { type Import, type Reach, reachOf } from "./names.ts";

/** What the files of a folder may reach. */
export interface Layer {
  /** The folder (`name/`, or empty for the root), without those below it. */
  readonly path: string;
  /** Folders (without those below them), files, packages and schemes (`node:`) that its files may import. */
  readonly imports: readonly string[];
  /** Packages of which they may import types. */
  readonly types: readonly string[];
  /** Names of the runtime that all of them may use; `"any"` where it does not matter. */
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
    const layer = layers.find((one) => one.path === folderOf(path));
    if (!layer) found.push(`${path}: no layer in the table covers this file`);
    else found.push(...importViolations(path, reach, layer), ...nameViolations(path, reach, layer));
  }
  return found;
}

/** Rows that let two folders import from each other; a file that a row names stands for its folder. */
export function twoWayRows(layers: readonly Layer[]): string[] {
  const allows = (from: Layer, to: Layer) =>
    from !== to &&
    from.imports.some((one) => one === to.path || one.endsWith(".ts") && folderOf(one) === to.path);
  return layers.flatMap((one, at) =>
    layers.slice(at + 1)
      .filter((other) => allows(one, other) && allows(other, one))
      .map((other) => `${one.path} and ${other.path} may import from each other`)
  );
}

/** What a row allows that no file of its folder makes use of. */
export function unusedImports(sources: ReadonlyMap<string, string>, layers: readonly Layer[]): string[] {
  const reach = reachOf(sources);
  return layers.flatMap((layer) => {
    const targets = [...reach]
      .filter(([path]) => folderOf(path) === layer.path)
      .flatMap(([path, { imports }]) => imports.map(({ specifier }) => resolve(path, specifier)));
    return layer.imports
      .filter((allowed) => allowed !== layer.path && /\/$|\.ts$/.test(allowed))
      .filter((allowed) => !targets.some((target) => covers(allowed, target)))
      .map((allowed) => `${layer.path || "mod.ts"} makes no use of ${allowed}`);
  });
}

/** The folder that holds a file, with a slash at its end; empty for the root. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** A relative specifier as a path from the root, any other as it is. */
export function resolve(from: string, specifier: string): string {
  if (!/^\.\.?\//.test(specifier)) return specifier;
  const root = "file:///";
  return decodeURI(new URL(specifier, `${root}${from}`).href.slice(root.length));
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
  // A barrel lists what lies below it.
  if (layer.path !== "" && /\/(mod|core)\.ts$/.test(path) && target.startsWith(layer.path)) return true;
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

/** A folder (empty or with a slash at its end) holds the files in it, a scheme (with a colon) its modules. */
function covers(allowed: string, target: string): boolean {
  if (allowed.endsWith(":")) return target.startsWith(allowed);
  return allowed === target || folderOf(target) === allowed && target.endsWith(".ts");
}

/** Whether a specifier is a package or one of its entry points. */
function isPartOf(name: string, specifier: string): boolean {
  return specifier === name || specifier.startsWith(`${name}/`) && !name.endsWith("/");
}

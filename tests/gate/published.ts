/** What the package consists of, read from `deno.json`. */

import { ROOT } from "./process.ts";

interface Config {
  readonly name: string;
  readonly exports: Record<string, string>;
  readonly publish: { readonly include: readonly string[] };
  readonly tasks: Record<string, { readonly description: string; readonly command: string }>;
  readonly imports: Record<string, string>;
  readonly compilerOptions: Record<string, boolean>;
  readonly scopes: Record<string, Record<string, string>>;
}

/** `deno.json`, as far as the gate reads it. */
export const CONFIG: Config = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT)));

/** Every published TypeScript file, relative to the root, sorted. */
export function publishedSources(): string[] {
  return CONFIG.publish.include.flatMap((entry) => {
    if (entry.endsWith(".ts")) return [entry];
    return entry.endsWith("/") ? sourcesBelow(entry) : [];
  }).sort();
}

/** Every TypeScript file below a folder (`name/`) but its tests; none where the folder is missing. */
export function sourcesBelow(folder: string): string[] {
  return filesBelow(folder).filter((file) => file.endsWith(".ts") && !file.endsWith("_test.ts"));
}

/** Every file below a folder (`name/`), relative to the root. */
export function filesBelow(folder: string): string[] {
  try {
    return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) =>
      entry.isDirectory ? filesBelow(`${folder}${entry.name}/`) : [`${folder}${entry.name}`]
    );
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

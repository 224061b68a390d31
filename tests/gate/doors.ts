/** What an entry point exports, as Deno's documentation sees it. */

import { chooseJsr } from "./jsr.ts";
import { runDeno } from "./process.ts";

/** The names that an entry point exports. */
export interface Exports {
  /** Classes, functions and constants. */
  readonly values: readonly string[];
  /** Interfaces and type aliases; one that shares its name with a value counts as the value. */
  readonly types: readonly string[];
  /** Types that no signature of the entry point needs. */
  readonly needless: readonly string[];
}

interface Documentation {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly DocumentedSymbol[] }>>;
}

interface DocumentedSymbol {
  readonly name: string;
  readonly declarations: readonly { readonly kind: string }[];
}

const TYPE_KINDS = ["interface", "typeAlias"];

/** Reads an entry point's exports. */
export async function exportsOf(file: string): Promise<Exports> {
  const { url } = await chooseJsr();
  const { code, output } = await runDeno(["doc", "--json", file], {
    env: { ...Deno.env.toObject(), JSR_URL: url },
  });
  if (code !== 0) throw new Error(`Cannot read the exports of ${file}: ${output}`);
  const { nodes }: Documentation = JSON.parse(output.slice(output.indexOf("{\n")));
  return sortedOut(Object.values(nodes).flatMap(({ symbols }) => symbols));
}

/** Tells values from types, and the types that something needs from the others. */
export function sortedOut(symbols: readonly DocumentedSymbol[]): Exports {
  const isType = ({ declarations }: DocumentedSymbol) =>
    declarations.every(({ kind }) => TYPE_KINDS.includes(kind));
  const mentioned = new Set(
    symbols.flatMap((symbol) => mentionsOf(symbol).filter((name) => name !== symbol.name)),
  );
  const types = symbols.filter(isType).map(({ name }) => name);
  return {
    values: symbols.filter((symbol) => !isType(symbol)).map(({ name }) => name),
    types,
    needless: types.filter((name) => !mentioned.has(name)),
  };
}

/** The types that a symbol's declarations name. */
function mentionsOf({ declarations }: DocumentedSymbol): string[] {
  const names: string[] = [];
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        if ((key === "typeName" || key === "extends") && typeof inner === "string") names.push(inner);
        else visit(inner);
      }
    }
  };
  visit(declarations);
  return names;
}

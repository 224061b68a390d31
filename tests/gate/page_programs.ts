/**
 * The programs in a document: its blocks of TypeScript, joined. A reader goes from one block to the next, so a function that
 * a page shows has to compile with the shard that the page made before. A block that declares a name anew, or whose fence says
 * `program`, starts another program; one whose fence says `ignore` is left out.
 */

import ts from "typescript";

/** A statement list of a program, with the imports apart. */
interface Block {
  readonly imports: readonly string[];
  readonly body: string;
  readonly declares: readonly string[];
  readonly startsAnew: boolean;
}

/** The text of each program of a document in Markdown. */
export function programsOf(markdown: string): string[] {
  const programs: Block[][] = [];
  for (const block of blocksOf(markdown)) {
    const current = programs.at(-1);
    const declared = current?.flatMap(({ declares }) => declares) ?? [];
    if (!current || block.startsAnew || block.declares.some((name) => declared.includes(name))) {
      programs.push([block]);
    } else current.push(block);
  }
  return programs.map(textOf);
}

function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```ts\b([^\n]*)\n([^]*?)^```/gm)]
    .filter(([, info = ""]) => !/\bignore\b/.test(info))
    .map(([, info = "", code = ""]) => blockOf(code, /\bprogram\b/.test(info)));
}

function blockOf(code: string, startsAnew: boolean): Block {
  const file = ts.createSourceFile("block.ts", code, ts.ScriptTarget.ESNext, true);
  const isImport = (statement: ts.Statement) => ts.isImportDeclaration(statement);
  return {
    imports: file.statements.filter(isImport).map((statement) => statement.getText(file)),
    body: file.statements.filter((statement) => !isImport(statement))
      .map((statement) => statement.getFullText(file)).join(""),
    declares: file.statements.flatMap(declaredBy),
    startsAnew,
  };
}

function declaredBy(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => namesIn(name));
  }
  const isNamed = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement);
  return isNamed && statement.name ? [statement.name.text] : [];
}

function namesIn(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => ts.isBindingElement(element) ? namesIn(element.name) : []);
}

/** Imports once each: blocks that say whence their names come may repeat each other. */
function textOf(blocks: readonly Block[]): string {
  const names = new Map<string, Set<string>>();
  const others = new Set<string>();
  for (const text of blocks.flatMap(({ imports }) => imports)) {
    const [, isType, list, from] = /^import (type )?\{([^}]*)\} from ("[^"]*");?$/.exec(text) ?? [];
    if (list === undefined || from === undefined) others.add(text);
    else {
      const known = names.get(from) ?? new Set();
      names.set(from, known);
      for (const name of list.split(",").map((one) => one.trim()).filter((one) => one !== "")) {
        known.add(isType ? `type ${name}` : name);
      }
    }
  }
  const imports = [...names].map(([from, list]) =>
    `import { ${withoutTypesOfValues(list).join(", ")} } from ${from};`
  );
  return [...others, ...imports, ...blocks.map(({ body }) => body), "export {};"].join("\n");
}

function withoutTypesOfValues(list: ReadonlySet<string>): string[] {
  return [...list].filter((name) => !name.startsWith("type ") || !list.has(name.slice("type ".length)));
}

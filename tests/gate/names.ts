/**
 * What source files reach outside of themselves: the modules that they import, and the names that they use but that
 * neither they nor the language declare.
 *
 * The TypeScript compiler is asked, with nothing but ECMAScript in scope: whatever it cannot find then is a global of
 * some runtime, in a value or in a type. Comments, strings, properties and shadowing names are left to it.
 */

import ts from "typescript";

/** One import or re-export. */
export interface Import {
  /** The module as it is written. */
  readonly specifier: string;
  /** Whether it is gone at run time. */
  readonly typeOnly: boolean;
}

/** What a file reaches outside of itself. */
export interface Reach {
  /** Its imports and re-exports, in order. */
  readonly imports: readonly Import[];
  /**
   * Names of the runtime, and those in {@linkcode IMPURE}, with the line of their first use. `globalThis.x` counts as
   * `x`.
   */
  readonly names: ReadonlyMap<string, number>;
}

/** What the language itself has that reads the world or reaches around the imports. */
export const IMPURE: readonly string[] = [
  "Date",
  "Function",
  "Intl",
  "Math.random",
  "declare global",
  "eval",
  "globalThis",
  "import()",
  "import.meta",
  "require()",
];

/** The files that declare the language, parsed once. */
const LIBRARY = new Map<string, ts.SourceFile>();

/** Reads source files, given by path and text; the paths only tell them apart. */
export function reachOf(sources: ReadonlyMap<string, string>): Map<string, Reach> {
  const program = programOf(sources);
  const checker = program.getTypeChecker();
  return new Map([...sources.keys()].map((path) => {
    const file = program.getSourceFile(`/${path}`);
    if (!file) throw new Error(`Cannot read ${path}: the compiler has no such file`);
    const broken = program.getSyntacticDiagnostics(file)[0];
    if (broken) throw new SyntaxError(`Cannot read ${path}: ${textOf(broken)}`);
    const names = new Map<string, number>();
    const note = (name: string, position: number) => {
      if (!names.has(name)) names.set(name, file.getLineAndCharacterOfPosition(position).line + 1);
    };
    for (const diagnostic of program.getSemanticDiagnostics(file)) {
      const name = unknownName(diagnostic);
      if (name !== null) note(name, diagnostic.start ?? 0);
    }
    const imports: Import[] = [];
    walk(file, (node) => {
      for (const name of impureNames(node, program, checker)) note(name, node.getStart(file));
      const found = importOf(node);
      if (found) imports.push(found);
    });
    return [path, { imports, names }];
  }));
}

function programOf(sources: ReadonlyMap<string, string>): ts.Program {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ESNext,
    lib: ["lib.esnext.d.ts"],
    types: [],
    // Each file on its own: an import is known by its name, and that is enough.
    noResolve: true,
    moduleDetection: ts.ModuleDetectionKind.Force,
    strict: true,
  };
  const host = ts.createCompilerHost(options);
  const parse = (path: string, text: string) => ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
  return ts.createProgram({
    rootNames: [...sources.keys()].map((path) => `/${path}`),
    options,
    host: {
      ...host,
      getSourceFile: (path, version) => {
        const source = sources.get(path.slice(1));
        if (source !== undefined) return parse(path, source);
        const library = LIBRARY.get(path) ?? host.getSourceFile(path, version);
        if (library) LIBRARY.set(path, library);
        return library;
      },
    },
  });
}

/** The name in "Cannot find name 'x'" and its kin, `null` for any other complaint. */
function unknownName({ messageText, file, start = 0 }: ts.Diagnostic): string | null {
  const message = ts.flattenDiagnosticMessageText(messageText, "\n");
  const name =
    /^(?:Cannot find (?:name|namespace)|No value exists in scope for the shorthand property) '([^']+)'/
      .exec(message)?.[1];
  // An import of a Node.js module is reported in the same words.
  return name === undefined || /["']/.test(file?.text[start] ?? "") ? null : name;
}

function impureNames(node: ts.Node, program: ts.Program, checker: ts.TypeChecker): string[] {
  if (ts.isImportTypeNode(node)) return ["import()"];
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) return ["import()"];
  if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) return ["import.meta"];
  if (ts.isModuleDeclaration(node)) return ["declare global"];
  if (ts.isExternalModuleReference(node)) return ["require()"];
  if (!ts.isIdentifier(node) || isPropertyName(node)) return [];
  if (node.text === "globalThis") return membersOf(node) ?? ["globalThis"];
  const symbol = checker.getSymbolAtLocation(node);
  if (!symbol?.declarations?.every((one) => program.isSourceFileDefaultLibrary(one.getSourceFile()))) {
    return [];
  }
  // In one piece it could go anywhere.
  if (node.text === "Math") return membersOf(node)?.includes("random") === false ? [] : ["Math.random"];
  return IMPURE.includes(node.text) ? [node.text] : [];
}

/** What is taken from an object, `x.a` or `const { a, b } = x`; `null` where that cannot be told. */
function membersOf(node: ts.Identifier): string[] | null {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return [parent.name.text];
  if (!ts.isVariableDeclaration(parent) || !ts.isObjectBindingPattern(parent.name)) return null;
  const keys = parent.name.elements.map((one) => one.dotDotDotToken ? null : one.propertyName ?? one.name);
  const names = keys.flatMap((key) => key && ts.isIdentifier(key) ? [key.text] : []);
  return names.length === keys.length ? names : null;
}

function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (ts.isPropertyAccessExpression(parent) || ts.isPropertySignature(parent)) && parent.name === node;
}

function importOf(node: ts.Node): Import | null {
  if (!ts.isImportDeclaration(node) && !ts.isExportDeclaration(node)) return null;
  if (!node.moduleSpecifier || !ts.isStringLiteral(node.moduleSpecifier)) return null;
  return { specifier: node.moduleSpecifier.text, typeOnly: isTypeOnly(node) };
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  // `import { type A } from` keeps the module itself under verbatimModuleSyntax.
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
}

function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

function textOf({ messageText }: ts.Diagnostic): string {
  return ts.flattenDiagnosticMessageText(messageText, "\n");
}

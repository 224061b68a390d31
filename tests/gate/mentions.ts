/**
 * Where code speaks of a particular runtime: in a name, a string or an import. Comments may: they say why something is
 * done everywhere that only one of them needs.
 */

import ts from "typescript";

/** As words of their own, or as parts of a name such as `isDeno`. */
const RUNTIMES = /(?<![a-z])(deno|bun|node|nodejs|workerd|cloudflare|workers?)(?![a-z])/i;

/** One line for each mention; takes the sources by path. */
export function mentions(sources: ReadonlyMap<string, string>): string[] {
  return [...sources].flatMap(([path, text]) => {
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true);
    const found: string[] = [];
    const visit = (node: ts.Node): void => {
      if (isReexport(node)) return;
      const words = textOf(node)?.replaceAll(LEAF, "").replace(/([a-z])([A-Z])/g, "$1 $2");
      if (words !== undefined && RUNTIMES.test(words)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
        found.push(`${path}:${line + 1}: mentions a runtime: ${textOf(node)}`);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    return found;
  });
}

/** What MLS calls the leaves of its tree. */
const LEAF = "LeafNode";

/** `export … from "./…"`: a list of what other files here say. */
function isReexport(node: ts.Node): boolean {
  return ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined &&
    ts.isStringLiteral(node.moduleSpecifier) && node.moduleSpecifier.text.startsWith("./");
}

function textOf(node: ts.Node): string | undefined {
  const hasText = ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isStringLiteralLike(node) ||
    ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node) || ts.isRegularExpressionLiteral(node);
  return hasText ? node.text : undefined;
}

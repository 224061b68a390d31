/** The programs that are made of a document's blocks. */

import { assertEquals } from "@std/assert";
import { programsOf } from "./gate/page_programs.ts";

const fence = (code: string, info = "") => `text\n\n\`\`\`ts${info}\n${code}\n\`\`\`\n`;
const lines = (program: string) => program.split("\n").filter((line) => line !== "");

Deno.test("page programs: later blocks see what earlier ones declare, and imports come once", () => {
  const page = fence(`import { a, type B } from "x";\nconst one = a();`) +
    fence(`import { a, b } from "x";\nimport type { B } from "x";\nb(one);`);
  assertEquals(programsOf(page).map(lines), [
    [`import { a, type B, b } from "x";`, "const one = a();", "b(one);", "export {};"],
  ]);
});

Deno.test("page programs: a name declared anew or the word program starts another, ignore leaves out", () => {
  const page = fence("const one = 1;") + fence("const two = one;") + fence("const { one } = other;") +
    fence("nothing(", " ignore") + fence("three();", " program");
  assertEquals(programsOf(page).map(lines), [
    ["const one = 1;", "const two = one;", "export {};"],
    ["const { one } = other;", "export {};"],
    ["three();", "export {};"],
  ]);
});

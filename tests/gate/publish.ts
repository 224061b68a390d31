/** What is wrong with a `deno publish --dry-run` that Deno itself lets pass. */

import { CONFIG } from "./published.ts";
import { ROOT } from "./process.ts";

/** Tests, the house and the examples stay at home; the fake Discord does not. */
const STRANGERS = /^(tests\/(?!fake\/)|examples\/|\.)|_test\.ts$/;

/** Warnings, and files in the package that are none of its business; takes the plain output of the dry run. */
export function publishProblems(output: string): string[] {
  const lines = output.split("\n");
  const warnings = lines.filter((line) => /^\s*warning\b/i.test(line)).map((line) =>
    `Not without warnings: ${line}`
  );
  const files = lines.flatMap((line) => {
    const url = /^\s+(file:\S+) \(/.exec(line)?.[1];
    return url?.startsWith(ROOT.href) ? [url.slice(ROOT.href.length)] : [];
  });
  if (files.length === 0) {
    return [...warnings, "The dry run lists no files, or in a form that this check cannot read"];
  }
  const strangers = files.filter((file) => STRANGERS.test(file));
  return [
    ...warnings,
    ...strangers.map((file) => `Does not belong into the package: ${file}`),
    ...missing(files),
  ];
}

function missing(files: readonly string[]): string[] {
  return CONFIG.publish.include
    .filter((entry) => !files.some((file) => entry.endsWith("/") ? file.startsWith(entry) : file === entry))
    .map((entry) => `Missing from the package: ${entry}`);
}

/**
 * `deno task test:runtimes`: the contract suite on every runtime, and a matrix of what came of it.
 *
 *     deno task test:runtimes             plays and prints
 *     deno task test:runtimes bun node    on these
 *     deno task test:runtimes --write     and puts the matrix into docs/runtimes.md
 *     deno task test:runtimes --check     and compares it with that page
 *
 * Ends with 1 if a behaviour fails, or is skipped without a reason.
 */

import { drawOrCheck } from "../gate/page.ts";
import { BEHAVIOURS } from "./behaviours/mod.ts";
import { bun } from "./bun.ts";
import { Control } from "./control.ts";
import { deno } from "./deno.ts";
import { node, node22, nodeWithWs } from "./node.ts";
import type { Result } from "./runner.ts";
import { ENDS_BY_ITSELF, type Runtime, type Stage } from "./runtime.ts";
import { workerd } from "./workerd.ts";

const RUNTIMES: { readonly [word: string]: Runtime } = {
  deno,
  bun,
  node22,
  node,
  "node-ws": nodeWithWs,
  workerd,
};
/** The rows of the matrix. */
export const ROWS: readonly string[] = [...BEHAVIOURS.map(({ name }) => name), ENDS_BY_ITSELF];

/** What came of the suite on one runtime. */
export type Column = ReadonlyMap<string, Result>;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const words = args.filter((arg) => !arg.startsWith("--"));
  const unknown = words.find((word) => !(word in RUNTIMES));
  if (unknown !== undefined) {
    console.error(
      `Cannot choose: there is no such runtime: ${unknown} (${Object.keys(RUNTIMES).join(", ")})`,
    );
    return 2;
  }
  const runtimes = Object.entries(RUNTIMES).flatMap(([word, runtime]) => {
    return words.length === 0 || words.includes(word) ? [runtime] : [];
  });
  await using control = await Control.start();
  const columns = await Promise.all(runtimes.map((runtime) => runOn(runtime, control)));
  console.log(`\n${matrix(runtimes, columns)}\n`);
  const failed = runtimes.flatMap((runtime, index) => problems(runtime, columns[index] ?? new Map()));
  for (const problem of failed) console.error(problem);
  if (failed.length > 0) return 1;
  console.log(`${ROWS.length} behaviours on ${runtimes.length} runtimes`);
  if (words.length === 0 && (args.includes("--write") || args.includes("--check"))) {
    await drawOrCheck({
      page: "docs/runtimes.md",
      part: "runtimes",
      task: "test:runtimes --write",
      content: matrix(runtimes, columns),
    });
  }
  return 0;
}

async function runOn(runtime: Runtime, stage: Stage): Promise<Column> {
  const column = new Map<string, Result>();
  const report = (result: Result) => {
    column.set(result.name, result);
    console.log(`${mark(result)} ${runtime.name}: ${result.name}`);
  };
  try {
    await runtime.run(stage, report);
  } catch (error) {
    console.error(`${runtime.name}: ${error instanceof Error ? error.message : error}`);
  }
  return column;
}

/** One line for each behaviour that is not as it has to be. */
export function problems({ name: runtime, lacks }: Runtime, column: Column): string[] {
  return ROWS.flatMap((name) => {
    const result = column.get(name);
    if (result?.outcome === "passed") return [];
    if (result?.outcome === "failed") return [`✗ ${runtime}: ${name}: ${result.error}`];
    const reason = name === ENDS_BY_ITSELF ? lacks.process : result?.lacks && lacks[result.lacks];
    return reason === undefined ? [`✗ ${runtime}: ${name}: it was not played`] : [];
  });
}

/** A table in Markdown, with the reasons for what is skipped below it. */
export function matrix(runtimes: readonly Runtime[], columns: readonly Column[]): string {
  const head = ["", ...runtimes.map(({ name }) => name)];
  const rows = ROWS.map((name) => [name, ...columns.map((column) => mark(column.get(name)))]);
  const widths = head.map((_, index) =>
    Math.max(3, ...[head, ...rows].map((row) => row[index]?.length ?? 0))
  );
  const line = (cells: readonly string[], fill = " ") =>
    `| ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0, fill)).join(" | ")} |`;
  const reasons = runtimes.flatMap(({ name, lacks }) =>
    [...new Set(Object.values(lacks))].map((why) => `- – on ${name}: ${why}`)
  );
  return [line(head), line(head.map(() => ""), "-"), ...rows.map((row) => line(row)), "", ...reasons].join(
    "\n",
  );
}

function mark(result: Result | undefined): string {
  return result === undefined || result.outcome === "skipped" ? "–" : result.outcome === "passed" ? "✓" : "✗";
}

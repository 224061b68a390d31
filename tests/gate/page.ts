/** Pages of which a part is drawn from the code: written by their task, compared with `--check`. */

import { ROOT } from "./process.ts";

/** A part of a page, between two marks. */
export interface DrawnPart {
  /** The page's path. */
  readonly page: string;
  /** What the part is called in its marks. */
  readonly part: string;
  /** The task that draws it. */
  readonly task: string;
  /** What stands between the marks. */
  readonly content: string;
}

/** Draws the part, or with `--check` compares it, and ends the process with 1 if it is stale. */
export async function drawOrCheck({ page, part, task, content }: DrawnPart): Promise<void> {
  const url = new URL(page, ROOT);
  const text = await Deno.readTextFile(url);
  const begin = `<!-- ${part}: drawn by \`deno task ${task}\` -->`;
  const end = `<!-- ${part}: end -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) return fail(`${page} has lost the marks between which the ${part} is drawn`);
  const fresh = `${text.slice(0, from)}${begin}\n\n${content}\n\n${text.slice(to)}`;
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(url, fresh);
  else if (fresh !== text) return fail(`The ${part} in ${page} is stale: run \`deno task ${task}\``);
  console.log(`The ${part} in ${page} is up to date`);
}

function fail(why: string): void {
  console.error(why);
  Deno.exit(1);
}

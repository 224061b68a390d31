/** Pages and pictures that are drawn from the code, whole or in part: written by their task, compared with `--check`. */

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

/** A file that is drawn as a whole. */
export interface DrawnFile {
  /** The file's path. */
  readonly file: string;
  /** The task that draws it. */
  readonly task: string;
  /** What it holds. */
  readonly content: string;
}

/** Draws the file, or with `--check` compares it, and ends the process with 1 if it is stale. */
export async function drawFileOrCheck({ file, task, content }: DrawnFile): Promise<void> {
  const url = new URL(file, ROOT);
  if (!Deno.args.includes("--check")) await Deno.writeTextFile(url, content);
  else if (await textOf(url) !== content) return fail(`${file} is stale: run \`deno task ${task}\``);
  console.log(`${file} is up to date`);
}

async function textOf(url: URL): Promise<string | null> {
  try {
    return await Deno.readTextFile(url);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function fail(why: string): void {
  console.error(why);
  Deno.exit(1);
}

/**
 * `deno task links`: whether what the documents point at is there. Every relative link and its anchor resolve; a published
 * document links to published files or to the web; every task that a document names exists; so does every path of the
 * repository that stands in backticks.
 */

import { ROOT } from "./process.ts";
import { CONFIG, filesBelow } from "./published.ts";

/** What the checker knows of the repository. */
export interface Repository {
  /** Every file's text by its path; other files than documents may be empty. */
  readonly files: ReadonlyMap<string, string>;
  /** Whether a file is in the package. */
  readonly isPublished: (path: string) => boolean;
  /** Paths that git ignores: a document may name them, though a fresh clone does not have them. */
  readonly ignored: readonly string[];
  /** The names of the tasks. */
  readonly tasks: ReadonlySet<string>;
}

/** One line for each thing that a document points at and that is not there. */
export function brokenLinks(page: string, { files, isPublished, ignored, tasks }: Repository): string[] {
  const text = files.get(page) ?? "";
  const prose = text.replace(/^```[^]*?^```/gm, "");
  const problems: string[] = [];
  for (const [, target = ""] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const [path = "", anchor] = target.split("#");
    const file = path === "" ? page : resolve(page, path);
    if (!files.has(file)) problems.push(`${page}: there is no ${file}`);
    else if (anchor !== undefined && !anchorsOf(files.get(file) ?? "").has(anchor)) {
      problems.push(`${page}: ${file} has no heading #${anchor}`);
    } else if (isPublished(page) && !isPublished(file)) {
      problems.push(`${page}: ${file} is not in the package`);
    }
  }
  for (const [, task = ""] of text.matchAll(/\bdeno(?:@2)? task ([a-z][a-z:-]*[a-z])/g)) {
    if (!tasks.has(task)) problems.push(`${page}: there is no task ${task}`);
  }
  const paths = [...files.keys(), ...ignored];
  for (
    const [, path = ""] of prose.matchAll(
      /`((?:gateway|ratelimit|shard|voice|tests|examples|docs)\/[\w./-]*)`/g,
    )
  ) {
    if (!files.has(path) && !paths.some((file) => file.startsWith(path.replace(/\/?$/, "/")))) {
      problems.push(`${page}: there is no ${path}`);
    }
  }
  return problems;
}

function anchorsOf(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading);
  return new Set(
    headings.map((heading) => heading.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-")),
  );
}

function resolve(page: string, path: string): string {
  return new URL(path, `file:///${page}`).pathname.slice(1);
}

/** The repository as it is. */
function repository(): Repository {
  const folders = [
    "gateway/",
    "ratelimit/",
    "shard/",
    "voice/",
    "tests/",
    "examples/",
    "docs/",
    ".ci/",
    ".github/",
  ];
  const root = [...Deno.readDirSync(ROOT)].filter(({ isFile }) => isFile).map(({ name }) => name);
  const ignored = read(".gitignore").split("\n").filter((line) => /^\w/.test(line));
  const paths = [...root, ...folders.flatMap(filesBelow)]
    .filter((path) => !ignored.some((line) => path.startsWith(line)));
  const { include } = CONFIG.publish;
  return {
    files: new Map(paths.map((path) => [path, path.endsWith(".md") ? read(path) : ""])),
    isPublished: (path) =>
      include.some((entry) => entry.endsWith("/") ? path.startsWith(entry) : path === entry),
    ignored,
    tasks: new Set(Object.keys(CONFIG.tasks)),
  };
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(encodeURI(path), ROOT));
}

if (import.meta.main) {
  const known = repository();
  const pages = [...known.files.keys()].filter((path) => path.endsWith(".md"));
  const problems = pages.flatMap((page) => brokenLinks(page, known));
  console.log(problems.length === 0 ? `${pages.length} documents: no broken link` : problems.join("\n"));
  if (problems.length > 0) Deno.exit(1);
}

/** The steps of the gate, in the order in which they run: the quick ones first. */

import { importProblems } from "./imports.ts";
import { programsOf } from "./page_programs.ts";
import { plain, ROOT, runDeno, type RunResult } from "./process.ts";
import { publishProblems } from "./publish.ts";
import { CONFIG, filesBelow, publishedSources } from "./published.ts";

/** Environment variables of a step's children. */
export type Env = Record<string, string>;

/** How a step ended. */
export interface StepResult {
  /** Whether it passed. */
  readonly ok: boolean;
  /** Everything it printed. */
  readonly output: string;
  /** A few words for the summary. */
  readonly detail?: string;
}

/** One thing that the gate demands. */
export interface Step {
  /** The word that chooses it on the command line. */
  readonly name: string;
  /** What it demands, in a few words. */
  readonly what: string;
  /** It waits most of its time: others run meanwhile. */
  readonly isIdle?: boolean;
  /** Looks whether that holds; the signal gives it up, where it takes one. */
  readonly run: (env: Env, signal?: AbortSignal) => Promise<StepResult>;
}

const EXAMPLE_LIMIT_MS = 180_000;

/** All steps. */
export const STEPS: readonly Step[] = [
  { name: "format", what: "deno fmt --check", run: deno("fmt", "--check") },
  { name: "lint", what: "deno lint", run: deno("lint") },
  { name: "types", what: "deno check, examples and tests too", run: deno("check", ".") },
  {
    name: "portable",
    what: "types of Workers, of Node.js and of browsers accept the sources",
    run: deno("run", "--allow-all", "tests/gate/portable.ts"),
  },
  {
    name: "docs-lint",
    what: "deno doc --lint on every entry point",
    run: deno("doc", "--lint", ...Object.values(CONFIG.exports)),
  },
  { name: "layers", what: "what each folder may import, and name of a runtime", run: layers },
  {
    name: "house",
    what: "rooms, arrows, circles and doors keep their limits; DESIGN.md shows the rooms",
    run: deno("run", "--allow-all", "tests/gate/house.ts", "--check"),
  },
  {
    name: "words",
    what: "no retired word is back",
    run: deno("run", "--allow-all", "tests/gate/words.ts"),
  },
  {
    name: "links",
    what: "what the documents point at is there",
    run: deno("run", "--allow-all", "tests/gate/links.ts"),
  },
  { name: "imports", what: "published code imports no package at run time but a cipher", run: imports },
  {
    name: "size",
    what: "what may be imported weighs no more than its bound",
    run: deno("run", "--allow-all", "tests/gate/size.ts", "--check"),
  },
  { name: "diagram", what: "DESIGN.md shows the state machine as it is", run: script("diagram") },
  {
    name: "rate-limits",
    what: "the picture and the tables of rate limits are those of the simulation",
    run: script("rate_limits"),
  },
  {
    name: "cases",
    what: "every learnt behaviour has a test, and tests/README.md names it",
    run: script("cases"),
  },
  {
    name: "cost",
    what: "docs/durable_objects.md shows the cost as counted",
    run: deno("run", "--allow-all", "tests/durable_object/cost.ts", "--check"),
  },
  { name: "publish", what: "deno publish --dry-run without a warning", run: publish },
  {
    name: "durable-object",
    what: "fifty kills in workerd, and 150 s without a request: nothing is lost",
    isIdle: true,
    run: durableObject,
  },
  { name: "doc-examples", what: "examples in the documentation run", run: docExamples },
  { name: "tests", what: "deno task test", run: tests },
  {
    name: "runtimes",
    what: "the contract suite on every runtime; docs/runtimes.md shows its matrix",
    run: runtimes,
  },
  { name: "examples", what: "example tasks end by themselves, without JSR", run: examples },
];

function deno(...args: string[]): Step["run"] {
  return async (env) => passed(await runDeno(args, { env }));
}

function passed({ code, output }: RunResult): StepResult {
  return { ok: code === 0, output };
}

async function layers(env: Env): Promise<StepResult> {
  const flags = ["test", "--allow-all", "--no-lock", "--no-check"];
  return passed(await runDeno([...flags, "tests/layers_test.ts"], { env }));
}

async function imports(env: Env): Promise<StepResult> {
  const problems = await importProblems(env);
  return { ok: problems.length === 0, output: problems.join("\n") };
}

function script(name: string): Step["run"] {
  return deno("run", "--allow-all", `tests/gate/${name}.ts`, "--check");
}

async function publish(env: Env): Promise<StepResult> {
  const { code, output } = await runDeno(["publish", "--dry-run", "--allow-dirty"], { env });
  const problems = publishProblems(plain(output));
  return { ok: code === 0 && problems.length === 0, output: `${output}\n${problems.join("\n")}` };
}

/**
 * Runs the examples of the published sources and of `docs/`. Those in the other documents would need a bot of the
 * reader's own: they have to compile, and the blocks of each page together.
 */
async function docExamples(env: Env): Promise<StepResult> {
  const pages = filesBelow("docs/").filter((file) => file.endsWith(".md"));
  // Each in an isolate of its own, which costs far more than the example: so on all cores.
  const flags = ["test", "--allow-all", "--no-lock", "--parallel", "--doc"];
  const ran = await runDeno([...flags, ...publishedSources(), ...pages], { env, isPatient: true });
  const detail = /\d+ passed/.exec(plain(ran.output))?.[0];
  if (ran.code !== 0 || detail === undefined) return { ok: false, output: ran.output };
  return { ...await pagesCompile([...rootPages(), ...pages], env), detail };
}

/** Compiles the programs of documents: all blocks of a page that belong together, as one module. */
async function pagesCompile(pages: readonly string[], env: Env): Promise<StepResult> {
  const folder = new URL("tests/out/pages/", ROOT);
  await Deno.mkdir(folder, { recursive: true });
  try {
    const files: string[] = [];
    for (const page of pages) {
      const programs = programsOf(await Deno.readTextFile(new URL(page, ROOT)));
      for (const [at, program] of programs.entries()) {
        const file = `${page.replaceAll("/", "_")}_${at + 1}.ts`;
        await Deno.writeTextFile(new URL(file, folder), program);
        files.push(`tests/out/pages/${file}`);
      }
    }
    return passed(await runDeno(["check", ...files], { env }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The documents at the root. */
function rootPages(): string[] {
  return filesBelow("").filter((file) => file.endsWith(".md") && !file.includes("/"));
}

async function tests(env: Env): Promise<StepResult> {
  const { code, output } = await runDeno(["run", "--allow-all", "tests/gate/test.ts"], {
    env,
    limitMs: 60 * 60_000,
  });
  return { ok: code === 0, output, detail: output.trimEnd().split("\n").at(-1) ?? "" };
}

async function runtimes(env: Env): Promise<StepResult> {
  const { code, output } = await runDeno(["run", "--allow-all", "tests/runtimes/matrix.ts", "--check"], {
    env,
  });
  return { ok: code === 0, output, detail: /\d+ behaviours on \d+ runtimes/.exec(output)?.[0] ?? "" };
}

/** What `deno task test` does only in small, since it takes minutes. */
async function durableObject(env: Env, signal?: AbortSignal): Promise<StepResult> {
  const { code, output } = await runDeno(
    ["run", "--allow-all", "tests/gate/test.ts", "tests/durable_object/kill_test.ts"],
    {
      env: { ...env, DURABLE_OBJECT_TEST: "full" },
      limitMs: 15 * 60_000,
      ...(signal && { signal }),
    },
  );
  return { ok: code === 0, output, detail: /\d+ kills, .*/.exec(plain(output))?.[0] ?? "" };
}

/** As a stranger runs them: no token, and a JSR that does not exist, because nothing on this path may need one. */
async function examples(env: Env): Promise<StepResult> {
  const { DISCORD_TOKEN: _token, DISCORD_API: _api, ...rest } = env;
  const tasks = Object.keys(CONFIG.tasks).filter((task) => task === "demo" || task.startsWith("example:"));
  const times: string[] = [];
  for (const task of tasks) {
    const start = performance.now();
    const { code, output } = await runDeno(["task", task], {
      env: { ...rest, JSR_URL: "file:///no/such/registry/" },
      limitMs: EXAMPLE_LIMIT_MS,
    });
    times.push(`${task} ${((performance.now() - start) / 1000).toFixed(1)} s`);
    if (code !== 0) {
      return { ok: false, output: `deno task ${task} ended with exit code ${code}\n\n${output}` };
    }
  }
  return { ok: true, output: "", detail: times.join(", ") };
}

/**
 * `deno task gate:prove`: is every step of the gate able to fail? On a copy of the repository, spoils one thing at a
 * time and looks whether its step notices. Arguments choose by the names of steps; `--others` also looks whether the
 * other quick steps let it pass.
 *
 * Not a part of the gate.
 */

import { plain, ROOT, runDeno } from "./process.ts";
import { STEPS } from "./steps.ts";

interface Sabotage {
  /** The step that has to fail. */
  readonly step: string;
  /** Steps that see the same thing from their own side. */
  readonly also?: readonly string[];
  /** What is spoiled. */
  readonly what: string;
  /** The file, made if it does not exist. */
  readonly path: string;
  /** Its new text, from its old one. */
  readonly edit: (text: string) => string;
}

/** Two thousand numbers that do not compress. */
function numbers(): number[] {
  return Array.from({ length: 2_000 }, (_, at) => Math.floor(Math.abs(Math.sin(at)) * 2 ** 40));
}

interface Outcome {
  readonly failed: readonly string[];
  readonly output: string;
}

const TESTS = "tests";

/** Steps of seconds. */
const QUICK: readonly string[] = [
  "format",
  "lint",
  "types",
  "portable",
  "docs-lint",
  "layers",
  "house",
  "words",
  "links",
  "imports",
  "diagram",
  "rate-limits",
  "cases",
  "publish",
];

const SABOTAGES: readonly Sabotage[] = [
  {
    step: "format",
    what: "a line without spaces",
    path: "examples/sabotage.ts",
    edit: () => "export const a={b:1}\n",
  },
  {
    step: "lint",
    what: "an any",
    path: "examples/sabotage.ts",
    edit: () => "export function take(a: any): void {\n  a();\n}\n",
  },
  {
    step: "types",
    what: "a text in a number",
    path: "examples/sabotage.ts",
    edit: () => `export const count: number = "three";\n`,
  },
  {
    step: "portable",
    what: "a type that only Deno has",
    path: "shard/pipe/platform.ts",
    edit: (text) => `${text}\n/** Documented. */\nexport type Conn = Deno.Conn;\n`,
  },
  {
    step: "docs-lint",
    what: "an export without documentation",
    path: "mod.ts",
    edit: (text) => `${text}\nexport const undocumented: number = 1;\n`,
  },
  {
    step: "layers",
    what: "a runtime's name in the wrong room: the clock in ratelimit/",
    path: "ratelimit/sabotage.ts",
    edit: () => "export const now = (): number => Date.now();\n",
  },
  {
    step: "layers",
    also: ["house"],
    what: "an arrow back: shard/ in gateway/",
    path: "gateway/sabotage.ts",
    edit: () => `import "../shard/pipe/platform.ts";\n`,
  },
  {
    step: "layers",
    also: ["house"],
    what: "an arrow back between two rooms of shard/, of a type alone",
    path: "shard/events/sabotage.ts",
    edit: () =>
      `import type { CommandBudget } from "../commands/budget.ts";\nexport type Budget = CommandBudget;\n`,
  },
  {
    step: "layers",
    also: ["house"],
    what: "a circle of imports",
    path: "ratelimit/backoff.ts",
    edit: (text) => `${text}\nimport "./mod.ts";\n`,
  },
  {
    step: "layers",
    also: ["house"],
    what: "a circle of types alone",
    path: "gateway/heartbeat.ts",
    edit: (text) =>
      `${text}\nimport type { GatewayState } from "./state.ts";\nexport type State = GatewayState;\n`,
  },
  {
    step: "house",
    what: "a file of 301 lines",
    path: "gateway/sabotage.ts",
    edit: () => "// A line.\n".repeat(301),
  },
  {
    step: "house",
    what: "more values than a person reads",
    path: "mod.ts",
    edit: (text) => `${text}\nexport * from "./gateway/mod.ts";\n`,
  },
  {
    step: "house",
    what: "a row of the table of folders changed",
    path: "DESIGN.md",
    edit: (text) => text.replace("| `gateway/` |", "| `gateways/` |"),
  },
  {
    step: "words",
    what: "a retired identifier",
    path: "examples/sabotage.ts",
    edit: () => "export const beatFrame = 1;\n",
  },
  {
    step: "words",
    what: "a retired phrase",
    path: "docs/testing.md",
    edit: (text) => `${text}\nThe caller waits for its turn.\n`,
  },
  {
    step: "links",
    what: "a link to a page that is gone",
    path: "README.md",
    edit: (text) => text.replace("(docs/fleet.md)", "(docs/fleets.md)"),
  },
  {
    step: "links",
    what: "a task that nobody can run",
    path: "docs/examples.md",
    edit: (text) => text.replace("deno task example:fleet", "deno task example:flotilla"),
  },
  {
    step: "imports",
    also: ["layers"],
    what: "a built-in module of Node.js in the fake Discord",
    path: "tests/fake/mod.ts",
    edit: (text) => `${text}\nimport "node:fs";\n`,
  },
  {
    step: "imports",
    also: ["layers"],
    what: "the cipher outside of voice",
    path: "gateway/mod.ts",
    edit: (text) => `${text}\nimport "@noble/ciphers/chacha.js";\n`,
  },
  {
    step: "size",
    also: ["format"],
    what: "a table that no bundler can leave out",
    path: "gateway/close_code.ts",
    edit: (text) =>
      `${text}\nexport const NAMES = ${JSON.stringify(numbers())}.map((number) => number.toString(16));\n`,
  },
  {
    step: "diagram",
    what: "a step of the voice machine that leads elsewhere",
    path: "voice/gateway/transitions.ts",
    edit: (text) => text.replace('on: "RESUMED", to: "live"', 'on: "RESUMED", to: "selecting"'),
  },
  {
    step: "diagram",
    what: "an arrow of the diagram renamed",
    path: "DESIGN.md",
    edit: (text) => text.replace("-->", "-->|sabotage|"),
  },
  {
    step: "rate-limits",
    what: "a figure of the comparison changed",
    path: "docs/rate_limits.md",
    edit: (text) => text.replace("118.5", "119.5"),
  },
  {
    step: "rate-limits",
    what: "a heart moved in the picture",
    path: "docs/rate_limits.svg",
    edit: (text) => text.replace('class="heart" d="M', 'class="heart" d="M1'),
  },
  {
    step: "rate-limits",
    what: "a limiter that admits less than is documented",
    path: "ratelimit/commands/command_limiter.ts",
    edit: (text) => text.replace("Math.min(heartbeat, mostLive) - 1;", "Math.min(heartbeat, mostLive) - 2;"),
  },
  {
    step: "cases",
    what: "a test that claims a case which is not listed",
    path: "tests/gateway/session_test.ts",
    edit: (text) => `${text}\nDeno.test("sabotage: a case that nobody knows [case 999]", () => {});\n`,
  },
  {
    step: "publish",
    what: "no version",
    path: "deno.json",
    edit: (text) => text.replace(/\n {2}"version": .*/, ""),
  },
  {
    step: "publish",
    also: ["lint", "docs-lint"],
    what: "a slow type",
    path: "mod.ts",
    edit: (text) => `${text}\n/** Slow. */\nexport const slow = new Map<string, number>().size;\n`,
  },
  {
    step: "publish",
    also: ["imports", "layers"],
    what: "a warning: an import that cannot be analysed",
    path: "mod.ts",
    edit: (text) =>
      `${text}\n/** Loads. */\nexport const load = (name: string): Promise<unknown> => import(\`./\${name}\`);\n`,
  },
  {
    step: "publish",
    also: ["layers"],
    what: "the tests in the package",
    path: "deno.json",
    edit: (text) => text.replace(`"tests/fake/",`, `"tests/",`),
  },
  {
    step: "doc-examples",
    what: "an example that throws",
    path: "mod.ts",
    edit: (text) =>
      `${text}\n/**\n * Documented.\n *\n * @example\n * \`\`\`ts\n * throw new Error("sabotage");\n * \`\`\`\n */\n` +
      "export const documented: number = 1;\n",
  },
  {
    step: "doc-examples",
    what: "an example of the README that does not compile",
    path: "README.md",
    edit: (text) => `${text}\n\`\`\`ts\nconst count: number = "three";\n\`\`\`\n`,
  },
  {
    step: "tests",
    what: "a failing test",
    path: "tests/sabotage_test.ts",
    edit: () => `Deno.test("sabotage", () => {\n  throw new Error("sabotage");\n});\n`,
  },
  {
    step: "tests",
    what: "a failing test among those with sockets",
    path: "tests/contract/sabotage_test.ts",
    edit: () => `Deno.test("sabotage", () => {\n  throw new Error("sabotage");\n});\n`,
  },
  {
    step: "tests",
    what: "a timer left behind",
    path: "tests/sabotage_test.ts",
    edit: () => `Deno.test("sabotage", () => {\n  setTimeout(() => {}, 60_000);\n});\n`,
  },
  {
    step: "runtimes",
    what: "a deadline that calls itself a refusal",
    path: "shard/pipe/dial.ts",
    edit: (text) => text.replace(`{ code: "ERR_DIAL_TIMEOUT" }`, `{ code: "ERR_DIAL_FAILED" }`),
  },
  {
    step: "runtimes",
    what: "a failure in the matrix of runtimes",
    path: "docs/runtimes.md",
    edit: (text) => text.replace("| ✓", "| ✗"),
  },
  {
    step: "cost",
    what: "a row of the table renamed",
    path: "docs/durable_objects.md",
    edit: (text) => text.replace("(default)", "(the default)"),
  },
  {
    step: "durable-object",
    what: "the session is not stored",
    path: "shard/stores/durable_object.ts",
    edit: (text) => text.replace("this.#kv.put(this.#key, record);", "this.#kv.get(record.sessionId);"),
  },
  {
    step: "examples",
    what: "an example with an exit code",
    path: "examples/ping.ts",
    edit: (text) => `if (Deno.args.length === 0) Deno.exit(3);\n${text}`,
  },
  {
    step: "examples",
    what: "an example that never ends",
    path: "examples/ping.ts",
    edit: (text) => `await new Promise(() => setInterval(() => {}, 1000));\n${text}`,
  },
];

if (import.meta.main) Deno.exit(await prove(Deno.args));

async function prove(args: readonly string[]): Promise<number> {
  const only = args.filter((arg) => arg !== "--others");
  const others = args.includes("--others") ? QUICK : [];
  const unproven = STEPS.filter(({ name }) => !SABOTAGES.some(({ step }) => step === name));
  if (unproven.length > 0) {
    console.error(`Nothing is spoiled for ${unproven.map(({ name }) => name).join(", ")}`);
    return 1;
  }
  const copy = new URL(`file://${encodeURI(await Deno.makeTempDir({ prefix: "gate " }))}/`);
  try {
    copyTree(ROOT, copy);
    const chosen = SABOTAGES.filter(({ step }) => only.length === 0 || only.includes(step));
    const steps = new Set(chosen.map(({ step }) => step));
    // Last, on few tests: this shows that the step notices one that fails, and all of them take long.
    const rest = chosen.filter(({ step }) => step === TESTS);
    const first = chosen.filter(({ step }) => step !== TESTS);
    let noticed = 0;
    if (first.length > 0) {
      steps.delete(TESTS);
      if (!await isSound(copy, [...steps, ...others])) return 1;
      for (const sabotage of first) noticed += await spoil(copy, sabotage, others) ? 1 : 0;
    }
    if (rest.length > 0) {
      removeTests(new URL("tests/", copy));
      if (!await isSound(copy, [TESTS])) return 1;
      for (const sabotage of rest) noticed += await spoil(copy, sabotage, []) ? 1 : 0;
    }
    console.log(`\n${noticed} of ${chosen.length} sabotages made their steps fail`);
    return noticed === chosen.length ? 0 : 1;
  } finally {
    await Deno.remove(copy, { recursive: true });
  }
}

/** A step that fails on what is sound proves nothing when it fails later. */
async function isSound(copy: URL, steps: readonly string[]): Promise<boolean> {
  const { failed, output } = await gate(copy, steps);
  if (failed.length === 0) return true;
  console.error(
    `${output}\nCannot prove anything: before anything is spoiled these fail: ${failed.join(", ")}`,
  );
  return false;
}

async function spoil(copy: URL, sabotage: Sabotage, others: readonly string[]): Promise<boolean> {
  const { step, also = [], what, path, edit } = sabotage;
  const file = new URL(path, copy);
  const text = readIfThere(file);
  const spoilt = edit(text ?? "");
  if (spoilt === text) throw new Error(`Cannot spoil ${path}: it has lost what was to be changed: ${what}`);
  await Deno.writeTextFile(file, spoilt);
  const { failed } = await gate(copy, [...others, step, ...also]);
  if (text === null) await Deno.remove(file);
  else await Deno.writeTextFile(file, text);
  const expected = [step, ...also].sort();
  const ok = failed.join() === expected.join();
  const verdict = ok ? "fails" : `EXPECTED ${expected.join(", ")}, BUT FAILED`;
  console.log(
    `${step.padEnd(14)} ${`${what} (${path})`.padEnd(68)} ${verdict}: ${failed.join(", ") || "nothing"}`,
  );
  return ok;
}

/** All but a few of those that are played by the one process, and of those by the other. */
function removeTests(folder: URL): void {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (name === "gateway" || name === "dial_test.ts") continue;
    if (isDirectory) removeTests(new URL(`${encodeURI(name)}/`, folder));
    else if (name.endsWith("_test.ts")) Deno.removeSync(new URL(encodeURI(name), folder));
  }
}

/** Runs steps of the copy's gate, and sorts the names of those that fail. */
async function gate(copy: URL, steps: readonly string[]): Promise<Outcome> {
  const args = ["run", "--allow-all", "tests/gate/ok.ts", "--all", ...new Set(steps)];
  const { code, output } = await runDeno(args, { cwd: copy, limitMs: 30 * 60_000 });
  const last = plain(output).trimEnd().split("\n").at(-1) ?? "";
  if (code === 0 && last === "ok") return { failed: [], output };
  const names = /^FAILED: (.*)$/.exec(last)?.[1];
  if (names === undefined) throw new Error(`Cannot read the gate's verdict: exit code ${code}: ${output}`);
  return { failed: names.split(", ").sort(), output };
}

function copyTree(from: URL, to: URL): void {
  for (const entry of Deno.readDirSync(from)) {
    if (entry.name === ".git" || entry.name === "node_modules") continue;
    const [source, target] = [new URL(encodeURI(entry.name), from), new URL(encodeURI(entry.name), to)];
    if (entry.isFile) Deno.copyFileSync(source, target);
    if (entry.isDirectory) {
      Deno.mkdirSync(target);
      copyTree(new URL(`${source.href}/`), new URL(`${target.href}/`));
    }
  }
}

function readIfThere(file: URL): string | null {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

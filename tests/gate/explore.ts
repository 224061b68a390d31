/**
 * `deno task explore`: looks for counterexamples of the properties, with other values each round.
 *
 *     deno task explore                                  ten minutes, all files that assert a property
 *     deno task explore tests/shard/ --minutes 60        only those, for an hour
 *     deno task explore --rounds 3 --seconds 5           three rounds, at most 5 s for each property
 *     deno task explore --seed 42 --rounds 1             begins with this seed
 *     deno task explore tests/voice/ --filter "receiver" only tests with this in their name
 *
 * A round runs each file once, in a process of its own, with a seed that no other round has. What fails is printed as it
 * is found, and the search goes on. At the end come the commands that repeat each failure; the exit code says whether
 * there was one.
 */

import { chooseJsr } from "./jsr.ts";
import { plain, ROOT, runDeno } from "./process.ts";
import { filesBelow } from "./published.ts";

interface Search {
  readonly files: readonly string[];
  readonly filter: string | null;
  readonly rounds: number;
  readonly minutes: number;
  /** The longest time for one property. */
  readonly seconds: number;
  /** By how much the runs of a property are multiplied. */
  readonly factor: number;
  /** The seed of the first round; the second has the next one. */
  readonly seed: number;
}

interface Failure {
  readonly what: string;
  readonly command: string;
}

/** A property has its seconds, and shrinking ends with them; what takes so much longer hangs. */
const FILE_LIMIT_MS = 30 * 60_000;

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const search = read(args);
  if (typeof search === "string") {
    console.error(search);
    return 2;
  }
  const failures = await explore(search);
  if (failures.length === 0) {
    console.log("\nNo property failed.");
    return 0;
  }
  console.log(`\n${failures.length} failed. To repeat:`);
  for (const { what, command } of failures) console.log(`\n# ${what}\n${command}`);
  return 1;
}

/** What the arguments ask for, or what is wrong with them. */
function read(args: readonly string[]): Search | string {
  const numbers: Record<string, number> = {};
  const paths: string[] = [];
  let filter: string | null = null;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (!arg.startsWith("--")) paths.push(arg);
    else if (arg === "--filter") filter = args[++i] ?? "";
    else {
      const value = Number(args[++i] ?? NaN);
      const isWhole = Number.isInteger(value) || arg === "--minutes" || arg === "--factor";
      const isKnown = ["--rounds", "--minutes", "--seconds", "--factor", "--seed"].includes(arg);
      if (!isKnown) return `Cannot explore: no such option: ${arg}`;
      if (!(isWhole && (value > 0 || arg === "--seed"))) {
        return `Cannot explore: ${arg} needs a number: ${args[i]}`;
      }
      numbers[arg.slice(2)] = value;
    }
  }
  const all = filesBelow("tests/").filter((file) => file.endsWith("_test.ts") && assertsProperties(file));
  const files = all.filter((file) => paths.length === 0 || paths.some((path) => file.startsWith(path)));
  if (files.length === 0) return `Cannot explore: no property is asserted in ${paths.join(", ")}`;
  const { rounds, minutes, seconds = 20, factor = 1_000, seed = Math.floor(Math.random() * 2 ** 30) } =
    numbers;
  return {
    files,
    filter,
    rounds: rounds ?? Infinity,
    minutes: minutes ?? (rounds === undefined ? 10 : Infinity),
    seconds,
    factor,
    seed,
  };
}

function assertsProperties(file: string): boolean {
  return /\bassertProperty\(/.test(Deno.readTextFileSync(new URL(file, ROOT)));
}

async function explore(search: Search): Promise<Failure[]> {
  const { files, rounds, minutes, seed: first } = search;
  const jsr = await chooseJsr();
  console.log(`${jsr.line}\n${files.length} files`);
  const end = performance.now() + minutes * 60_000;
  const failures: Failure[] = [];
  for (let round = 1; round <= rounds && performance.now() < end; round++) {
    const seed = first + round - 1;
    console.log(`\nround ${round}, seed ${seed}`);
    for (const file of files) {
      if (performance.now() >= end) break;
      failures.push(...await exploreFile(file, { ...search, seed }, jsr.url));
    }
  }
  return failures;
}

async function exploreFile(file: string, search: Search, jsrUrl: string): Promise<Failure[]> {
  const { seed, factor, seconds, filter } = search;
  const env = {
    ...Deno.env.toObject(),
    JSR_URL: jsrUrl,
    PROPERTY_SEED: `${seed}`,
    PROPERTY_RUNS: `${factor}`,
    PROPERTY_SECONDS: `${seconds}`,
  };
  const begun = performance.now();
  const chosen = filter === null ? [] : ["--filter", filter];
  const { code, output } = await runDeno(
    ["test", "--allow-all", "--no-lock", "--no-check", "--permit-no-files", ...chosen, file],
    { env, limitMs: FILE_LIMIT_MS },
  );
  const took = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`  ${code === 0 ? "ok    " : "FAILED"} ${file} (${took} s)`);
  if (code === 0) return [];
  const text = plain(output);
  console.log(text.slice(Math.max(0, text.indexOf(" ERRORS "))).replace(/^/gm, "    "));
  const tests = failedTests(text);
  if (tests.length === 0) return [failure(search, file, null)];
  return tests.map((test) => failure(search, file, test));
}

/** The names of the tests that failed, from Deno's list of them. A step counts for the test that it belongs to. */
function failedTests(output: string): string[] {
  const list = output.slice(output.lastIndexOf(" FAILURES "));
  const names = [...list.matchAll(/^(.*) => \.?\/?tests\/.*:\d+:\d+$/gm)].map(([, name]) => name ?? "");
  return [...new Set(names.map((name) => name.split(" ... ")[0] ?? ""))];
}

function failure({ seed, factor }: Search, file: string, test: string | null): Failure {
  const filter = test === null ? "" : ` --filter ${quoted(test)}`;
  return {
    what: test ?? `${file}, as a whole`,
    command: `PROPERTY_SEED=${seed} PROPERTY_RUNS=${factor} deno task test ${file}${filter}`,
  };
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * `deno task ok`: the one gate. Runs the steps in order and stops at the first that fails.
 *
 *     deno task ok                  all steps
 *     deno task ok lint types       these
 *     deno task ok --skip tests     all but these (a comma between several)
 *     deno task ok --all            goes on after a failure
 *     deno task ok --list           names them
 */

import { chooseJsr } from "./jsr.ts";
import { type Env, type Step, STEPS } from "./steps.ts";

interface Choice {
  readonly steps: readonly Step[];
  /** Goes on after a failure. */
  readonly all: boolean;
}

interface Row {
  readonly name: string;
  readonly result: "ok" | "FAILED" | "not run";
  readonly seconds: number;
  readonly detail: string;
  /** Everything that it printed. */
  readonly output: string;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--list")) {
    for (const step of STEPS) console.log(`${step.name.padEnd(14)} ${step.what}`);
    return 0;
  }
  const rows = await run(choose(args));
  console.log(`\n${table(rows)}`);
  const failed = rows.filter((row) => row.result === "FAILED");
  console.log(failed.length === 0 ? "\nok" : `\nFAILED: ${failed.map((row) => row.name).join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

function choose(args: readonly string[]): Choice {
  const skip: string[] = [];
  const only: string[] = [];
  let all = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--all") all = true;
    else if (arg === "--skip") skip.push(...(args[++i] ?? "").split(","));
    else if (arg.startsWith("--skip=")) skip.push(...arg.slice("--skip=".length).split(","));
    else only.push(arg);
  }
  const names = STEPS.map((step) => step.name);
  for (const name of [...skip, ...only]) {
    if (!names.includes(name)) {
      console.error(`Cannot choose steps: no step has this name: ${name} (there are ${names.join(", ")})`);
      Deno.exit(2);
    }
  }
  return {
    all,
    steps: STEPS.filter(({ name }) => !skip.includes(name) && (only.length === 0 || only.includes(name))),
  };
}

async function run({ steps, all }: Choice): Promise<Row[]> {
  const jsr = await chooseJsr();
  console.log(`${jsr.line}\n`);
  const env = { ...Deno.env.toObject(), JSR_URL: jsr.url };
  const givenUp = new AbortController();
  const meanwhile: Promise<Row>[] = [];
  const rows: Row[] = [];
  const isOver = () => !all && rows.some(({ result }) => result === "FAILED");
  for (const step of steps) {
    if (isOver()) break;
    await print(`${step.name.padEnd(14)} ${step.what} … `);
    const row = play(step, env, givenUp.signal);
    if (step.isIdle) {
      await print("others meanwhile\n");
      meanwhile.push(row);
    } else {
      rows.push(await row);
      await show(await row);
    }
  }
  if (isOver()) givenUp.abort();
  for (const row of await Promise.all(meanwhile)) {
    rows.push(row);
    await print(`${row.name.padEnd(14)} `);
    await show(row);
  }
  return steps.map(({ name }) => rows.find((row) => row.name === name) ?? notRun(name));
}

async function play({ name, run }: Step, env: Env, givenUp: AbortSignal): Promise<Row> {
  const start = performance.now();
  const { ok, output, detail = "" } = await run(env, givenUp);
  if (givenUp.aborted) return notRun(name);
  const seconds = (performance.now() - start) / 1000;
  return { name, result: ok ? "ok" : "FAILED", seconds, detail, output };
}

function notRun(name: string): Row {
  return { name, result: "not run", seconds: 0, detail: "", output: "" };
}

async function show({ result, seconds, output }: Row): Promise<void> {
  await print(result === "not run" ? `${result}\n` : `${result} (${seconds.toFixed(1)} s)\n`);
  if (result === "FAILED") await print(`\n${output.trimEnd()}\n\n`);
}

function table(rows: readonly Row[]): string {
  return rows.map(({ name, result, seconds, detail }) => {
    const time = result === "not run" ? "" : `${seconds.toFixed(1)} s`;
    return `${name.padEnd(14)} ${result.padEnd(8)} ${time.padStart(8)}  ${detail}`.trimEnd();
  }).join("\n");
}

/** Without a line break, so that a step's result follows its name. */
async function print(text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

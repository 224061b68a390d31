/**
 * `deno task test`: all tests, with the real `@std` where JSR answers and with stand-ins where it does not.
 *
 * Further arguments go to `deno test`: paths instead of `tests/`, `--filter`, `--watch` and so on. Needs nothing but
 * Deno itself. The last line is always `N passed, N failed`.
 */

import { chooseJsr } from "./jsr.ts";
import { plain, ROOT, runDeno, type RunResult } from "./process.ts";

if (import.meta.main) Deno.exit(await test(Deno.args));

async function test(args: readonly string[]): Promise<number> {
  const jsr = await chooseJsr();
  console.log(jsr.line);
  const run = (paths: readonly string[], isFirst: boolean) =>
    runDeno(["test", "--allow-all", "--no-lock", "--trace-leaks", ...args, ...paths], {
      env: childEnv(jsr.url),
      echo: isFirst,
      isPatient: !isFirst,
      // Minutes, and on a busy machine many.
      limitMs: 60 * 60_000,
    });
  const runs = await Promise.all(portions(args).map((paths, index) => run(paths, index === 0)));
  for (const { output } of runs.slice(1)) console.log(output);
  console.log(closingLine(runs));
  return runs.find(({ code }) => code !== 0)?.code ?? 0;
}

/**
 * The paths that each process tests. `contract/` waits for sockets and for other processes most of its time, and the rest
 * computes: together they take no longer than the longer one. Not as threads of one process, since tests set its
 * environment and measure its memory.
 */
function portions(args: readonly string[]): readonly (readonly string[])[] {
  if (args.some(isPath)) return [[]];
  if (args.some((arg) => arg !== "--no-check")) return [["tests/"]];
  const rest = [...Deno.readDirSync(new URL("tests/", ROOT))].filter(({ name, isDirectory }) =>
    isDirectory ? name !== "contract" && name !== "out" : name.endsWith("_test.ts")
  );
  return [["tests/contract/"], rest.map(({ name }) => `tests/${name}`).sort()];
}

/** Colours survive the pipe if they would be seen. */
function childEnv(jsrUrl: string): Record<string, string> {
  const env = Deno.env.toObject();
  if (Deno.stdout.isTerminal() && !("NO_COLOR" in env)) env.FORCE_COLOR = "1";
  return { ...env, JSR_URL: jsrUrl };
}

function isPath(arg: string): boolean {
  if (arg.startsWith("-")) return false;
  try {
    Deno.statSync(new URL(encodeURI(arg), ROOT));
    return true;
  } catch {
    return /[*?]/.test(arg) || arg.endsWith(".ts");
  }
}

/** Deno's own summaries in one plain line. A run that fails without a failed test, say by a type error, counts as one. */
function closingLine(runs: readonly RunResult[]): string {
  let [passed, failed, skipped] = [0, 0, 0];
  for (const { output, code } of runs) {
    const summary = [
      ...plain(output).matchAll(/^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed(?:.*?\| (\d+) ignored)?/gm),
    ].at(-1);
    passed += Number(summary?.[1] ?? 0);
    failed += Math.max(Number(summary?.[2] ?? 0), code === 0 ? 0 : 1);
    skipped += Number(summary?.[3] ?? 0);
  }
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/**
 * `deno task test`: all tests, with the real `@std` where JSR answers and with stand-ins where it does not.
 *
 * Further arguments go to `deno test`: paths instead of `tests/`, `--filter`, `--watch` and so on. Needs nothing but
 * Deno itself. The last line is always `N passed, N failed`.
 */

import { chooseJsr } from "./jsr.ts";
import { plain, ROOT, runDeno } from "./process.ts";

if (import.meta.main) Deno.exit(await test(Deno.args));

async function test(args: readonly string[]): Promise<number> {
  const jsr = await chooseJsr();
  console.log(jsr.line);
  const flags = ["test", "--allow-all", "--no-lock", "--trace-leaks", ...args];
  const { code, output } = await runDeno(args.some(isPath) ? flags : [...flags, "tests/"], {
    env: childEnv(jsr.url),
    echo: true,
    limitMs: 20 * 60_000,
  });
  console.log(closingLine(plain(output), code));
  return code;
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

/** Deno's own summary in one plain line. A run that fails without a failed test, say by a type error, counts as one. */
function closingLine(output: string, code: number): string {
  const summary = [
    ...output.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*?\| (\d+) failed(?:.*?\| (\d+) ignored)?/gm),
  ].at(-1);
  const [passed, failed, skipped] = [
    Number(summary?.[1] ?? 0),
    Number(summary?.[2] ?? 0),
    Number(summary?.[3] ?? 0),
  ];
  const shown = failed === 0 && code !== 0 ? 1 : failed;
  return `${passed} passed, ${shown} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Child processes of the gate: all output kept in the order it came, a time limit on each. */

import { stripVTControlCharacters } from "node:util";

/** How to run a child. */
export interface RunOptions {
  /** The whole environment of the child; this process's by default. */
  readonly env?: Record<string, string>;
  /** Working directory; default: the root of the repository. */
  readonly cwd?: string | URL;
  /** Ends the child after this many ms; default ten minutes. */
  readonly limitMs?: number;
  /** Also passes the output on while it comes. */
  readonly echo?: boolean;
  /** Others go first: for what only computes, beside what listens to a clock. */
  readonly isPatient?: boolean;
  /** Ends the child before its time. */
  readonly signal?: AbortSignal;
}

/** What a child left behind. */
export interface RunResult {
  /** Its exit code; 124 where the time limit ended it, as `timeout` has it. */
  readonly code: number;
  /** stdout and stderr in the order they came. */
  readonly output: string;
}

const GRACE_MS = 2000;

/** The root of the repository, wherever it was cloned. */
export const ROOT: URL = new URL("../../", import.meta.url);

/** Runs this very Deno with `args`. */
export async function runDeno(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { env = Deno.env.toObject(), cwd = ROOT, limitMs = 600_000, echo = false, signal } = options;
  const [program = "", ...flags] = options.isPatient && Deno.build.os !== "windows"
    ? ["nice", "-n", "5", Deno.execPath()]
    : [Deno.execPath()];
  const child = new Deno.Command(program, {
    args: [...flags, ...args],
    cwd,
    env,
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const parts: string[] = [];
  const reading = Promise.all([
    read(child.stdout, parts, echo ? Deno.stdout : null),
    read(child.stderr, parts, echo ? Deno.stderr : null),
  ]);
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    killTree(child.pid);
  }, limitMs);
  const giveUp = () => killTree(child.pid);
  signal?.addEventListener("abort", giveUp);
  const { code } = await child.status;
  clearTimeout(limit);
  signal?.removeEventListener("abort", giveUp);
  // A grandchild that outlives the child would hold the pipes open.
  await Promise.race([reading, pause(GRACE_MS)]);
  if (late) {
    const words = `\nEnded by its time limit of ${limitMs / 1000} s.\n`;
    parts.push(words);
    if (echo) writeAll(Deno.stderr, new TextEncoder().encode(words));
  }
  return { code: late ? 124 : code, output: parts.join("") };
}

/** Text without the escape sequences that colour it. */
export function plain(text: string): string {
  return stripVTControlCharacters(text);
}

async function read(
  stream: ReadableStream<Uint8Array>,
  parts: string[],
  echo: { writeSync(bytes: Uint8Array): number } | null,
): Promise<void> {
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    parts.push(decoder.decode(bytes, { stream: true }));
    if (echo) writeAll(echo, bytes);
  }
}

function writeAll(target: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += target.writeSync(bytes.subarray(at));
}

/** A process with all that it has started: servers and browsers, which would go on without it. */
function killTree(root: number): void {
  const { stdout } = new Deno.Command("ps", { args: ["-A", "-o", "pid=,ppid="] }).outputSync();
  const children = new Map<number, number[]>();
  for (const line of new TextDecoder().decode(stdout).trim().split("\n")) {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    children.set(parent, [...children.get(parent) ?? [], pid]);
  }
  const doomed = [root];
  for (const pid of doomed) doomed.push(...children.get(pid) ?? []);
  for (const pid of doomed) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      // It went by itself.
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    Deno.unrefTimer(setTimeout(resolve, ms));
  });
}

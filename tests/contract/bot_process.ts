/** A bot in a process of its own, for what can only be seen from outside: that it exits by itself, or is killed. */

import { until } from "./until.ts";

/** One run of a program in `programs/`, or of an example. */
export class BotProcess implements AsyncDisposable {
  /** What it has printed, line by line. */
  readonly lines: string[] = [];
  /** What it has printed to stderr. */
  stderr = "";
  /** How it ended; `null` while it runs. */
  end: Deno.CommandStatus | null = null;
  /** Resolves when it has ended and all of its output is read. */
  readonly ended: Promise<Deno.CommandStatus>;
  readonly #child: Deno.ChildProcess;

  /** Starts it; nothing of our own environment reaches it but what a process needs. */
  constructor(program: string, environment: Record<string, string> = {}, args: readonly string[] = []) {
    const PROCESS_NEEDS = ["PATH", "HOME", "DENO_DIR", "TMPDIR", "NPM_CONFIG_REGISTRY"];
    const inherited = PROCESS_NEEDS.flatMap((name) => {
      const value = Deno.env.get(name);
      return value === undefined ? [] : [[name, value]];
    });
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-lock", "-A", new URL(`programs/${program}`, import.meta.url).href, ...args],
      env: { ...Object.fromEntries(inherited), NO_COLOR: "1", ...environment },
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.ended = this.#watch();
  }

  /** Kills it, as a crash or a power cut would. */
  kill(signal: Deno.Signal = "SIGKILL"): void {
    if (this.end === null) this.#child.kill(signal);
  }

  /** Waits until it has printed a line. */
  async printed(line: string): Promise<void> {
    await until(`"${line}" from ${this.lines.slice(-5).join(" | ")} ${this.stderr}`, () => {
      return this.lines.includes(line) || this.end !== null;
    });
    if (!this.lines.includes(line)) throw new Error(`It ended without "${line}": ${this.stderr}`);
  }

  /** Kills it if it still runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.ended;
  }

  async #watch(): Promise<Deno.CommandStatus> {
    const [status] = await Promise.all([this.#child.status, this.#readLines(), this.#readErrors()]);
    return this.end = status;
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
    }
    // A killed process may leave half a line behind.
    if (rest !== "") this.lines.push(rest);
  }

  async #readErrors(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) this.stderr += text;
  }
}

/** A runtime under test, and those that are a program with arguments. */

import type { Result } from "./runner.ts";
import type { Abilities } from "./scene.ts";

/** A column of the matrix. */
export interface Runtime {
  /** Its name and version. */
  readonly name: string;
  /** Why behaviours that need this are not played on it; nothing else may be skipped. */
  readonly lacks: { readonly [Ability in keyof Abilities | "process"]?: string };
  /** Plays the suite, and reports each behaviour as soon as it is known. */
  readonly run: (stage: Stage, report: (result: Result) => void) => Promise<void>;
}

/** What a runtime is given. */
export interface Stage {
  /** URL of the remote control. */
  readonly url: string;
  /** The certificate that it has to trust, in PEM. */
  readonly certificate: string;
  /** The same as a file. */
  readonly certificateFile: string;
}

/** Why a runtime lacks it. */
export const NO_WORD_OF_CERTIFICATES = "its WebSocket does not say that it was the certificate";

/** The row that is about the process itself. */
export const ENDS_BY_ITSELF = "leaks: the process ends by itself, without a word on stderr";

/** Far longer than the suite takes. */
const LIMIT_MS = 300_000;
/** How long a process may take to notice that it has nothing left to do. */
const PATIENCE_MS = 60_000;

/** Plays the suite in a process of its own, which trusts the certificate in a file as it would trust Discord's. */
export async function runProcess(
  program: string,
  args: readonly string[],
  certificateFile: string,
  report: (result: Result) => void,
): Promise<void> {
  const { DISCORD_API: _api, DISCORD_TOKEN: _token, ...env } = Deno.env.toObject();
  const child = new Deno.Command(program, {
    args: [...args],
    // The first is Deno's, the second that of the others.
    env: { ...env, NO_COLOR: "1", DENO_CERT: certificateFile, NODE_EXTRA_CA_CERTS: certificateFile },
    clearEnv: true,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let ended = false;
  const kill = () => {
    if (!ended) child.kill("SIGKILL");
  };
  let limit = setTimeout(kill, LIMIT_MS);
  const errors = new Response(child.stderr).text();
  let isOver = false;
  for await (const line of lines(child.stdout)) {
    const message: Result | "over" = JSON.parse(line);
    if (message !== "over") report(message);
    else {
      isOver = true;
      clearTimeout(limit);
      limit = setTimeout(kill, PATIENCE_MS);
    }
  }
  const { code, signal } = await child.status;
  ended = true;
  clearTimeout(limit);
  const stderr = (await errors).trim();
  const isFine = isOver && code === 0 && stderr === "";
  const error = `${isOver ? "" : "the suite did not come to its end; "}${
    signal ?? `exit code ${code}`
  }: ${stderr}`;
  report({ name: ENDS_BY_ITSELF, outcome: isFine ? "passed" : "failed", ...(!isFine && { error }) });
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

/**
 * workerd on this machine, with one worker out of this repository's sources, gone with the test.
 *
 * It runs in a child process: miniflare leaves timers and ports behind that Deno's leak check would find in a test.
 */

import { bundle } from "./bundle.ts";

/** The newest day whose behaviour the pinned workerd has; see `miniflare` in `deno.json`. */
export const COMPATIBILITY_DATE = "2026-07-30";

/** What a worker has around it. */
export interface WorkerdOptions {
  /** Bindings to Durable Objects, each with the class that the worker exports; their storage is SQLite. */
  readonly durableObjects?: Readonly<Record<string, string>>;
  /** Bindings to plain values. */
  readonly bindings?: Readonly<Record<string, string>>;
  /** Certificates that outgoing connections trust besides those of the browsers' authorities, in PEM. @default {[]} */
  readonly trustedCertificates?: readonly string[];
  /** Folder in which Durable Objects keep their storage from one start to the next. In memory by default. */
  readonly persist?: string;
  /** @default {COMPATIBILITY_DATE} */
  readonly compatibilityDate?: string;
  /** Such as `nodejs_compat`; none, so that nothing but Web standards is there. @default {[]} */
  readonly compatibilityFlags?: readonly string[];
}

/** A running workerd. */
export class WorkerdServer implements AsyncDisposable {
  /** Where the worker's `fetch` is reached. */
  readonly url: URL;
  readonly #child: Deno.ChildProcess;
  readonly #log: Promise<string>;

  private constructor(url: URL, child: Deno.ChildProcess, log: Promise<string>) {
    this.url = url;
    this.#child = child;
    this.#log = log;
  }

  /** Starts the worker at `entry`, a path from the root of the repository. */
  static async start(entry: string, options: WorkerdOptions = {}): Promise<WorkerdServer> {
    const script = await bundle(entry);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-lock", "-A", new URL("programs/workerd_host.ts", import.meta.url).href],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const log = new Response(child.stderr).text();
    const writer = child.stdin.getWriter();
    const text = JSON.stringify({ script, compatibilityDate: COMPATIBILITY_DATE, ...options });
    await writer.write(new TextEncoder().encode(`${text}\n`));
    writer.releaseLock();
    const line = await firstLine(child.stdout);
    if (line === null) {
      // The child is gone, and this end of its pipe with it.
      await Promise.all([child.stdin.abort(), child.status]);
      throw new Error(`Cannot start workerd: ${await log}`);
    }
    return new WorkerdServer(new URL(line), child, log);
  }

  /** Ends it, every Durable Object at once, and returns what was printed to its log. */
  async stop(): Promise<string> {
    if (!this.#child.stdin.locked) await this.#child.stdin.getWriter().close();
    await this.#child.status;
    return await this.#log;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** The first line of a stream, whose rest is not wanted; `null` if it ends before. */
async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string | null> {
  let text = "";
  for await (const part of stream.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  return null;
}

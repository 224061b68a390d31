/**
 * The Worker of this folder in workerd on this machine, with its storage on disk: what `wrangler dev` does, but under the
 * control of a program, which can kill it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import { Miniflare } from "miniflare";

/**
 * The newest day whose behaviour this workerd has. `wrangler.jsonc` asks for 2026-10-01, since when Cloudflare keeps an
 * object with pending timers in memory; workerd by itself evicts it by the older rule, under either date.
 */
const COMPATIBILITY_DATE = "2026-07-30";

/** What `wrangler.jsonc` and `wrangler secret put` set in a deployment. */
export interface Bindings {
  /** The bot's token. */
  readonly DISCORD_TOKEN: string;
  /** Whoever knows it commands the bot. */
  readonly CONTROL_SECRET: string;
  /** Base URL of the REST API. */
  readonly DISCORD_API: string;
  /** Time between two alarms, in ms. */
  readonly ALARM_EVERY_MS: string;
  /** How long both sets of a reshard deliver together, in ms. */
  readonly OVERLAP_MS: string;
}

/** A Worker that can be killed and comes back; its storage goes with this process. */
export class LocalWorker {
  readonly #bindings: Bindings;
  readonly #script: string;
  readonly #folder: string;
  #miniflare: Miniflare | null = null;
  #url = new URL("http://127.0.0.1:0/");

  private constructor(bindings: Bindings, script: string, folder: string) {
    this.#bindings = bindings;
    this.#script = script;
    this.#folder = folder;
  }

  /** Bundles it, and starts it on a free port. */
  static async start(bindings: Bindings): Promise<LocalWorker> {
    const folder = mkdtempSync(join(tmpdir(), "discordgateway-"));
    // At Ctrl-C Miniflare ends the process at once, and workerd with it.
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    const worker = new LocalWorker(bindings, await bundle(), folder);
    await worker.boot();
    return worker;
  }

  /** Where it answers; the same after a kill. */
  get url(): URL {
    return this.#url;
  }

  /** Starts workerd with what is on disk. */
  async boot(): Promise<void> {
    this.#miniflare = new Miniflare({
      modules: [{ type: "ESModule", path: "worker.mjs", contents: this.#script }],
      compatibilityDate: COMPATIBILITY_DATE,
      host: "127.0.0.1",
      port: Number(this.#url.port),
      durableObjects: {
        COORDINATOR: { className: "Coordinator", useSQLite: true },
        SHARD: { className: "ShardObject", useSQLite: true },
      },
      durableObjectsPersist: this.#folder,
      bindings: { ...this.#bindings },
    });
    this.#url = await this.#miniflare.ready;
  }

  /** Ends workerd by SIGKILL, which is how Miniflare ends it: nothing in it gets to say a word. */
  async kill(): Promise<void> {
    await this.#miniflare?.dispose();
    this.#miniflare = null;
  }
}

/** The Worker with all that it imports, as one module. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("worker.ts", import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    target: "esnext",
    external: ["cloudflare:*"],
    plugins: [{
      name: "this package",
      setup: ({ onResolve }) =>
        onResolve({ filter: /^@discordgateway\/edge/ }, ({ path }) => ({
          path: fileURLToPath(import.meta.resolve(path)),
        })),
    }],
  });
  await stop();
  return outputFiles[0]?.text ?? "";
}

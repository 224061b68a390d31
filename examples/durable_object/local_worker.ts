/**
 * The Worker of this folder in workerd on this machine, with its storage on disk: like `wrangler dev`, but controlled by
 * a program, which can kill it.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { build, stop } from "esbuild";
import { Miniflare } from "miniflare";

/**
 * The newest compatibility date of this workerd. `wrangler.jsonc` has 2026-10-01, the first date at which Cloudflare keeps
 * an object with pending timers in memory; a local workerd evicts such an object under either date.
 */
const COMPATIBILITY_DATE = "2026-07-30";

/** The variables and secrets of a deployment. */
export interface Bindings {
  /** The bot's token. */
  readonly DISCORD_TOKEN: string;
  /** Authorizes the control routes. */
  readonly CONTROL_SECRET: string;
  /** Base URL of the REST API. */
  readonly DISCORD_API: string;
  /** Time between two alarms, in ms. */
  readonly ALARM_EVERY_MS: string;
  /** How long both sets of a reshard deliver events, in ms. */
  readonly OVERLAP_MS: string;
}

/** A Worker that can be killed and restarted; its storage is deleted when this process exits. */
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

  /** Bundles the Worker, and starts it on a free port. */
  static async start(bindings: Bindings): Promise<LocalWorker> {
    const folder = mkdtempSync(join(tmpdir(), "discordgateway-"));
    // On Ctrl-C Miniflare ends this process and workerd at once.
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    const worker = new LocalWorker(bindings, await bundle(), folder);
    await worker.boot();
    return worker;
  }

  /** The Worker's URL; the same after a kill. */
  get url(): URL {
    return this.#url;
  }

  /** Starts workerd with the storage on disk. */
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

  /** Ends workerd by SIGKILL, as Miniflare does: nothing in it can react. */
  async kill(): Promise<void> {
    await this.#miniflare?.dispose();
    this.#miniflare = null;
  }
}

/** Bundles the Worker and its imports into one module. */
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

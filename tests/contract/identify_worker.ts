/** workerd with `programs/identify_worker.ts` in it, and the way to its coordinators from outside. */

import type { CoordinatorNamespace, CoordinatorStub } from "../../ratelimit/identify/durable_object.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

/** A running workerd, started by a process of its own: Miniflare leaves things behind. */
export class IdentifyWorker implements AsyncDisposable {
  /** Where it listens. */
  readonly url: string;
  readonly #process: BotProcess;

  private constructor(url: string, process: BotProcess) {
    this.url = url;
    this.#process = process;
  }

  /** Starts it. */
  static async start(folder: string): Promise<IdentifyWorker> {
    const process = new BotProcess("identify_worker.ts", {}, [folder]);
    await until("the worker's URL", () => process.lines.length > 0 || process.end !== null);
    const [url] = process.lines;
    if (url === undefined) throw new Error(`Cannot start the worker: ${process.stderr}`);
    return new IdentifyWorker(url, process);
  }

  /** Knocks at one of the worker's doors. */
  async post(door: "die" | "take", name: string, body: unknown = null): Promise<unknown> {
    const response = await fetch(`${this.url}${door}/${name}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    return await response.json();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // It takes workerd down with it.
    this.#process.kill("SIGTERM");
    await this.#process.ended;
  }
}

/** The worker's namespace, reached from outside of workerd through its doors. */
export class NamespaceBehind implements CoordinatorNamespace<string> {
  /** How many requests are under way. */
  pending = 0;
  readonly #url: string;
  readonly #door: "rpc" | "plain";

  constructor(url: string, door: "rpc" | "plain") {
    this.#url = url;
    this.#door = door;
  }

  idFromName(name: string): string {
    return name;
  }

  get(name: string): CoordinatorStub {
    return {
      fetch: async (_url, init) => {
        this.pending++;
        try {
          const response = await fetch(`${this.#url}${this.#door}/${name}`, init);
          const body = await response.text();
          return { status: response.status, json: () => Promise.resolve(JSON.parse(body)) };
        } finally {
          this.pending--;
        }
      },
    };
  }
}

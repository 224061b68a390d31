/** The worker of the Durable Object tests: a coordinator as a user would write it, in workerd, and a door to it. */

import { Miniflare } from "miniflare";
import type { CoordinatorNamespace, CoordinatorStub } from "../../ratelimit/identify_durable_object.ts";
import { bundle } from "../runtimes/bundle.ts";
import { BotProcess } from "./bot_process.ts";
import { until } from "./until.ts";

/** What only workerd can load: it imports `cloudflare:workers`. */
const WORKER = `
import { DurableObject } from "cloudflare:workers";
import { DurableObjectIdentifyLimiter, IdentifyCoordinator } from "./package.js";

export class Identifies extends DurableObject {
  #coordinator = new IdentifyCoordinator(this.ctx);
  exchange(request) { return this.#coordinator.exchange(request); }
  die() { this.ctx.abort("sabotage"); }
}

export class PlainIdentifies {
  #coordinator;
  constructor(state) { this.#coordinator = new IdentifyCoordinator(state); }
  fetch(request) { return this.#coordinator.fetch(request); }
}

export default {
  async fetch(request, env) {
    const [, door, name] = new URL(request.url).pathname.split("/");
    const stub = (namespace) => namespace.get(namespace.idFromName(name));
    if (door === "rpc") return Response.json(await stub(env.IDENTIFIES).exchange(await request.json()));
    if (door === "plain") return await stub(env.PLAIN).fetch(request);
    if (door === "die") return Response.json(await stub(env.IDENTIFIES).die().catch(String));
    // "take": what a shard in a Worker would do.
    const { shardIds, ...options } = await request.json();
    const limiter = new DurableObjectIdentifyLimiter(env.IDENTIFIES, { name, ...options });
    const order = [];
    await Promise.all(shardIds.map(async (shardId) => {
      await limiter.take(shardId);
      order.push(shardId);
    }));
    return Response.json(order);
  },
};
`;

/** Starts workerd with the worker in it, in this process; what the objects keep is in a folder that may outlive it. */
export async function serveWorker(folder: string): Promise<Miniflare> {
  return new Miniflare({
    compatibilityDate: "2026-07-30",
    modules: [
      { type: "ESModule", path: "worker.js", contents: WORKER },
      {
        type: "ESModule",
        path: "package.js",
        contents: await bundle("ratelimit/identify_durable_object.ts"),
      },
    ],
    durableObjects: {
      IDENTIFIES: { className: "Identifies", useSQLite: true },
      PLAIN: { className: "PlainIdentifies", useSQLite: true },
    },
    durableObjectsPersist: folder,
  });
}

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

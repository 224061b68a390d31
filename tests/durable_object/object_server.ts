/** A bot in a Durable Object in workerd that can be killed, a fake Discord, and a server for its handler's reports. */

import { Miniflare, type MiniflareOptions } from "miniflare";
import { FakeDiscord } from "../fake/mod.ts";
import { bundle } from "../runtimes/bundle.ts";

/** The newest day whose behaviour the pinned workerd has; see `miniflare` in `deno.json`. */
const COMPATIBILITY_DATE = "2026-07-30";

/** How the bot is hosted. */
export interface ObjectServerOptions {
  /** Time between alarms, in ms. */
  readonly alarmEveryMs: number;
  /** Time between writes of the sequence, in ms. @default {200} */
  readonly saveEveryMs?: number;
  /** Events that may wait for the handler. @default {10_000} */
  readonly maxQueuedEvents?: number;
}

/** One event that the handler has reported. */
export interface Report {
  /** The event's name. */
  readonly name: string;
  /** The message's content. */
  readonly content: string;
  /** Which deploy handled it. */
  readonly version: string;
}

/** workerd with one worker, a fake Discord, and the server for reports. */
export class ObjectServer implements AsyncDisposable {
  /** The fake Discord. */
  readonly discord: FakeDiscord;
  /** What the handler has reported, in order. */
  readonly reports: Report[] = [];
  /** Called with each report; if it throws, the handler gets HTTP 500. */
  onReport: (report: Report) => void = () => {};
  readonly #options: ObjectServerOptions;
  readonly #script: string;
  readonly #folder: string;
  readonly #gatewayUrl: string;
  readonly #receiver: Deno.HttpServer<Deno.NetAddr>;
  #miniflare: Miniflare | null = null;
  #url = new URL("http://127.0.0.1/");
  #version = 1;

  private constructor(
    options: ObjectServerOptions,
    parts: { script: string; folder: string; discord: FakeDiscord; gatewayUrl: string },
  ) {
    this.#options = options;
    this.#script = parts.script;
    this.#folder = parts.folder;
    this.#gatewayUrl = parts.gatewayUrl;
    this.discord = parts.discord;
    this.#receiver = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
      try {
        // A body that a kill has cut off does not count as handled.
        const report: Report = await request.json();
        this.onReport(report);
        this.reports.push(report);
        return new Response("ok");
      } catch {
        return new Response("no", { status: 500 });
      }
    });
  }

  /** Starts everything; the bot itself waits for `POST start`. */
  static async start(options: ObjectServerOptions): Promise<ObjectServer> {
    const discord = new FakeDiscord();
    const { gatewayUrl } = await discord.listen();
    const server = new ObjectServer(options, {
      script: await bundle("tests/durable_object/worker.ts"),
      folder: await Deno.makeTempDir({ prefix: "object-" }),
      discord,
      gatewayUrl,
    });
    await server.#boot();
    return server;
  }

  /** Sends a request to the worker; returns the response's body, parsed if it is JSON. */
  async ask(
    method: "GET" | "POST",
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: unknown }> {
    const response = await fetch(new URL(path, this.#url), {
      method,
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json");
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  }

  /** Kills the object by an exception, as when it exceeds a limit. */
  async abort(): Promise<void> {
    const { status } = await this.ask("POST", "die");
    if (status !== 500) throw new Error(`The object did not die: ${status}`);
  }

  /** Kills workerd, and starts it again with the storage on disk. */
  async crash(): Promise<void> {
    // Other children may serve other tests: the right one has this folder open.
    const [pid] = childrenNamed("workerd").filter((pid) => hasOpen(pid, this.#folder));
    if (pid === undefined) throw new Error("Cannot kill workerd: no child has the object's storage open");
    Deno.kill(pid, "SIGKILL");
    await this.#miniflare?.dispose();
    await this.#boot();
  }

  /** Deploys a new version on the same storage. */
  async deploy(): Promise<void> {
    this.#version++;
    await this.#miniflare?.setOptions(this.#config());
    this.#url = await this.#miniflare?.ready ?? this.#url;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#miniflare?.dispose();
    await this.discord.close();
    await this.#receiver.shutdown();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #boot(): Promise<void> {
    this.#miniflare = new Miniflare(this.#config());
    this.#url = await this.#miniflare.ready;
  }

  #config(): MiniflareOptions {
    const { alarmEveryMs, saveEveryMs = 200, maxQueuedEvents = 10_000 } = this.#options;
    return {
      modules: true,
      script: `${this.#script}\n// Version ${this.#version}`,
      compatibilityDate: COMPATIBILITY_DATE,
      durableObjects: { BOT: { className: "Bot", useSQLite: true } },
      durableObjectsPersist: this.#folder,
      bindings: {
        TOKEN: this.discord.token,
        GATEWAY: this.#gatewayUrl,
        REPORT: `http://127.0.0.1:${this.#receiver.addr.port}/`,
        ALARM_EVERY_MS: `${alarmEveryMs}`,
        SAVE_EVERY_MS: `${saveEveryMs}`,
        MAX_QUEUED_EVENTS: `${maxQueuedEvents}`,
        VERSION: `${this.#version}`,
      },
    };
  }
}

/** The child processes with this name. */
function childrenNamed(name: string): number[] {
  return [...Deno.readDirSync("/proc")].map((entry) => Number(entry.name)).filter((pid) => {
    if (!Number.isInteger(pid)) return false;
    try {
      const [, comm, , parent] =
        /^\d+ \((.*)\) (\S) (\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/stat`)) ?? [];
      return comm === name && Number(parent) === Deno.pid;
    } catch {
      // It has ended in the meantime.
      return false;
    }
  });
}

function hasOpen(pid: number, folder: string): boolean {
  return [...Deno.readDirSync(`/proc/${pid}/fd`)].some((entry) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/fd/${entry.name}`).startsWith(folder);
    } catch {
      return false;
    }
  });
}

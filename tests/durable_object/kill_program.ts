/**
 * A bot in a Durable Object in workerd, under a stream of numbered messages, which is killed many times or gets no request
 * for a long time. No call restarts the object; only its alarm does. Prints the outcome as JSON.
 *
 * Runs in its own process, since Miniflare leaves timers and ports open.
 */

import { until } from "../contract/until.ts";
import { ObjectServer } from "./object_server.ts";
import { type ResumeCause, resumeCauses } from "./resume_cause.ts";

/** The fake drops a session that was not resumed for three minutes. */
const PATIENCE_MS = 150_000;

/** The outcome. */
export interface Outcome {
  /** Messages written. */
  readonly written: number;
  /** Messages that were never handled. */
  readonly missing: readonly number[];
  /** How often a message was handled again. */
  readonly repeated: number;
  /** Identifies that reached Discord. */
  readonly identifies: number;
  /** Resumes that reached Discord, and why. */
  readonly resumes: readonly ResumeCause[];
  /** The changes of sessions, in order. */
  readonly sessions: readonly string[];
  /** Rules broken. */
  readonly violations: readonly string[];
  /** Deployed versions that handled a message. */
  readonly versions: number;
  /** The bot's status at the end. */
  readonly status: unknown;
}

/** A member that writes numbered messages all the time. */
class Stream {
  /** Messages written. */
  written = 0;
  readonly #server: ObjectServer;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(server: ObjectServer, everyMs: number) {
    this.#server = server;
    this.#timer = setInterval(() => server.discord.sendMessage({ content: `${++this.written}` }), everyMs);
  }

  /** Stops writing, waits until every message is handled, and returns the outcome. */
  async outcome(): Promise<Outcome> {
    clearInterval(this.#timer);
    const { discord: { journal }, reports } = this.#server;
    // However many are queued, as long as there is progress.
    while (!reports.some(({ content }) => content === `${this.written}`)) {
      const before = reports.length;
      await until("another message is handled", () => reports.length > before);
    }
    const status = await this.#liveStatus();
    const handled = new Set(reports.map(({ content }) => Number(content)));
    const numbers = Array.from({ length: this.written }, (_, index) => index + 1);
    return {
      written: this.written,
      missing: numbers.filter((number) => !handled.has(number)),
      repeated: reports.length - handled.size,
      identifies: journal.identifies().length,
      resumes: resumeCauses(journal),
      sessions: journal.of("session").map(({ change }) => change),
      violations: journal.violations().map(({ rule }) => rule),
      versions: new Set(reports.map(({ version }) => version)).size,
      status,
    };
  }

  /** The bot's status, once it is live: a session that was parked until now is about to be resumed. */
  async #liveStatus(): Promise<unknown> {
    for (let waited = 0;; waited += 100) {
      const { body } = await this.#server.ask("GET", "status");
      const isLive = typeof body === "object" && body !== null && "state" in body && body.state === "live";
      if (isLive || waited > 30_000) return body;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The ways to kill the object, used in turn. */
export const WAYS = ["abort", "abort", "crash", "abort", "deploy"] as const;

async function killed(times: number, maxQueuedEvents: number): Promise<Outcome> {
  await using server = await ObjectServer.start({ alarmEveryMs: 1_000, maxQueuedEvents });
  await server.ask("POST", "start");
  await until("READY", () => server.discord.sessions.length === 1);
  const stream = new Stream(server, 20);
  for (let kill = 1; kill <= times; kill++) {
    // At once, after a few messages, or after many.
    const enough = server.reports.length + (kill % 3) ** 2 * 10;
    await until("it works", () => server.reports.length >= enough);
    await server[WAYS[kill % WAYS.length] ?? "abort"]();
    await resumed(server, kill);
  }
  return await stream.outcome();
}

/**
 * Waits until this many runs after the first have resumed. An object that is killed while its alarm is being delivered
 * gets it again after 2 s, and the delay doubles with each further kill, so this waits longer than anything else.
 */
async function resumed({ discord: { journal } }: ObjectServer, runs: number): Promise<void> {
  const count = () => resumeCauses(journal).filter(({ cause }) => cause === "new run").length;
  for (let waited = 0; count() < runs; waited += 10) {
    if (waited > PATIENCE_MS) throw new Error(`It did not resume: kill ${runs}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function idle(ms: number, alarmEveryMs: number): Promise<Outcome> {
  await using server = await ObjectServer.start({ alarmEveryMs });
  await server.ask("POST", "start");
  await until("READY", () => server.discord.sessions.length === 1);
  const stream = new Stream(server, 1_000);
  await new Promise((resolve) => setTimeout(resolve, ms));
  return await stream.outcome();
}

if (import.meta.main) {
  const [what, ...numbers] = Deno.args;
  const [first = 0, second = 0] = numbers.map(Number);
  console.log(JSON.stringify(what === "kill" ? await killed(first, second) : await idle(first, second)));
  // Miniflare leaves handles open.
  Deno.exit(0);
}

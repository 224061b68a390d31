/**
 * A bot in a Durable Object in workerd, under a stream of numbered messages, and what happens to it: many kills, or a long
 * time without a request. Nobody calls the object to bring it back. Prints what came of it as JSON.
 *
 * A process of its own, since Miniflare leaves timers and ports behind.
 */

import { until } from "../contract/until.ts";
import { ObjectServer } from "./object_server.ts";
import { type ResumeCause, resumeCauses } from "./resume_cause.ts";

/** The fake forgets a session that was not resumed for three minutes. */
const PATIENCE_MS = 150_000;

/** What came of it. */
export interface Outcome {
  /** Messages written. */
  readonly written: number;
  /** Those that the handler never handled. */
  readonly missing: readonly number[];
  /** How often one was handled again. */
  readonly repeated: number;
  /** Identifies that reached Discord. */
  readonly identifies: number;
  /** Resumes that reached Discord, and why. */
  readonly resumes: readonly ResumeCause[];
  /** What became of sessions, in order. */
  readonly sessions: readonly string[];
  /** Rules broken. */
  readonly violations: readonly string[];
  /** Deploys that handled something. */
  readonly versions: number;
  /** What the bot says of itself at the end. */
  readonly status: unknown;
}

/** A member writes all the time; every message has a number. */
class Stream {
  /** Messages written. */
  written = 0;
  readonly #server: ObjectServer;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(server: ObjectServer, everyMs: number) {
    this.#server = server;
    this.#timer = setInterval(() => server.discord.sendMessage({ content: `${++this.written}` }), everyMs);
  }

  /** Stops writing, waits until the handler has had all of it, and says what came of everything. */
  async outcome(): Promise<Outcome> {
    clearInterval(this.#timer);
    const { discord: { journal }, reports } = this.#server;
    // However many wait, as long as it gets on with them.
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

  /** What the bot says of itself; a session that was parked until now is about to be resumed. */
  async #liveStatus(): Promise<unknown> {
    for (let waited = 0;; waited += 100) {
      const { body } = await this.#server.ask("GET", "status");
      const isLive = typeof body === "object" && body !== null && "state" in body && body.state === "live";
      if (isLive || waited > 30_000) return body;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** The ways to die, in turn. */
export const WAYS = ["abort", "abort", "crash", "abort", "deploy"] as const;

async function killed(times: number, maxQueuedEvents: number): Promise<Outcome> {
  await using server = await ObjectServer.start({ alarmEveryMs: 1_000, maxQueuedEvents });
  await server.ask("POST", "start");
  await until("READY", () => server.discord.sessions.length === 1);
  const stream = new Stream(server, 20);
  for (let kill = 1; kill <= times; kill++) {
    // At once, after a few messages, or in the middle of a busy run.
    const enough = server.reports.length + (kill % 3) ** 2 * 10;
    await until("it works", () => server.reports.length >= enough);
    await server[WAYS[kill % WAYS.length] ?? "abort"]();
    await resumed(server, kill);
  }
  return await stream.outcome();
}

/**
 * Waits until as many runs as this have followed on the first, and resumed. An object that is killed while its alarm is
 * being delivered gets it again after 2 s, and twice as late after each further such death: more patience than for
 * anything else.
 */
async function resumed({ discord: { journal } }: ObjectServer, lives: number): Promise<void> {
  const count = () => resumeCauses(journal).filter(({ cause }) => cause === "new run").length;
  for (let waited = 0; count() < lives; waited += 10) {
    if (waited > PATIENCE_MS) throw new Error(`It did not resume: kill ${lives}`);
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
  // Whatever Miniflare still holds.
  Deno.exit(0);
}

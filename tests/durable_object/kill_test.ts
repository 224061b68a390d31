/**
 * A bot in a Durable Object in workerd that is killed in every way there is, under a stream of messages. Nobody calls
 * the object to bring it back: its alarm does.
 *
 * `deno task test` kills it a few times; `deno task test:durable-object` fifty times, and lets it be evicted besides.
 */

import { assert, assertEquals } from "@std/assert";
import { until } from "../contract/until.ts";
import { ObjectServer } from "./object_server.ts";

const IS_FULL = Deno.env.get("DURABLE_OBJECT_TEST") === "full";
const KILLS = IS_FULL ? 50 : 6;
/** Miniflare opens a message port that it never closes. */
const MINIFLARE_LEAKS = false;
/** Cloudflare evicts an idle object after 70 to 140 s. */
const IDLE_MS = 150_000;

/** A member writes all the time; every message has a number. */
class Stream {
  /** Messages written. */
  written = 0;
  readonly #server: ObjectServer;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(server: ObjectServer, everyMs: number) {
    this.#server = server;
    this.#timer = setInterval(() => {
      this.written++;
      server.discord.sendMessage({ content: `${this.written}` });
    }, everyMs);
  }

  /** Stops writing, and waits until the handler has had all of it. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await until("all is handled", () => handled(this.#server).has(this.written));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function handled({ reports }: ObjectServer): Set<number> {
  return new Set(reports.map(({ content }) => Number(content)));
}

function missing(server: ObjectServer, written: number): number[] {
  const seen = handled(server);
  return Array.from({ length: written }, (_, index) => index + 1).filter((number) => !seen.has(number));
}

const WAYS = ["abort", "abort", "abort", "crash", "deploy"] as const;

Deno.test({
  name:
    `durable object: killed ${KILLS} times under a stream of messages: one identify, a resume each, nothing lost`,
  sanitizeResources: MINIFLARE_LEAKS,
  fn: killAgainAndAgain,
});

async function killAgainAndAgain(): Promise<void> {
  await using server = await ObjectServer.start({ alarmEveryMs: 1_000 });
  const { journal } = server.discord;
  await server.ask("POST", "start");
  await until("READY", () => server.discord.sessions.length === 1);
  using stream = new Stream(server, 20);
  const reports: number[] = [];
  for (let kill = 1; kill <= KILLS; kill++) {
    // At once, after a few messages, or in the middle of a busy life.
    const before = server.reports.length;
    await until("it works", () => server.reports.length >= before + [1, 10, 40][kill % 3]!);
    await server[WAYS[kill % WAYS.length]!]();
    await until(`resume ${kill}`, () => journal.resumes().length === kill);
    reports.push(server.reports.length);
  }
  await stream.end();

  assertEquals(missing(server, stream.written), []);
  assertEquals(journal.identifies().length, 1);
  assertEquals(journal.resumes().length, KILLS);
  assertEquals(journal.of("session").map(({ change }) => change), [
    "started",
    ...Array(KILLS).fill("resumed"),
  ]);
  assertEquals(journal.violations(), []);
  const versions = new Set(server.reports.map(({ version }) => version));
  assertEquals(
    versions.size,
    1 +
      Array.from({ length: KILLS }, (_, i) => WAYS[(i + 1) % WAYS.length]).filter((way) => way === "deploy")
        .length,
  );
  const { body } = await server.ask("GET", "status");
  assert(typeof body === "object" && body !== null && "restarts" in body && "state" in body);
  assertEquals([body.restarts, body.state], [KILLS, "live"]);
  const twice = server.reports.length - stream.written;
  console.log(`${KILLS} kills, ${stream.written} messages: none lost, ${twice} handled twice`);
}

const evicted = [
  {
    name: "evicted for want of requests, with its alarm too late: the alarm resumes it",
    alarmEveryMs: 145_000,
    resumes: 1,
  },
  { name: "with an alarm every 30 s it is never evicted", alarmEveryMs: 30_000, resumes: 0 },
] as const;

Deno.test({
  name: "durable object: 150 s without a request",
  ignore: !IS_FULL,
  sanitizeResources: MINIFLARE_LEAKS,
  fn: async (t) => {
    await Promise.all(evicted.map(({ name, alarmEveryMs, resumes }) =>
      t.step({
        name,
        sanitizeOps: false,
        sanitizeResources: false,
        sanitizeExit: false,
        fn: async () => {
          await using server = await ObjectServer.start({ alarmEveryMs });
          await server.ask("POST", "start");
          using stream = new Stream(server, 1_000);
          await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
          await until("it is back", () => server.discord.journal.resumes().length >= resumes);
          await stream.end();
          assertEquals(missing(server, stream.written), []);
          const { journal } = server.discord;
          assertEquals(journal.identifies().length, 1);
          assertEquals(journal.resumes().length, resumes);
          assertEquals(journal.violations(), []);
        },
      })
    ));
  },
});

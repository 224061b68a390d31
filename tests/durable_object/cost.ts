/**
 * What a hosted shard costs in a month, counted in virtual time and priced by Cloudflare's table.
 *
 * `deno task cost:durable-object` prints the table and draws it into docs/durable_objects.md; with `--check` it compares.
 */

import { drawOrCheck } from "../gate/page.ts";
import { VirtualBot } from "./virtual_bot.ts";

/** The counts of a simulation. */
export interface Count {
  /** Simulated time, in ms. */
  readonly ms: number;
  /** Events handled. */
  readonly events: number;
  /** Rows written. */
  readonly rows: number;
  /** Alarms delivered. */
  readonly alarms: number;
  /** Frames received on the outgoing socket. */
  readonly frames: number;
}

/** The usage of a month. */
export interface MonthlyCost {
  /** Rows written. */
  readonly rows: number;
  /** Requests: alarms, and a twentieth of the frames received. */
  readonly requests: number;
  /** Memory over time. */
  readonly gbSeconds: number;
}

const HOUR_MS = 3_600_000;
/** The month of Cloudflare's examples, in s. */
const MONTH_S = 30 * 24 * 3_600;

/**
 * Workers Paid, beyond what the plan of $5 includes.
 *
 * @see https://developers.cloudflare.com/durable-objects/platform/pricing/
 */
const PRICES = {
  rows: { included: 50_000_000, dollarsPerMillion: 1 },
  requests: { included: 1_000_000, dollarsPerMillion: 0.15 },
  gbSeconds: { included: 400_000, dollarsPerMillion: 12.5 },
} as const;
/** The memory for which an object is billed, in GB. */
const BILLED_GB = 0.128;
/** WebSocket messages that count as one request. */
const FRAMES_PER_REQUEST = 20;

/** A stream of events for some hours, with a reconnect every two hours and a kill of the object every five. */
export async function simulate(hours: number, eventsPerSecond: number, saveEveryMs: number): Promise<Count> {
  let events = 0;
  const object = new VirtualBot({ saveEveryMs, handler: () => void events++ });
  const { clock, discord, usage } = object;
  await object.live();
  const start = { ...usage, frames: framesSent(object), events };
  // In bursts at least as frequent as the writes: a step of the clock is slower than many events.
  const burst = Math.max(1, Math.min(5, saveEveryMs / 1_000));
  for (let second = burst; second <= hours * 3_600; second += burst) {
    for (let event = 0; event < eventsPerSecond * burst; event++) object.write("hello");
    await clock.advance(burst * 1_000);
    if (second % 7_200 === 0) discord.connections[0]?.reconnect();
    if (second % 18_000 === 0) await object.kill();
  }
  const count = {
    ms: hours * HOUR_MS,
    events: events - start.events,
    rows: usage.rows - start.rows,
    alarms: usage.alarms - start.alarms,
    frames: framesSent(object) - start.frames,
  };
  if (discord.journal.identifies().length !== 1) throw new Error("It lost its session");
  await object.end();
  return count;
}

function framesSent({ discord }: VirtualBot): number {
  return discord.journal.of("sent").reduce((sum, { count }) => sum + count, 0);
}

/** Scales the counts to a month. */
export function perMonth({ ms, rows, alarms, frames }: Count): MonthlyCost {
  const months = ms / 1_000 / MONTH_S;
  return {
    rows: rows / months,
    requests: (alarms + frames / FRAMES_PER_REQUEST) / months,
    gbSeconds: BILLED_GB * MONTH_S,
  };
}

/** The cost of this many shards beyond the plan, in dollars. */
export function dollars(cost: MonthlyCost, shards: number): number {
  const items = ["rows", "requests", "gbSeconds"] as const;
  return items.reduce((sum, item) => {
    const { included, dollarsPerMillion } = PRICES[item];
    return sum + Math.max(0, cost[item] * shards - included) * dollarsPerMillion / 1e6;
  }, 0);
}

/** One hour of a busy shard, after which the counts repeat. */
const EVENTS_PER_SECOND = 50;
const HOURS = 1;

const SAVE_INTERVALS: readonly (readonly [saveEveryMs: number, name: string])[] = [
  [0, "0 (every event)"],
  [1_000, "1,000"],
  [5_000, "5,000 (default)"],
  [30_000, "30,000"],
];

async function table(): Promise<string> {
  const rows = [
    "| `saveEveryMs` | rows written | requests | GB-s | 1 shard | 2 shards | 16 shards |",
    "| --- | --: | --: | --: | --: | --: | --: |",
  ];
  for (const [saveEveryMs, name] of SAVE_INTERVALS) {
    const cost = perMonth(await simulate(HOURS, EVENTS_PER_SECOND, saveEveryMs));
    const priced = [1, 2, 16].map((shards) => `$${dollars(cost, shards).toFixed(0)}`);
    const counted = [cost.rows, cost.requests, cost.gbSeconds].map(whole);
    rows.push(`| ${[name, ...counted, ...priced].join(" | ")} |`);
  }
  return ["<!-- deno-fmt-ignore-start -->", "", ...rows, "", "<!-- deno-fmt-ignore-end -->"].join("\n");
}

/** Formats with commas and three significant digits. */
export function whole(number: number): string {
  return Number(number.toPrecision(3)).toLocaleString("en-US");
}

if (import.meta.main) {
  const content = await table();
  console.log(`\n${content}\n`);
  await drawOrCheck({ page: "docs/durable_objects.md", part: "cost", task: "cost:durable-object", content });
}

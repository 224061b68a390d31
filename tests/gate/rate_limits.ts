/**
 * Draws what the documentation shows of the command limiter from its simulation: the picture of the budget over time,
 * two tables in docs/rate_limits.md.
 *
 * `deno task picture:ratelimit` writes them; with `--check` it only compares, and fails if one is stale.
 */

import { compare, REQUEST_EVERY_MS } from "../sim/comparison.ts";
import { PICTURE, picture } from "../sim/picture.ts";
import { markdownLegend, markdownRequested, markdownScheduled, markdownSummary } from "../sim/table.ts";
import { drawFileOrCheck, drawOrCheck } from "./page.ts";

const TASK = "picture:ratelimit";

if (import.meta.main) {
  const lines = compare();
  await drawFileOrCheck({ file: "docs/rate_limits.svg", task: TASK, content: picture() });
  await drawOrCheck({
    page: "docs/rate_limits.md",
    part: "limiters",
    task: TASK,
    content: markdownSummary(lines, PICTURE.intervalMs),
  });
  await drawOrCheck({
    page: "docs/rate_limits.md",
    part: "comparison of limiters",
    task: TASK,
    content: [
      markdownLegend(),
      "By the schedule of the heartbeats alone:",
      markdownScheduled(lines),
      `With a server that asks for one more heartbeat every ${REQUEST_EVERY_MS / 1000} s:`,
      markdownRequested(lines),
    ].join("\n\n"),
  });
}

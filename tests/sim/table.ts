/** The comparison as text: for a terminal, and as Markdown for the documentation. */

import {
  DEMAND_FROM_MS,
  type Line,
  MINUTES,
  mostPerMinute,
  PHASES,
  POLICIES,
  REQUEST_EVERY_MS,
  type Summary,
} from "./comparison.ts";
import { LIMIT } from "./policy.ts";

/** Marks a number of frames for which Discord closes the connection. */
const TOO_MANY = "✗";

const HEAD = ["heartbeat", "limiter", "first minute", "per minute", "worst 60 s", "latest heartbeat"];
const HEAD_REQUESTED = ["per minute", "worst 60 s", "latest heartbeat", "answered"];
const WIDTHS = [9, 16, 12, 10, 10, 12, 10, 10, 12];

/** The lines over the table in a terminal. */
export function terminalHead(): string {
  const title =
    `${MINUTES} minutes of saturated demand; ${LIMIT} frames in any 60 s are allowed, ${TOO_MANY} = closed with 4008.`;
  const starts = DEMAND_FROM_MS.map(seconds).join(", ");
  const runs =
    `Each line: ${PHASES.length} phases of the heartbeat, demand from ${starts} after the connection opened.`;
  const groups = "".padEnd(WIDTHS.slice(0, 2).reduce((sum, width) => sum + width + 2, 0)) +
    "by the schedule alone".padEnd(WIDTHS.slice(2, 6).reduce((sum, width) => sum + width + 2, 0)) +
    `asked for a heartbeat each ${REQUEST_EVERY_MS / 1000} s`;
  return [title, runs, "", groups, row([...HEAD, ...HEAD_REQUESTED])].join("\n");
}

/** One line of the table in a terminal. */
export function terminalLine(line: Line): string {
  return row([...cells(line), ...requestedCells(line)]);
}

/** The lines under the table in a terminal. */
export function terminalFoot(lines: readonly Line[]): string {
  const intervals = [...new Set(lines.map(({ intervalMs }) => intervalMs))];
  const most = intervals.map((intervalMs) =>
    `${mostPerMinute(intervalMs).toFixed(1)} at ${seconds(intervalMs)}`
  );
  return [
    `The most commands per minute that the heartbeats leave room for: ${most.join(", ")}`,
    "",
    ...POLICIES.map(({ name, legend }) => `${name.padEnd(WIDTHS[1] ?? 0)}  ${legend}`),
  ].join("\n");
}

/** The whole comparison in Markdown, heartbeats by the schedule alone. */
export function markdownScheduled(lines: readonly Line[]): string {
  return markdown(HEAD, lines.map(cells));
}

/** The whole comparison in Markdown, with heartbeats that the server asks for. */
export function markdownRequested(lines: readonly Line[]): string {
  const head = [...HEAD.slice(0, 2), ...HEAD_REQUESTED];
  return markdown(head, lines.map((line) => [...cells(line).slice(0, 2), ...requestedCells(line)]));
}

/** The table in Markdown at one interval, without requested heartbeats. */
export function markdownSummary(lines: readonly Line[], intervalMs: number): string {
  const rows = lines.filter((line) => line.intervalMs === intervalMs).map((line) => cells(line).slice(1));
  return markdown(HEAD.slice(1), rows);
}

/** What each limiter is, in Markdown. */
export function markdownLegend(): string {
  return markdown(["limiter", "what it is"], POLICIES.map(({ name, legend }) => [name, legend]));
}

function cells({ policy, intervalMs, scheduled }: Line): string[] {
  const [least, most] = scheduled.firstMinute;
  const first = least === most ? `${least}` : `${least} to ${most}`;
  return [seconds(intervalMs), policy.name, first, ...measured(scheduled)];
}

function requestedCells({ requested }: Line): string[] {
  const { longestAnswerMs } = requested;
  return [
    ...measured(requested),
    longestAnswerMs === 0 ? "at once" : `within ${(longestAnswerMs / 1000).toFixed(1)} s`,
  ];
}

function measured({ commandsPerMinute, worst, latestHeartbeatMs }: Summary): string[] {
  return [
    commandsPerMinute.toFixed(1),
    worst > LIMIT ? `${worst} ${TOO_MANY}` : `${worst}`,
    latestHeartbeatMs === 0 ? "on time" : `${Math.ceil(latestHeartbeatMs)} ms late`,
  ];
}

function seconds(ms: number): string {
  return `${ms / 1000} s`;
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => cell.padEnd(WIDTHS[index] ?? 0)).join("  ").trimEnd();
}

/** Aligned as `deno fmt` aligns it. */
function markdown(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((cells) => cells[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

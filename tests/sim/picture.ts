/** Draws the budget over time under saturated demand, this limiter above a constant reserve, as an SVG. */

import { summarize } from "./comparison.ts";
import { CONSTANT_RESERVE, permits } from "./policies/constant_reserve.ts";
import { THIS_LIMITER } from "./policies/this_limiter.ts";
import { LIMIT, type PolicyKind } from "./policy.ts";
import { saturate } from "./saturate.ts";
import { type Span, timeline } from "./timeline.ts";

/** What is drawn. */
export const PICTURE = { intervalMs: 41_250, firstHeartbeatMs: 12_000, minutes: 5 } as const;

/** The end of the time axis. */
export const UNTIL_MS = (PICTURE.minutes - 1) * 60_000;
/** The lowest place that is drawn; those below are commands at all times. */
export const FIRST_PLACE = 114;

const LEFT = 70;
const WIDTH = 960;
const PLOT_WIDTH = WIDTH - LEFT - 36;
const PLACE_HEIGHT = 20;
const PLOT_HEIGHT = (LIMIT - FIRST_PLACE + 1) * PLACE_HEIGHT;
const PANEL_TOP = 96;
const PANEL_HEIGHT = PLOT_HEIGHT + 92;
const HEIGHT = PANEL_TOP + 2 * PANEL_HEIGHT + 24;

const KINDS = ["commands", "heartbeats", "kept", "wasted"] as const;

const STYLE = `
    rect { shape-rendering: crispEdges }
    .card { fill: #ffffff; stroke: #d0d7de }
    text { fill: #1f2328; font: 13px -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
    .title { font-size: 17px; font-weight: 600 }
    .name { font-size: 14px; font-weight: 600 }
    .small { font-size: 12px; fill: #59636e }
    .axis { stroke: #818b98 }
    .limit { stroke: #cf222e; stroke-width: 2 }
    .limit-text { fill: #cf222e; font-weight: 600 }
    .commands { fill: #8cb4e8 }
    .heartbeats { fill: #e8590c }
    .kept { fill: url(#stripes) }
    .stripes { stroke: #e8590c; stroke-width: 3 }
    .wasted { fill: #ffd9d6 }
    .heart { fill: #e8590c }
    @media (prefers-color-scheme: dark) {
      .card { fill: #0d1117; stroke: #3d444d }
      text { fill: #f0f6fc }
      .small { fill: #9198a1 }
      .limit { stroke: #ff6b6b }
      .limit-text { fill: #ff6b6b }
      .commands { fill: #2f5a94 }
      .heartbeats, .heart { fill: #ff922b }
      .stripes { stroke: #ff922b }
      .wasted { fill: #6e2b2b }
    }
  `;

/** The picture, always the same. */
export function picture(): string {
  const reserve = LIMIT - permits(PICTURE.intervalMs);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">`,
    `  <title>The frames of the last 60 s over time: this limiter fills all ${LIMIT} places, a constant reserve leaves one or two empty</title>`,
    `  <style>${STYLE}</style>`,
    `  <defs><pattern id="stripes" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="stripes" d="M0 0V8"/></pattern></defs>`,
    `  <rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${HEIGHT - 1}" rx="8"/>`,
    text(
      24,
      32,
      `Who holds the ${LIMIT} places of the last 60 s, while commands wait at all times (heartbeat: ${
        PICTURE.intervalMs / 1000
      } s)`,
      "title",
    ),
    ...legend(),
    ...panel(
      0,
      THIS_LIMITER,
      "This limiter: a place is empty only where a heartbeat needs it within 60 s",
    ),
    ...panel(
      1,
      CONSTANT_RESERVE,
      `A constant reserve of ${reserve}: at least one place is always empty`,
    ),
    text(
      LEFT,
      HEIGHT - 20,
      `Not drawn: places 1 to ${
        FIRST_PLACE - 1
      }, in which there are commands at all times. The IDENTIFY at 0 s counts as one.`,
      "small",
    ),
    `</svg>`,
    "",
  ].join("\n");
}

function legend(): string[] {
  /** With their widths in pixels, about, in a sans-serif of 13 px. */
  const words = {
    commands: ["commands", 64],
    heartbeats: ["heartbeats", 62],
    kept: ["empty, kept for a heartbeat", 156],
    wasted: ["empty, wasted", 84],
  } as const;
  const parts: string[] = [];
  let x = 24;
  for (const kind of KINDS) {
    const [word, width] = words[kind];
    parts.push(`  <rect class="${kind}" x="${x}" y="50" width="26" height="14"/>`, text(x + 34, 62, word));
    x += 34 + width + 28;
  }
  parts.push(heart(x + 6, 57), text(x + 20, 62, "a heartbeat is sent"));
  return parts;
}

function panel(index: number, policy: PolicyKind, title: string): string[] {
  const top = PANEL_TOP + index * PANEL_HEIGHT + 26;
  const bottom = top + PLOT_HEIGHT;
  const { frames } = saturate(policy.make(PICTURE.intervalMs), { ...PICTURE, demandFromMs: 0 });
  const spans = timeline(frames, UNTIL_MS);
  const { commandsPerMinute } = summarize(policy, PICTURE.intervalMs, Infinity);
  const hearts = frames.filter(({ at, kind }) => kind === "heartbeat" && at < UNTIL_MS);
  return [
    text(LEFT, top - 12, title, "name"),
    text(LEFT + PLOT_WIDTH, top - 12, `${commandsPerMinute.toFixed(1)} commands a minute`, "name", "end"),
    ...KINDS.flatMap((kind) => boxes(spans, kind, bottom)),
    `  <path class="limit" d="M${LEFT} ${top}H${LEFT + PLOT_WIDTH}"/>`,
    text(LEFT - 10, top + 5, `${LIMIT}`, "limit-text", "end"),
    ...[115, 117, 119].map((place) =>
      text(LEFT - 10, bottom - (place - FIRST_PLACE + 1) * PLACE_HEIGHT + 5, `${place}`, "small", "end")
    ),
    `  <path class="axis" d="M${LEFT} ${bottom}H${LEFT + PLOT_WIDTH}"/>`,
    ...hearts.map(({ at }) => heart(x(at), bottom + 13)),
    ...Array.from(
      { length: UNTIL_MS / 30_000 + 1 },
      (_, n) => text(x(n * 30_000), bottom + 38, `${n * 30} s`, "small", "middle"),
    ),
  ];
}

/** The places that `kind` holds: one box for as long as they stay the same. */
function boxes(spans: readonly Span[], kind: typeof KINDS[number], bottom: number): string[] {
  const below = KINDS.slice(0, KINDS.indexOf(kind));
  const found: { readonly from: number; to: number; readonly low: number; readonly high: number }[] = [];
  for (const span of spans) {
    const base = below.reduce((sum, other) => sum + span[other], 0);
    const low = Math.max(FIRST_PLACE - 1, base);
    const high = base + span[kind];
    if (high <= low) continue;
    const last = found.at(-1);
    if (last && last.to === span.from && last.low === low && last.high === high) last.to = span.to;
    else found.push({ from: span.from, to: span.to, low, high });
  }
  return found.map(({ from, to, low, high }) => {
    const y = bottom - (high - FIRST_PLACE + 1) * PLACE_HEIGHT;
    const height = (high - low) * PLACE_HEIGHT;
    return `  <rect class="${kind}" x="${x(from)}" y="${y}" width="${x(to) - x(from)}" height="${height}"/>`;
  });
}

function x(ms: number): number {
  return Math.round(LEFT + (ms / UNTIL_MS) * PLOT_WIDTH);
}

function heart(x: number, y: number): string {
  return `  <path class="heart" d="M${round(x)} ${y + 6}l-6 -6a3.4 3.4 0 0 1 6 -4.4a3.4 3.4 0 0 1 6 4.4z"/>`;
}

function text(x: number, y: number, words: string, style = "", anchor = ""): string {
  const attributes = `${style && ` class="${style}"`}${anchor && ` text-anchor="${anchor}"`}`;
  return `  <text x="${x}" y="${y}"${attributes}>${words}</text>`;
}

/** To a tenth of a pixel. */
function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}

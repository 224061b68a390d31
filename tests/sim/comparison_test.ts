/** What the comparison is said to show, on the very lines that the task prints. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { compare, INTERVALS_MS, type Line, MINUTES, mostPerMinute, PHASES } from "./comparison.ts";
import { LIMIT } from "./policy.ts";
import { terminalFoot, terminalHead, terminalLine } from "./table.ts";

const LINES = compare();

function linesOf(name: string): Line[] {
  const found = LINES.filter(({ policy }) => policy.name === name);
  assertEquals(found.map(({ intervalMs }) => intervalMs), INTERVALS_MS);
  return found;
}

Deno.test("sim: this limiter never exceeds 120 in any 60 s, and no heartbeat is late by any part of a ms", () => {
  for (const { scheduled, requested } of linesOf("this limiter")) {
    assert(PHASES.length >= 5 && scheduled.runs.length >= PHASES.length);
    for (const summary of [scheduled, requested]) {
      assertEquals(summary.worst, LIMIT);
      assertEquals(summary.latestHeartbeatMs, 0);
    }
  }
});

Deno.test("sim: this limiter sends as many commands as the heartbeats leave room for, within 0.1 %", () => {
  for (const { intervalMs, scheduled } of linesOf("this limiter")) {
    const most = mostPerMinute(intervalMs);
    assertAlmostEquals(scheduled.commandsPerMinute, most, most / 1_000);
  }
  assertAlmostEquals(mostPerMinute(41_250), 118.5, 0.05);
});

Deno.test("sim: in no run does this limiter leave a single place of the 1200 in ten minutes empty", () => {
  for (const { scheduled, requested } of linesOf("this limiter")) {
    for (const { count } of [...scheduled.runs, ...requested.runs]) {
      assertEquals(count.command + count.heartbeat + count.identify, MINUTES * LIMIT);
    }
  }
});

Deno.test("sim: a heartbeat that the server asks for is sent at once by the others, in its place of the schedule by this one", () => {
  for (const { policy, intervalMs, scheduled, requested } of LINES) {
    assertEquals(scheduled.longestAnswerMs, 0);
    // The last one can still be owed when the run ends.
    for (const { requestWaitsMs } of requested.runs) assert(requestWaitsMs.length >= MINUTES - 2);
    if (policy.name === "this limiter") assert(requested.longestAnswerMs <= intervalMs);
    else assertEquals(requested.longestAnswerMs > 0, policy.name === "token bucket");
  }
});

Deno.test("sim: a constant reserve keeps the limit and wastes a command or more each minute", () => {
  for (const { intervalMs, scheduled, requested } of linesOf("constant reserve")) {
    assert(scheduled.worst < LIMIT && requested.worst <= LIMIT);
    assert(scheduled.commandsPerMinute < mostPerMinute(intervalMs) - 0.9);
    assertEquals(scheduled.latestHeartbeatMs, 0);
  }
});

Deno.test("sim: a token bucket keeps the limit, wastes four commands a minute, and its heartbeats are late", () => {
  for (const { intervalMs, scheduled, requested } of linesOf("token bucket")) {
    assert(scheduled.worst <= LIMIT && requested.worst <= LIMIT);
    assert(scheduled.commandsPerMinute < mostPerMinute(intervalMs) - 4);
    assert(scheduled.latestHeartbeatMs > 1_000);
  }
});

Deno.test("sim: whatever gives everything back at once sends nearly twice 120 in the worst 60 s", () => {
  for (const { scheduled } of [...linesOf("fixed window"), ...linesOf("refilled bucket")]) {
    assert(scheduled.worst >= 230 && scheduled.worst <= 2 * LIMIT, `${scheduled.worst}`);
    // Where the demand begins with the window, it keeps the limit: the model is not simply wrong.
    assert(scheduled.runs.some(({ worst }) => worst <= LIMIT));
  }
});

Deno.test("sim: the task prints a line for each limiter and interval, with its figures, and a legend", () => {
  assert(terminalHead().includes("worst 60 s"));
  const printed = LINES.map(terminalLine);
  const line = printed.find((line) => /^41.25 s +this limiter/.test(line));
  assertEquals(line?.split(/ {2,}/).slice(2, 6), ["117 to 119", "118.5", "120", "on time"]);
  for (const [index, { scheduled }] of LINES.entries()) {
    assertEquals(printed[index]?.includes("✗"), scheduled.worst > LIMIT);
  }
  const foot = terminalFoot(LINES);
  for (const { policy } of LINES) assert(foot.includes(`${policy.name} `) && foot.includes(policy.legend));
});

import { assertEquals } from "@std/assert";
import {
  closeCause,
  ENDS,
  type GatewayPhase,
  type GatewayTrigger,
  type StateEndCause,
  TABLES,
  TRANSITIONS,
} from "../../gateway/transitions.ts";
import { Machine } from "../../gateway/machine.ts";
import type { GatewayEnd } from "../../gateway/state_io.ts";

const PHASES: readonly GatewayPhase[] = [
  "awaiting_hello",
  "awaiting_permit",
  "identifying",
  "resuming",
  "live",
  "closed",
];
const TRIGGERS: readonly GatewayTrigger[] = [
  "HELLO, no session",
  "HELLO, session",
  "permit",
  "READY",
  "RESUMED",
];

/** The course of a connection as Discord documents it, by this package's names of the phases. */
const COURSE: readonly [from: GatewayPhase, on: GatewayTrigger, to: GatewayPhase][] = [
  ["awaiting_hello", "HELLO, no session", "awaiting_permit"],
  ["awaiting_hello", "HELLO, session", "resuming"],
  ["awaiting_permit", "permit", "identifying"],
  ["identifying", "READY", "live"],
  ["resuming", "RESUMED", "live"],
  // Not documented: whatever came before, READY makes a session.
  ["resuming", "READY", "live"],
  ["live", "READY", "live"],
];

/** The table, row by row. */
const STEPS = Object.entries(TRANSITIONS).flatMap(([from, steps]) =>
  Object.entries(steps).map(([on, to]) => [from, on, to] as const)
);

for (const from of PHASES) {
  for (const on of TRIGGERS) {
    const to = COURSE.find((row) => row[0] === from && row[1] === on)?.[2] ?? null;
    Deno.test(`transitions: ${on} in ${from} ${to === null ? "means nothing" : `leads to ${to}`}`, () => {
      const machine = new Machine<GatewayPhase, GatewayTrigger, GatewayEnd>({ ...TABLES, initial: from });
      assertEquals(machine.step(on), to !== null);
      assertEquals(machine.phase, to ?? from);
    });
  }
}

Deno.test("transitions: the table has these rows, each once", () => {
  assertEquals<unknown>(STEPS, COURSE);
});

Deno.test("transitions: every phase but closed is reached, and closed is left by nothing", () => {
  const reached = new Set<GatewayPhase>(["awaiting_hello", ...STEPS.map(([, , to]) => to)]);
  assertEquals(PHASES.filter((phase) => !reached.has(phase)), ["closed"]);
  assertEquals(STEPS.filter(([from]) => from === "closed"), []);
});

Deno.test("transitions: each cause of an end has one row, which names phases of an open connection", () => {
  for (const [cause, from] of Object.entries(ENDS)) {
    assertEquals(from.length > 0, true, cause);
    assertEquals(from.filter((phase) => !PHASES.includes(phase) || phase === "closed"), [], cause);
  }
});

/** Complete by its type: a cause that is added has to be added here. */
const CAUSES: Record<Exclude<StateEndCause, `close_${number}` | "close_other">, true> = {
  closed_ending_session: true,
  closed_keeping_session: true,
  connection_lost: true,
  consumer_behind: true,
  frame_error: true,
  hello_timeout: true,
  identify_limiter_failed: true,
  identify_refused: true,
  invalid_session: true,
  invalid_session_resumable: true,
  protocol_error: true,
  ready_timeout: true,
  reconnect: true,
  resumed_timeout: true,
  write_failed: true,
  zombie: true,
};

Deno.test("transitions: every cause that a state reports has a row in ENDS", () => {
  const rows = Object.keys(ENDS).filter((cause) => cause !== "close_*");
  assertEquals(rows.toSorted(), Object.keys(CAUSES).toSorted());
});

const OWN_CODES = [
  ...[1000, 1001],
  ...[4000, 4001, 4002, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 4010, 4011, 4012, 4013, 4014],
];

for (const code of OWN_CODES) {
  Deno.test(`transitions: close code ${code} is a cause of its own`, () => {
    assertEquals<string>(closeCause(code), `close_${code}`);
  });
}

for (const code of [1002, 1003, 1007, 1011, 1012, 1013, 1014, 1015, 3000, 4015, 4016, 4200, 4321, 4999]) {
  Deno.test(`transitions: close code ${code} is one of the others`, () => {
    assertEquals(closeCause(code), "close_other");
  });
}

for (const code of [null, 0, 1005, 1006]) {
  Deno.test(`transitions: close code ${code} says that there was none: the connection was lost`, () => {
    assertEquals(closeCause(code), "connection_lost");
  });
}

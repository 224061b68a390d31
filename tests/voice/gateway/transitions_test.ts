import { assertEquals } from "@std/assert";
import type { VoicePhase } from "../../../voice/mod.ts";
import {
  VOICE_ENDS,
  VOICE_TRANSITIONS,
  voiceCloseCause,
  type VoiceEnd,
  type VoiceStateEndCause,
  type VoiceTrigger,
} from "../../../voice/core.ts";
import { Machine } from "../../../gateway/mod.ts";
import { VOICE_TABLES } from "../../../voice/gateway/transitions.ts";
import { OPEN_PHASES } from "../harness.ts";

const PHASES: readonly VoicePhase[] = [...OPEN_PHASES, "closed"];
const TRIGGERS: readonly VoiceTrigger[] = [
  "HELLO, no session",
  "HELLO, session",
  "READY",
  "address",
  "SESSION_DESCRIPTION",
  "RESUMED",
];

/** The course of a voice connection as Discord documents it, by this package's names of the phases. */
const COURSE: readonly [from: VoicePhase, on: VoiceTrigger, to: VoicePhase][] = [
  ["awaiting_hello", "HELLO, no session", "identifying"],
  ["awaiting_hello", "HELLO, session", "resuming"],
  ["identifying", "READY", "discovering"],
  ["discovering", "address", "selecting"],
  ["selecting", "SESSION_DESCRIPTION", "live"],
  ["resuming", "RESUMED", "live"],
];

for (const from of PHASES) {
  for (const on of TRIGGERS) {
    const to = COURSE.find((row) => row[0] === from && row[1] === on)?.[2] ?? null;
    Deno.test(`voice transitions: ${on} in ${from} ${to === null ? "means nothing" : `leads to ${to}`}`, () => {
      const machine = new Machine<VoicePhase, VoiceTrigger, VoiceEnd>({ ...VOICE_TABLES, initial: from });
      assertEquals(machine.step(on), to !== null);
      assertEquals(machine.phase, to ?? from);
    });
  }
}

Deno.test("voice transitions: the table has these rows, each once", () => {
  const steps = Object.entries(VOICE_TRANSITIONS).flatMap(([from, steps]) =>
    Object.entries(steps).map(([on, to]) => [from, on, to])
  );
  assertEquals<unknown>(steps, COURSE);
});

/** Complete by its type: a cause that is added has to be added here. */
const CAUSES: Record<
  Exclude<VoiceStateEndCause, `close_${number}` | "close_below_4000" | "close_other">,
  true
> = {
  closed: true,
  connection_lost: true,
  frame_error: true,
  hello_timeout: true,
  media_failed: true,
  no_common_mode: true,
  protocol_error: true,
  ready_timeout: true,
  resumed_timeout: true,
  session_description_timeout: true,
  write_failed: true,
  zombie: true,
};

Deno.test("voice transitions: every cause that a state reports has one row in VOICE_ENDS", () => {
  const rows = Object.keys(VOICE_ENDS).filter((cause) => cause !== "close_*");
  assertEquals(rows.toSorted(), Object.keys(CAUSES).toSorted());
  for (const [cause, from] of Object.entries(VOICE_ENDS)) {
    assertEquals(from.filter((phase) => !OPEN_PHASES.some((open) => open === phase)), [], cause);
    assertEquals(from.length > 0, true, cause);
  }
});

for (
  const code of [
    ...[4001, 4002, 4003, 4004, 4005, 4006, 4009, 4011, 4012, 4013, 4014, 4015, 4016, 4017, 4020, 4021, 4022],
  ]
) {
  Deno.test(`voice transitions: close code ${code} is a cause of its own`, () => {
    assertEquals<string>(voiceCloseCause(code), `close_${code}`);
  });
}

for (const code of [1000, 1001, 1002, 1011, 1012, 1015, 3000, 3999]) {
  Deno.test(`voice transitions: close code ${code} is one below 4000`, () => {
    assertEquals(voiceCloseCause(code), "close_below_4000");
  });
}

for (const code of [4000, 4007, 4008, 4010, 4018, 4019, 4023, 4200, 4999]) {
  Deno.test(`voice transitions: close code ${code} is one of the others`, () => {
    assertEquals(voiceCloseCause(code), "close_other");
  });
}

for (const code of [null, 0, 1005, 1006]) {
  Deno.test(`voice transitions: close code ${code} says that there was none: the connection was lost`, () => {
    assertEquals(voiceCloseCause(code), "connection_lost");
  });
}

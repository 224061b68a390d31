import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { type Ended, NO_DETAILS, StateClosedError } from "../../gateway/errors.ts";
import { Machine } from "../../gateway/machine.ts";
import type { GatewayEnd, GatewayPhase, GatewayTrigger, StateEndCause } from "../../gateway/mod.ts";
import { ENDS, TABLES, TRANSITIONS } from "../../gateway/transitions.ts";
import type { VoiceEnd, VoicePhase, VoiceStateEndCause, VoiceTrigger } from "../../voice/core.ts";
import { VOICE_ENDS, VOICE_TABLES, VOICE_TRANSITIONS } from "../../voice/gateway/transitions.ts";

type Phase = "asleep" | "awake";
type End = Ended & { readonly cause: "alarm" | "fire" | "close_1" | "close_other" };

const open = () =>
  new Machine<Phase, "morning" | "evening", End>({
    initial: "asleep",
    transitions: { asleep: { morning: "awake" }, awake: { evening: "asleep" } },
    ends: { alarm: ["asleep"], "close_*": ["awake"] },
  });

const end = (cause: End["cause"], phase: string = "asleep"): End => ({ ...NO_DETAILS, cause, phase });

Deno.test("machine: starts open, in its initial phase", () => {
  const machine = open();
  assertEquals([machine.phase, machine.end], ["asleep", null]);
  machine.assertOpen();
});

Deno.test("machine: a trigger moves it along its row, and without one it stays", () => {
  const machine = open();
  assertEquals([machine.step("evening"), machine.phase], [false, "asleep"]);
  assertEquals([machine.step("morning"), machine.phase], [true, "awake"]);
  assertEquals([machine.step("morning"), machine.phase], [false, "awake"]);
  assertEquals([machine.step("evening"), machine.phase], [true, "asleep"]);
});

Deno.test("machine: the first end is final, and every later input throws it", () => {
  const machine = open();
  const first = end("alarm");
  machine.close(first, false);
  assertEquals(machine.phase, "closed");
  assertStrictEquals(machine.end, first);
  const error = assertThrows(() => machine.assertOpen(), StateClosedError, "has ended: alarm");
  assertStrictEquals(error.end, first);
  assertEquals(machine.step("morning"), false, "nothing leads out of closed");
  assertThrows(() => machine.close(end("close_1"), false), TypeError);
  assertStrictEquals(machine.end, first);
});

Deno.test("machine: a cause that may not end the present phase by the table is a programming error", () => {
  const machine = open();
  for (const cause of ["close_1", "close_other", "fire"] as const) {
    assertEquals(machine.mayEnd(cause), false);
    const { message } = assertThrows(() => machine.close(end(cause), false), TypeError);
    assertEquals(message, `Cannot end the state: its table has no such end of asleep: ${cause}`);
    assertEquals([machine.phase, machine.end], ["asleep", null]);
  }
  machine.step("morning");
  assertThrows(() => machine.close(end("alarm", "awake"), false), TypeError, "of awake: alarm");
});

Deno.test("machine: close_* stands for every close code", () => {
  for (const cause of ["close_1", "close_other"] as const) {
    const machine = open();
    machine.step("morning");
    assertEquals(machine.mayEnd(cause), true);
    machine.close(end(cause, "awake"), false);
    assertEquals(machine.end?.cause, cause);
  }
});

Deno.test("machine: the socket is closed with the code that ends the session, or with the one that keeps it", () => {
  assertEquals(open().close(end("alarm"), true), { type: "close", code: 1000, reason: "alarm" });
  const machine = open();
  machine.step("morning");
  assertEquals(machine.close(end("close_1"), false), { type: "close", code: 4200, reason: "close 1" });
});

/** Every phase that a step leaves or leads to. */
function phasesOf<Phase extends string>(
  transitions: { readonly [From in Phase]?: { readonly [on: string]: Phase } },
): Phase[] {
  const from = Object.keys(transitions) as Phase[];
  return [...new Set([...from, ...from.flatMap((phase) => Object.values<Phase>(transitions[phase] ?? {}))])];
}

const gateway = (initial: GatewayPhase) =>
  new Machine<GatewayPhase, GatewayTrigger, GatewayEnd>({ ...TABLES, initial });
const voice = (initial: VoicePhase) =>
  new Machine<VoicePhase, VoiceTrigger, VoiceEnd>({ ...VOICE_TABLES, initial });

Deno.test("machine: of the gateway's causes each ends exactly the phases of its row", () => {
  const phases = phasesOf(TRANSITIONS);
  for (const [row, from] of Object.entries(ENDS)) {
    const cause = (row === "close_*" ? "close_4000" : row) as StateEndCause;
    const ended = phases.filter((phase) => gateway(phase).mayEnd(cause));
    assertEquals(ended.toSorted(), from.toSorted(), cause);
  }
});

Deno.test("machine: of the voice gateway's causes each ends exactly the phases of its row", () => {
  const phases = phasesOf(VOICE_TRANSITIONS);
  for (const [row, from] of Object.entries(VOICE_ENDS)) {
    const cause = (row === "close_*" ? "close_4015" : row) as VoiceStateEndCause;
    const ended = phases.filter((phase) => voice(phase).mayEnd(cause));
    assertEquals(ended.toSorted(), from.toSorted(), cause);
  }
});

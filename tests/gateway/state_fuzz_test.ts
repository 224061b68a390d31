/**
 * Any sequence of inputs: frames good and bad, time, commands, permits, closes. Whatever comes, the promises hold:
 *
 * - only the documented errors are thrown, and only where the state itself says that they are due;
 * - outputs are well-formed, a connection is closed once, the first end stays;
 * - phases change along TRANSITIONS and end by ENDS (the driver sees to that);
 * - the sequence never goes back within a session, and never 121 frames go out in any 60 s;
 * - a tick at the deadline moves the deadline on;
 * - the record gives the same RESUME in another state.
 *
 * A failure prints its seed and the shortest sequence that shows it.
 */

import {
  assert,
  assertEquals,
  assertGreater,
  assertInstanceOf,
  assertLessOrEqual,
  assertStrictEquals,
} from "@std/assert";
import fc from "fast-check";
import {
  CommandError,
  type GatewayCommand,
  type GatewayOutput,
  NotReadyError,
  StateClosedError,
} from "../../gateway/mod.ts";
import { CommandRateLimitError } from "../../ratelimit/mod.ts";
import { assertProperty } from "../property.ts";
import { ACK, dispatch, Driver, frame, hello, ready, SESSION, TOKEN } from "./harness.ts";

/** One input, or a wait. */
type Step =
  | { readonly do: "receive"; readonly frame: string | Uint8Array }
  | { readonly do: "flood"; readonly frame: string; readonly times: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "deadline"; readonly lateMs: number }
  | { readonly do: "identify" | "refuse" | "fail" | "writeFailed" }
  | { readonly do: "send"; readonly command: GatewayCommand; readonly times: number }
  | { readonly do: "sendNext" }
  | { readonly do: "close"; readonly keepSession: boolean; readonly consumerBehind: boolean }
  | { readonly do: "ended"; readonly code: number | null };

const often = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight: 20 });
const sometimes = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight: 5 });
const rarely = <T>(arbitrary: fc.Arbitrary<T>) => ({ arbitrary, weight: 1 });

const sequence = fc.oneof(fc.nat(3_000), fc.constantFrom(null, 0, 1, 1_336, 1_337, 1_338));
const eventName = fc.constantFrom("MESSAGE_CREATE", "GUILD_CREATE", "RESUMED", "INVENTED", "", null);
const anything = fc.jsonValue({ maxDepth: 2 });

const goodFrame = fc.oneof(
  often(fc.constant(ACK)),
  often(fc.tuple(eventName, sequence, anything).map(([t, s, d]) => dispatch(t, s, d))),
  sometimes(fc.constant(dispatch("RESUMED", 1_340))),
  sometimes(sequence.map((s) => ready(s))),
  sometimes(fc.constantFrom(1_000, 10_000, 41_250, 600_000).map(hello)),
  sometimes(fc.constant(frame(1))),
  sometimes(fc.tuple(fc.integer({ min: 12, max: 60 }), anything).map(([op, d]) => frame(op, d))),
);
const endingFrame = fc.oneof(
  sometimes(fc.constantFrom(frame(7), frame(9, true), frame(9, false))),
  fc.constantFrom(true, false, null, 1, "true").map((d) => frame(9, d)),
  anything.map((d) => frame(10, d)),
  anything.map((d) => dispatch("READY", 1, d)),
  fc.record({ op: anything, s: anything, t: anything, d: anything }, { requiredKeys: [] }).map((p) =>
    JSON.stringify(p)
  ),
  fc.string({ unit: "binary" }),
  fc.uint8Array({ maxLength: 8 }),
  goodFrame.chain((text) => fc.nat(text.length).map((length) => text.slice(0, length))),
);

const command: fc.Arbitrary<GatewayCommand> = fc.oneof(
  often(fc.constant<GatewayCommand>({ op: 31, d: { guild_ids: ["1"] } })),
  rarely(
    fc.nat(5_000).map((length): GatewayCommand => ({
      op: 8,
      d: { guild_id: "1", query: "é".repeat(length), limit: 0 },
    })),
  ),
  rarely(
    fc.record({ op: anything, d: fc.oneof(anything, fc.bigInt()) }).map((command) =>
      command as unknown as GatewayCommand
    ),
  ),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: goodFrame.map((frame): Step => ({ do: "receive", frame })), weight: 60 },
  { arbitrary: fc.integer({ min: 1, max: 40_000 }).map((ms): Step => ({ do: "wait", ms })), weight: 30 },
  often(fc.oneof(fc.constant(0), fc.nat(3_000)).map((lateMs): Step => ({ do: "deadline", lateMs }))),
  often(fc.constant<Step>({ do: "identify" })),
  often(
    fc.tuple(command, fc.constantFrom(1, 5, 130)).map(([command, times]): Step => ({
      do: "send",
      command,
      times,
    })),
  ),
  sometimes(fc.constant<Step>({ do: "sendNext" })),
  sometimes(
    fc.tuple(fc.constantFrom(ACK, frame(1), hello(1), dispatch("A", 5)), fc.nat(150)).map((
      [frame, times],
    ): Step => ({ do: "flood", frame, times })),
  ),
  rarely(endingFrame.map((frame): Step => ({ do: "receive", frame }))),
  rarely(fc.constantFrom("refuse", "fail", "writeFailed").map((what): Step => ({ do: what }))),
  rarely(
    fc.tuple(fc.boolean(), fc.boolean()).map(([keepSession, consumerBehind]): Step => ({
      do: "close",
      keepSession,
      consumerBehind,
    })),
  ),
  rarely(
    fc.constantFrom(null, 1000, 1006, 4000, 4004, 4009, 4999).map((code): Step => ({ do: "ended", code })),
  ),
);

/** Does one step; what it throws is for the caller. */
function run(driver: Driver, step: Step): void {
  switch (step.do) {
    case "receive":
      checkOutputs(driver.receive(step.frame));
      break;
    case "flood":
      for (let n = 0; n < step.times; n++) checkOutputs(driver.receive(step.frame));
      break;
    case "wait":
      driver.advance(step.ms);
      break;
    case "deadline": {
      const { at } = driver.state.deadline;
      if (at === Infinity) break;
      driver.now = Math.max(driver.now, at) + step.lateMs;
      checkOutputs(driver.tick());
      // Progress: a loop that sleeps until the deadline never spins.
      assertGreater(driver.state.deadline.at, driver.now);
      break;
    }
    case "identify":
      checkOutputs(driver.identify());
      break;
    case "refuse":
    case "fail": {
      const failed = step.do === "fail";
      checkOutputs(driver.input((state) => state.identifyRefused(new Error("no permit"), { failed })));
      break;
    }
    case "writeFailed":
      checkOutputs(driver.input((state) => state.writeFailed(new Error("no socket"))));
      break;
    case "send":
      for (let n = 0; n < step.times; n++) driver.send(step.command);
      break;
    case "sendNext": {
      const at = driver.state.nextCommandAt(driver.now);
      if (at === Infinity) break;
      driver.advance(at - driver.now);
      if (driver.state.phase === "live" && driver.state.nextCommandAt(driver.now) <= driver.now) {
        driver.send({ op: 31, d: { guild_ids: [] } });
      }
      break;
    }
    case "close":
      checkOutputs(driver.input((state) => state.close(step)));
      break;
    case "ended":
      driver.input((state) => state.connectionEnded({ code: step.code, reason: "fuzz" }));
  }
}

function checkOutputs(outputs: readonly GatewayOutput[]): void {
  assertLessOrEqual(outputs.length, 1);
  for (const output of outputs) {
    switch (output.type) {
      case "send":
        assertEquals(JSON.parse(output.frame).op, { heartbeat: 1, identify: 2, resume: 6 }[output.what]);
        break;
      case "event":
        assertEquals(output.event.op, 0);
        break;
      case "close":
        assert([1000, 4200].includes(output.code));
        assert(output.reason.length <= 123, "WebSocket.close() takes no longer reason");
    }
  }
}

/** An error may be thrown only where the state's own getters say that it is due. */
function checkError(error: unknown, step: Step, driver: Driver, wasClosed: boolean): void {
  assertInstanceOf(error, Error);
  assertEquals(error.message.includes(TOKEN), false);
  const { phase } = driver.state;
  if (error instanceof StateClosedError) return assertEquals(phase, "closed");
  assertEquals(wasClosed, false, "after the end there is no other error");
  if (error instanceof NotReadyError) return assertEquals(phase === "live", false);
  if (error instanceof CommandRateLimitError) {
    assertEquals(error.nextAvailableAt, driver.state.nextCommandAt(driver.now));
    return assertGreater(error.nextAvailableAt, driver.now);
  }
  if (error instanceof CommandError) {
    return assertEquals(step.do, "send");
  }
  assertInstanceOf(error, TypeError, `Not documented: ${error.stack}`);
  assert(["identify", "refuse", "fail"].includes(step.do), `A bug: ${error.stack}`);
  assert(phase !== "awaiting_permit", "a permit was asked for");
}

function checkBudget({ sent }: Driver): void {
  for (let n = 120; n < sent.length; n++) {
    assertLessOrEqual(60_000, sent[n]!.at - sent[n - 120]!.at, `frame ${n} is the 121st in 60 s`);
  }
}

function checkRecord(driver: Driver): void {
  const { session } = driver.state;
  if (session === null) return;
  const next = new Driver({ session: JSON.parse(JSON.stringify(session)) });
  next.receive(hello());
  const { sessionId, sequence } = session;
  const d = { token: TOKEN, session_id: sessionId, seq: sequence };
  assertEquals(next.framesOf("resume"), [JSON.stringify({ op: 6, d })]);
}

const settings = fc.record({
  resume: fc.boolean(),
  random: fc.constantFrom(0, 0.5, 0.999),
  acks: fc.constantFrom(40, 40, 40, null),
  filter: fc.boolean(),
});

Deno.test("state: any sequence of inputs keeps every promise, and they go wherever a state can be", () => {
  const reached = new Set<string>();
  assertProperty(
    fc.property(settings, fc.array(step, { maxLength: 150, size: "max" }), (settings, steps) => {
      const driver = new Driver({
        random: () => settings.random,
        session: settings.resume ? SESSION : null,
        wanted: settings.filter ? new Set(["MESSAGE_CREATE"]) : null,
      });
      driver.acksAfterMs = settings.acks;
      for (const step of [{ do: "receive", frame: hello() } as const, ...steps]) {
        const { end, session } = driver.state;
        try {
          run(driver, step);
        } catch (error) {
          checkError(error, step, driver, end !== null);
        }
        if (end !== null) assertStrictEquals(driver.state.end, end, "the first end stays");
        const after = driver.state.session;
        const newSession = "frame" in step && String(step.frame).includes("READY");
        if (after && session && !newSession) {
          assertLessOrEqual(session.sequence, after.sequence, "the sequence went back");
        }
        reached.add(driver.state.end?.cause ?? driver.state.phase);
      }
      checkBudget(driver);
      checkRecord(driver);
    }),
    { numRuns: 1_500 },
  );
  const places = [
    ...["awaiting_permit", "identifying", "resuming", "live"],
    ...[
      "zombie",
      "reconnect",
      "invalid_session",
      "invalid_session_resumable",
      "frame_error",
      "protocol_error",
    ],
    ...["ready_timeout", "resumed_timeout", "identify_refused", "identify_limiter_failed", "write_failed"],
    ...[
      "closed_keeping_session",
      "closed_ending_session",
      "consumer_behind",
      "close_4004",
      "connection_lost",
    ],
  ];
  assertEquals(places.filter((place) => !reached.has(place)), []);
});

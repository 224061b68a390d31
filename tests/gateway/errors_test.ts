import { assert, assertEquals, assertInstanceOf, assertMatch, assertStrictEquals } from "@std/assert";
import * as gateway from "../../gateway/mod.ts";
import {
  CommandError,
  FrameError,
  GatewayUrlError,
  NotReadyError,
  ProtocolError,
  SessionRecordError,
  StateClosedError,
} from "../../gateway/mod.ts";
import { inPhase } from "./harness.ts";

const cause = new Error("why");
const end = () => {
  const driver = inPhase("live");
  driver.input((state) => state.connectionEnded({ code: 4000, reason: "" }));
  return driver.end;
};

/** One of each: constructors differ, so each is made as the core makes it. */
const SAMPLES: readonly [error: Error & { readonly code: string }, code: string][] = [
  [new StateClosedError(end()), "ERR_STATE_CLOSED"],
  [new NotReadyError("send a command", "resuming"), "ERR_NOT_READY"],
  [new CommandError("m", { cause }), "ERR_COMMAND_INVALID"],
  [new CommandError("m", { cause, bytes: 5000 }), "ERR_PAYLOAD_TOO_LARGE"],
  [new FrameError("m", { cause }), "ERR_FRAME"],
  [new ProtocolError("m", { cause }), "ERR_PROTOCOL"],
  [new SessionRecordError("m", { cause }), "ERR_SESSION_RECORD"],
];

for (const [error, code] of SAMPLES) {
  Deno.test(`errors: ${error.name} is an Error with its class's name and the code ${code}`, () => {
    assertInstanceOf(error, Error);
    assertEquals([error.name, error.code], [error.constructor.name, code]);
    assert(Deno.inspect(error).includes(error.name), "the name shows in a stack trace");
  });
}

Deno.test("errors: every error class of the core is covered here, but the URL's, which has a code for each rule", () => {
  const exported = Object.entries(gateway)
    .filter(([, value]) => typeof value === "function" && value.prototype instanceof Error)
    .map(([name]) => name);
  const covered = [...new Set(SAMPLES.map(([error]) => error.name)), GatewayUrlError.name];
  assertEquals(exported.toSorted(), covered.toSorted());
  assertEquals(exported.filter((name) => !name.endsWith("Error")), []);
});

Deno.test("errors: codes are unique and stable identifiers", () => {
  const codes = SAMPLES.map(([error]) => error.code);
  assertEquals(new Set(codes).size, codes.length);
  for (const code of codes) assertMatch(code, /^ERR(_[A-Z]+)+$/);
});

Deno.test("errors: what went wrong underneath is passed through", () => {
  for (const Class of [CommandError, FrameError, ProtocolError, SessionRecordError]) {
    assertStrictEquals(new Class("m", { cause }).cause, cause);
  }
});

Deno.test("errors: StateClosedError tells how the connection ended", () => {
  const error = new StateClosedError(end());
  assertEquals(error.message, "Cannot use the state: its connection has ended: close_4000");
  assertEquals([error.end.cause, error.end.closeCode], ["close_4000", 4000]);
});

Deno.test("errors: NotReadyError tells the phase", () => {
  const { message } = new NotReadyError("send a command", "resuming");
  assertEquals(message, "Cannot send a command: the session must be live: resuming");
});

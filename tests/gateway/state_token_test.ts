/** The token goes into IDENTIFY and RESUME, and shows nowhere else [case 37]. */

import { assert, assertEquals, assertFalse } from "@std/assert";
import { type GatewayCommand, GatewayState } from "../../gateway/mod.ts";
import { Driver, frame, hello, inPhase, OPEN_PHASES, SESSION, TOKEN } from "./harness.ts";

/** Whatever a program could print or store of a value. */
function everythingOf(value: unknown): string {
  const seen = Deno.inspect(value, { depth: 20, showHidden: true, getters: true, strAbbreviateSize: 1e6 });
  const stack = value instanceof Error ? `${value.message} ${value.stack} ${everythingOf(value.cause)}` : "";
  return `${seen} ${JSON.stringify(value)} ${String(value)} ${stack}`;
}

function assertHidden(value: unknown, what: string): void {
  assertFalse(everythingOf(value).includes(TOKEN), `the token shows in ${what}`);
}

Deno.test("state: the token is in IDENTIFY and RESUME, where Discord needs it [case 37]", () => {
  assert(inPhase("identifying").framesOf("identify")[0]!.includes(TOKEN));
  assert(inPhase("resuming").framesOf("resume")[0]!.includes(TOKEN));
});

for (const phase of OPEN_PHASES) {
  Deno.test(`state: the token shows in no view of a state that is ${phase}, before and after its end [case 37]`, () => {
    const { state } = inPhase(phase);
    assertHidden(state, "the state");
    assertHidden({ nested: [state] }, "what holds the state");
    assertHidden([state.session, state.deadline, state.latency], "its getters");
    state.receive("{", 1);
    assertHidden(state, "the state");
    assertHidden(state.end, "the end");
  });
}

Deno.test("state: JSON.stringify of a state says nothing at all [case 37]", () => {
  assertEquals(JSON.stringify(inPhase("live").state), "{}");
});

const FAILURES: Record<string, (driver: Driver) => void> = {
  "a command too early": (driver) => driver.send({ op: 31, d: { guild_ids: [] } }),
  "a permit nobody asked for": (driver) => driver.identify(),
  "a refusal nobody asked for": (driver) => driver.input((state) => state.identifyRefused(new Error("no"))),
  "a foreign opcode": (driver) => driver.send({ op: 2, d: { token: TOKEN } } as unknown as GatewayCommand),
  "a body that does not serialise": (driver) =>
    driver.send({ op: 4, d: { token: TOKEN, n: 1n } } as unknown as GatewayCommand),
  "a frame too large": (driver) =>
    driver.send({ op: 8, d: { guild_id: TOKEN.repeat(200), query: "", limit: 0 } }),
  "a command after the end": (driver) => {
    driver.receive(frame(7));
    driver.send({ op: 31, d: { guild_ids: [] } });
  },
  "a HELLO after the end": (driver) => {
    driver.receive(frame(9));
    driver.receive(hello());
  },
};

for (const [what, fail] of Object.entries(FAILURES)) {
  Deno.test(`state: the token shows in no error of ${what} [case 37]`, () => {
    const driver = inPhase("resuming");
    try {
      fail(driver);
    } catch (error) {
      return assertHidden(error, `the error of ${what}`);
    }
    throw new Error("Nothing was thrown");
  });
}

for (
  const [what, text] of [
    ["a HELLO without an interval", frame(10, {})],
    ["a READY without a session", '{"t":"READY","s":1,"op":0,"d":{}}'],
    ["text that is no JSON", "{"],
    ["a payload of the wrong types", '{"op":"2"}'],
  ] as const
) {
  Deno.test(`state: the token shows in no end by ${what} [case 37]`, () => {
    const driver = new Driver({ session: SESSION });
    driver.receive(text);
    assertHidden(driver.end, "the end");
    assertHidden(driver.end.error, "its error");
    assertHidden(driver.close, "the close");
  });
}

Deno.test("state: a token of any kind is only ever passed on, never looked at [case 37]", () => {
  const state = new GatewayState({ token: '"quoted"\n', intents: 0, now: 0, random: () => 0 });
  state.receive(hello(), 0);
  const [identify] = state.identify(0);
  assertEquals(identify?.type === "send" && JSON.parse(identify.frame).d.token, '"quoted"\n');
});

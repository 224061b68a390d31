/** The voice server's token goes into IDENTIFY and RESUME, and shows nowhere else; the key goes to the cipher alone. */

import { assert, assertFalse } from "@std/assert";
import { description, inPhase, json, KEY, OPEN_PHASES, ready, TOKEN, type VoiceDriver } from "../harness.ts";
import { ScriptedProvider } from "../scripted_dave.ts";

/** Whatever a program could print or store of a value. */
function everythingOf(value: unknown): string {
  const options = { depth: 20, showHidden: true, getters: true, strAbbreviateSize: 1e6, iterableLimit: 1e6 };
  const stack = value instanceof Error ? `${value.message} ${value.stack} ${everythingOf(value.cause)}` : "";
  const asJson = JSON.stringify(value, (_, one) => typeof one === "bigint" ? `${one}` : one);
  return `${Deno.inspect(value, options)} ${asJson} ${String(value)} ${stack}`;
}

function assertHidden(value: unknown, what: string): void {
  const everything = everythingOf(value);
  assertFalse(everything.includes(TOKEN), `the token shows in ${what}`);
  assertFalse(everything.replaceAll(/\s/g, "").includes(KEY.slice(0, 4).join()), `the key shows in ${what}`);
}

Deno.test("voice state: the token is in IDENTIFY and RESUME [case 37]", () => {
  assert(JSON.stringify(inPhase("identifying").sentFor("identify")).includes(TOKEN));
  assert(JSON.stringify(inPhase("resuming").sentFor("resume")).includes(TOKEN));
});

for (const phase of OPEN_PHASES) {
  Deno.test(`voice state: token and key show in no view of a state that is ${phase}, before and after its end [case 37]`, () => {
    const driver = inPhase(phase, { dave: new ScriptedProvider() });
    const { state } = driver;
    assertHidden(state, "the state");
    assertHidden([state.session, state.deadline, state.latency, state.roster, state.dave], "its getters");
    driver.receive("{");
    assertHidden(state, "the state");
    assertHidden(state.end, "the end");
    try {
      state.receive("{", 1);
      throw new Error("unreachable");
    } catch (error) {
      assertHidden(error, "the error of a late input");
    }
  });
}

const broken = json(4, { mode: "x", secret_key: KEY, token: TOKEN }, 1);
for (
  const [what, phase, message] of [
    ["a description of another mode", "selecting", broken],
    ["a description that is cut short", "selecting", description().slice(0, -3)],
    ["a description with 31 bytes", "selecting", description({ d: { secret_key: KEY.slice(1) } })],
    ["a READY with the token for an address", "identifying", ready({ port: TOKEN, ip: 1 })],
  ] as const
) {
  Deno.test(`voice state: token and key show in no end by ${what} [case 37]`, () => {
    const driver: VoiceDriver = inPhase(phase);
    driver.receive(message);
    assertHidden(driver.end, "the end");
    assertHidden(driver.end.error, "its error");
    assertHidden(driver.outputs.at(-1), "the close");
  });
}

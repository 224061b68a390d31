/** Whatever a server says in whatever order, the state ends by a row of its tables or goes on, and never throws. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { assertProperty } from "../../property.ts";
import { binary, description, hello, inPhase, json, ready, VoiceDriver } from "../harness.ts";
import { ScriptedProvider } from "../scripted_dave.ts";

const seq = fc.option(fc.nat(0xffff), { nil: undefined });
const id = fc.constantFrom(0, 1, 2, 65_535);
const version = fc.constantFrom(0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2);

const dave = fc.oneof(
  fc.tuple(id, version, seq).map(([transition_id, protocol_version, seq]) =>
    json(21, { transition_id, protocol_version }, seq)
  ),
  fc.tuple(id, seq).map(([transition_id, seq]) => json(22, { transition_id }, seq)),
  fc.tuple(fc.constantFrom(1, 2), version, seq).map(([epoch, protocol_version, seq]) =>
    json(24, { epoch, protocol_version }, seq)
  ),
  fc.tuple(fc.nat(0xffff), fc.constantFrom(25, 27, 29, 30), id, fc.uint8Array({ maxLength: 4 })).map(
    ([seq, op, id, rest]) => binary(seq, op, id >> 8, id & 0xff, ...rest),
  ),
);

const message = fc.oneof(
  { weight: 30, arbitrary: dave },
  {
    weight: 5,
    arbitrary: fc.constantFrom<string | Uint8Array>(
      hello(),
      ready(),
      description(),
      description({ version: 1 }),
      json(9),
      json(6),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.nat(40), fc.jsonValue({ maxDepth: 1 }), seq).map(([op, d, seq]) =>
      json(op, d, seq)
    ),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 6 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 6 }) },
);

const step = fc.oneof(
  { weight: 6, arbitrary: message.map((message) => ({ do: "receive" as const, message })) },
  { weight: 2, arbitrary: fc.nat(30_000).map((ms) => ({ do: "advance" as const, ms })) },
  { weight: 1, arbitrary: fc.constant({ do: "address" as const }) },
  { weight: 1, arbitrary: fc.constant({ do: "resume" as const }) },
);

Deno.test("voice state: any sequence of messages, time, cuts and resumes", () => {
  let secured = 0;
  assertProperty(
    fc.property(fc.array(step, { maxLength: 60 }), fc.boolean(), (steps, begun) => {
      const provider = new ScriptedProvider();
      let driver = begun
        ? inPhase("live", { dave: provider, version: 1 })
        : new VoiceDriver({ dave: provider });
      for (const one of steps) {
        const { state } = driver;
        if (state.end !== null || one.do === "resume") {
          if (state.end === null) driver.ended(null);
          // What came of the end is a state that resumes, or a new one.
          driver = new VoiceDriver({ dave: provider, session: driver.end.session, now: driver.now });
        } else if (one.do === "receive") driver.receive(one.message);
        else if (one.do === "advance") driver.advance(one.ms);
        else if (state.phase === "discovering") driver.address();
        const { dave } = driver.state;
        if (dave.phase === "secured") secured++;
        // The rule above all.
        const frame = Uint8Array.of(1, 2, 3, 4);
        const out = dave.encrypt(frame);
        assertEquals(out === frame, dave.version === 0);
        assertEquals(out === null, dave.phase === "joining");
      }
      assert(
        driver.state.end !== null || driver.state.deadline.at > driver.now ||
          driver.state.phase === "discovering",
      );
    }),
    { numRuns: 500 },
  );
  assert(secured > 0, "some runs get as far as a group");
});

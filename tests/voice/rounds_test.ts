/** Three clients that join and leave: those in the call hear each other, and nobody else hears them. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { assertProperty } from "../property.ts";
import { Call, frames, record, sound, type Speaker } from "./call.ts";

const NAMES = ["alice", "bob", "carol"] as const;
const ROUNDS = 200;

interface Present {
  readonly speaker: Speaker;
  /** What it heard, by whom. */
  readonly heard: ReadonlyMap<string, ReturnType<typeof record>>;
}

/** Each user sends three frames of this round, and each hears them. */
async function allHear(call: Call, present: ReadonlyMap<string, Present>, round: number): Promise<void> {
  const said = frames(3, round % 251).map((frame) => frame.join());
  const playing = [...present.values()].map(({ speaker }) => speaker.connection.play(frames(3, round % 251)));
  const isHeard = () =>
    [...present].every(([name, { heard }]) =>
      [...present.keys()].filter((other) => other !== name).every((other) => {
        const packets = heard.get(other)?.packets ?? [];
        return sound(packets).slice(-3).join() === said.join();
      })
    );
  const begun = call.clock.now();
  await call.clock.runUntil(isHeard, { limitMs: 1_000 });
  assert(call.clock.now() - begun <= 1_000);
  await call.arrive(Promise.all(playing));
}

Deno.test("voice rounds: three clients join, leave and rejoin 200 times, and all pairs hear each other within a second", async () => {
  const orders = fc.array(fc.nat(NAMES.length - 1), { minLength: ROUNDS, maxLength: ROUNDS });
  await assertProperty(
    fc.asyncProperty(orders, async (order) => {
      await using call = await Call.open();
      const present = new Map<string, Present>();
      let pairs = 0;
      for (const [round, index] of order.entries()) {
        const name = NAMES[index] ?? "alice";
        const before = call.clock.now();
        const leaving = present.get(name);
        if (leaving) {
          present.delete(name);
          await call.arrive(leaving.speaker.connection.close());
        } else {
          const speaker = await call.join(name);
          const others = NAMES.filter((other) => other !== name);
          const heard = new Map(
            others.map((other) => [other, record(speaker.connection.receive(call.idOf(other)))]),
          );
          present.set(name, { speaker, heard });
        }
        await allHear(call, present, round);
        assert(call.clock.now() - before <= 1_000, `round ${round}: ${call.clock.now() - before} ms`);
        pairs += present.size * (present.size - 1);
      }
      const { plain, encrypted } = call.voice.media;
      assertEquals([plain, call.violations], [0, []]);
      assert(pairs > ROUNDS / 2 && encrypted >= pairs, `${pairs} pairs, ${encrypted} frames`);
      for (const { speaker } of present.values()) await call.arrive(speaker.connection.close());
    }),
    { numRuns: 1, endOnFailure: true },
  );
});

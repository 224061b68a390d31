/** Random faults on a hosted shard, in random order: every message is handled, and the shard identifies once. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { VirtualBot } from "../../../durable_object/virtual_bot.ts";
import { assertProperty } from "../../../property.ts";

type Act =
  | { readonly act: "write"; readonly count: number }
  | { readonly act: "pass"; readonly ms: number }
  | { readonly act: "kill" | "wake" | "drop" | "reconnect" | "stall" | "refuse alarm" | "restart" }
  | { readonly act: "handler"; readonly mood: Mood };
type Mood = "quick" | "slow" | "throws" | "hangs" | "moody";

const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ act: fc.constant("write" as const), count: fc.integer({ min: 1, max: 30 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 40_000 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constantFrom("kill", "kill", "wake", "drop", "reconnect", "stall", "refuse alarm", "restart"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant("handler" as const),
      mood: fc.constantFrom<Mood>("quick", "slow", "throws", "hangs", "moody"),
    }),
  },
);

async function play(story: readonly Act[]): Promise<void> {
  let mood: Mood = "quick";
  const handled = new Set<number>();
  const others: string[] = [];
  let calls = 0;
  const object: VirtualBot = new VirtualBot({
    maxQueuedEvents: 25,
    handlerDeadlineMs: 20_000,
    handler: (event, { attempt }) => {
      if (event.t !== "MESSAGE_CREATE") return void others.push(event.t);
      const done = () => void handled.add(Number(event.d.content));
      const what = mood === "moody" ? (["quick", "throws", "slow", "hangs"] as const)[calls++ % 4] : mood;
      if (what === "throws" && attempt < 4) throw new Error("no");
      if (what === "hangs" && attempt < 3) return new Promise(() => {});
      if (what === "slow") {
        return new Promise((resolve) => object.clock.setTimeout(() => resolve(done()), 200));
      }
      done();
    },
    // Discord keeps a parked session for longer than any of these stories.
  }, { sessionTimeoutMs: 3_600_000 });
  await object.live();
  let written = 0;
  for (const step of story) {
    if (step.act === "write") { for (let i = 0; i < step.count; i++) object.write(`${++written}`); }
    else if (step.act === "pass") await object.clock.advance(step.ms);
    else if (step.act === "handler") mood = step.mood;
    else if (step.act === "kill") await object.kill();
    else if (step.act === "wake") void object.host.status;
    else if (step.act === "drop") object.discord.connections[0]?.drop();
    else if (step.act === "reconnect") object.discord.connections[0]?.reconnect();
    else if (step.act === "stall") object.discord.connections[0]?.stall();
    else if (step.act === "refuse alarm") object.refuseAlarms.push(new Error("no alarm"));
    else {
      const stopping = object.host.stop({ keepSession: true });
      await object.clock.advance(0);
      await stopping;
      object.refuseAlarms = [];
      await object.host.start();
    }
  }
  mood = "quick";
  await object.clock.runUntil(() => handled.size === written, { limitMs: 2 * 3_600_000 });

  const { journal } = object.discord;
  assertEquals(others, []);
  assertEquals(journal.identifies().length, 1);
  assertEquals(journal.violations(), []);
  assertEquals(object.alarmErrors, []);
  await object.end();
  // Timers of a slow handler whose object has ended.
  await object.clock.advance(1_000);
  assertEquals(object.clock.pending, 0);
}

Deno.test("shard host: random kills, lost connections and failing handlers: one identify, every message is handled", async () => {
  await assertProperty(
    fc.asyncProperty(fc.array(acts, { minLength: 5, maxLength: 40 }), play),
    { numRuns: 40 },
  );
});

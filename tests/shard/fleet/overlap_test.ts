import { assertEquals } from "@std/assert";
import type { ShardEvent } from "../../../mod.ts";
import { Completeness, Duplicates, LivenessProbe } from "../../../shard/fleet/overlap.ts";
import { FakeDiscord, VirtualClock } from "../../fake/mod.ts";
import { Shard } from "../../../mod.ts";

/** Real events of a shard, as they come: READY, the guilds, a message, a reaction. */
async function events(): Promise<ShardEvent[]> {
  const clock = new VirtualClock();
  const discord = new FakeDiscord({ clock, guilds: [{}, {}] });
  const { token, dial, fetch } = discord;
  const shard = new Shard({ token, intents: 1 | 512 | 1024, dial, fetch, platform: clock });
  const seen: ShardEvent[] = [];
  const running = shard.run((event) => void seen.push(event));
  await clock.runUntil(() => seen.length === 3);
  discord.sendMessage({ content: "hello" });
  const guild_id = discord.guilds[0]!.id;
  discord.dispatch("MESSAGE_REACTION_ADD", { guild_id, emoji: { id: null, name: "+" } });
  await clock.advance(0);
  await shard.close();
  await running;
  return seen;
}

Deno.test("fleet overlap: a session is complete when the last guild of READY has come", async () => {
  const [ready, first, second] = await events();
  const completeness = new Completeness();
  assertEquals(completeness.completeAt, Infinity);
  completeness.see(ready!, 100);
  completeness.see(first!, 200);
  assertEquals(completeness.completeAt, 15_200, "the second guild is waited for");
  completeness.see(first!, 300);
  assertEquals(completeness.completeAt, 15_200, "the same guild again is no progress");
  completeness.see(second!, 400);
  assertEquals(completeness.completeAt, 400);
  completeness.see(second!, 500);
  assertEquals(completeness.completeAt, 400);
});

Deno.test("fleet overlap: guilds in an outage are not waited for longer than 15 s after the last one", async () => {
  const [ready, first, second] = await events();
  const completeness = new Completeness();
  completeness.see(ready!, 0);
  completeness.see(first!, 10_000);
  assertEquals(completeness.completeAt, 25_000);
  completeness.see(second!, 25_001);
  assertEquals(completeness.completeAt, 25_000, "who comes later changes nothing any more");
});

Deno.test("fleet overlap: another session begins from nothing", async () => {
  const [ready, first, second] = await events();
  const completeness = new Completeness();
  for (const event of [ready!, first!, second!]) completeness.see(event, 0);
  completeness.begin();
  assertEquals(completeness.completeAt, Infinity);
  completeness.see(ready!, 1_000);
  assertEquals(completeness.completeAt, 16_000);
});

Deno.test("fleet overlap: a message is recognised once; a reaction cannot be, and is counted during the overlap", async () => {
  const [, , , message, reaction] = await events();
  const duplicates = new Duplicates();
  assertEquals(duplicates.knows(message!, { overlapping: true }), false, "the old set did not have it");
  duplicates.saw(message!);
  duplicates.saw(reaction!);
  assertEquals(duplicates.knows(message!, { overlapping: true }), true);
  assertEquals(duplicates.knows(message!, { overlapping: true }), false);
  assertEquals(duplicates.knows(reaction!, { overlapping: true }), false);
  assertEquals(duplicates.knows(reaction!, { overlapping: false }), false);
  assertEquals([duplicates.dropped, duplicates.repeated], [1, 1]);
});

Deno.test("fleet overlap: only so many ids are remembered, the oldest go", async () => {
  const message = (await events())[3]!;
  if (message.t !== "MESSAGE_CREATE") throw new Error("a message was written");
  const numbered = (id: number) => ({ ...message, d: { ...message.d, id: `${id}` } });
  const duplicates = new Duplicates();
  for (let id = 0; id <= 100_000; id++) duplicates.saw(numbered(id));
  assertEquals(duplicates.knows(numbered(0), { overlapping: true }), false);
  assertEquals(duplicates.knows(numbered(1), { overlapping: true }), true);
});

Deno.test("fleet overlap: what has come was heard after the last look, as nobody knows when", () => {
  const ear = new LivenessProbe();
  const live = { liveSince: 1_000, events: 5, acknowledged: 1 };
  ear.look(live, 2_000);
  ear.look(live, 3_000);
  ear.look(live, 4_000);
  assertEquals(ear.receivedAfter, -Infinity, "nothing came between the looks");
  ear.look({ ...live, events: 6 }, 5_000);
  assertEquals(ear.receivedAfter, 4_000, "an event");
  ear.look({ ...live, events: 6 }, 6_000);
  ear.look({ ...live, events: 6, acknowledged: 2 }, 7_000);
  assertEquals(ear.receivedAfter, 6_000, "a heartbeat that was acknowledged");
  ear.look({ liveSince: null, events: 7, acknowledged: 0 }, 8_000);
  assertEquals(ear.receivedAfter, 6_000, "it ended");
  ear.look({ liveSince: 8_500, events: 7, acknowledged: 0 }, 9_000);
  assertEquals(ear.receivedAfter, 8_000, "RESUMED");
});

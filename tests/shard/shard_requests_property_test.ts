/** Requests in random stories: whatever happens to the connections, each ends, complete and without a chunk twice. */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { GuildMembersChunk } from "../../mod.ts";
import { assertProperty } from "../property.ts";
import { crowd, everybody, Reading } from "./asking.ts";
import { assertQuiet, type Play } from "./harness.ts";

/** What happens to the connection, if there is one. */
const ACTS: Readonly<Record<string, (play: Play) => void>> = {
  cut: ({ discord }) => discord.connections[0]?.drop(),
  reconnect: ({ discord }) => discord.connections[0]?.reconnect(),
  "close 4000": ({ discord }) => discord.connections[0]?.close(4000),
  "op 9 true": ({ discord }) => discord.connections[0]?.invalidateSession(true),
  "op 9 false": ({ discord }) => discord.connections[0]?.invalidateSession(false),
  expire: ({ discord }) => discord.expireSessions(),
  "cut in the middle": ({ discord }) => void (discord.faults.cutAfterAnswers = 1),
  "from behind": ({ discord }) => void (discord.faults.reverseAnswers = !discord.faults.reverseAnswers),
  "refuse a resume": ({ discord }) => void discord.faults.refuseResumes++,
};

const act = fc.record({
  what: fc.constantFrom("everybody", "some", "sounds", "info", "presence", ...Object.keys(ACTS)),
  guild: fc.integer({ min: 0, max: 1 }),
  pauseMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20_000 })),
});

Deno.test("shard: over random stories every request ends complete, nothing comes twice, and no rule is broken", async () => {
  await assertProperty(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), fc.integer(), async (story, seed) => {
      const guilds = [{ members: 1_200 }, { members: 2_100 }];
      const play = await crowd(0, { fake: { guilds, identifyLimit: { total: 100_000 } } }).live();
      // Another seed, another jitter.
      for (let n = 0; n < Math.abs(seed) % 7; n++) play.clock.random();
      const ids = play.discord.guilds.map(({ id }) => id);
      const full: { readonly reading: Reading<GuildMembersChunk>; readonly members: number }[] = [];
      const others: Reading<unknown>[] = [];
      for (const { what, guild, pauseMs } of story) {
        const id = ids[guild] ?? "";
        const { shard } = play;
        if (what === "everybody") {
          const reading = new Reading(shard.requestGuildMembers(everybody(id)));
          full.push({ reading, members: 1 + guilds[guild]!.members });
        } else if (what === "some") {
          others.push(new Reading(shard.requestGuildMembers({ guild_id: id, query: "member-1", limit: 3 })));
        } else if (what === "sounds") {
          others.push(new Reading(shard.requestSoundboardSounds(ids)));
        } else if (what === "info") {
          others.push(new Reading(oneAnswer(shard.requestChannelInfo(id, ["status"]))));
        } else if (what === "presence") {
          const d = { since: null, activities: [], status: "idle", afk: false } as const;
          others.push(new Reading(oneAnswer(shard.send({ op: 3, d }))));
        } else ACTS[what]?.(play);
        await play.clock.advance(pauseMs);
      }
      const all = [...others, ...full.map(({ reading }) => reading)];
      await play.clock.runUntil(() => all.every(({ end }) => end !== undefined));
      assertEquals(all.map(({ end }) => end).filter((end) => end !== null), []);
      for (const { reading, members } of full) {
        const seen = reading.answers.flatMap((chunk) => chunk.members.map(({ user }) => user?.id));
        assertEquals([seen.length, new Set(seen).size], [members, members]);
      }
      assertEquals(play.discord.journal.violations(), []);
      assertEquals(play.shard.commands.waiting, 0);
      await play.shard.close();
      assertQuiet(play);
    }),
    { numRuns: 40 },
  );
});

async function* oneAnswer<T>(promise: Promise<T>): AsyncGenerator<T, void, void> {
  yield await promise;
}

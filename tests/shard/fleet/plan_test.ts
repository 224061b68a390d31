import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { shardIdOf } from "../../../gateway/mod.ts";
import {
  identifyWaves,
  nextReshardStep,
  relatedShards,
  type ReshardShard,
  type ReshardView,
  resumeDelayMs,
  routeCommand,
  shardSelection,
} from "../../../shard/fleet/plan.ts";
import { assertProperty } from "../../property.ts";

Deno.test("fleet plan: a number of shards is all of them; a selection is sorted", () => {
  assertEquals(shardSelection(3), { ids: [0, 1, 2], count: 3 });
  assertEquals(shardSelection({ ids: [7, 0, 3], count: 8 }), { ids: [0, 3, 7], count: 8 });
});

Deno.test("fleet plan: impossible selections are refused", () => {
  for (const count of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(() => shardSelection(count), RangeError, "their count is an integer of at least 1");
  }
  for (const ids of [[], [0, 0], [4], [-1], [0.5], [NaN]]) {
    assertThrows(
      () => shardSelection({ ids, count: 4 }),
      RangeError,
      "different integers below the count, 4",
    );
  }
});

Deno.test("fleet plan: the waves hold every shard once, in order, and no key twice in a wave", () => {
  assertProperty(fc.property(
    fc.uniqueArray(fc.integer({ min: 0, max: 400 }), { maxLength: 80 }),
    fc.integer({ min: 1, max: 64 }),
    (unsorted, maxConcurrency) => {
      const ids = unsorted.sort((a, b) => a - b);
      const waves = identifyWaves(ids, maxConcurrency);
      assertEquals(waves.flat().sort((a, b) => a - b), ids);
      for (const wave of waves) {
        assertEquals(new Set(wave.map((id) => id % maxConcurrency)).size, wave.length);
        assertEquals(wave, [...wave].sort((a, b) => a - b));
      }
      // As few waves as the fullest key needs.
      const perKey = Map.groupBy(ids, (id) => id % maxConcurrency);
      assertEquals(waves.length, Math.max(0, ...[...perKey.values()].map((key) => key.length)));
    },
  ));
});

Deno.test("fleet plan: 64 shards and max_concurrency 16 are four waves of neighbours", () => {
  const waves = identifyWaves(shardSelection(64).ids, 16);
  assertEquals(waves.map((wave) => [wave[0], wave.at(-1), wave.length]), [
    [0, 15, 16],
    [16, 31, 16],
    [32, 47, 16],
    [48, 63, 16],
  ]);
});

Deno.test("fleet plan: resumes go out a hundred a second, each somewhere in its own slot", () => {
  assertEquals([resumeDelayMs(0, 0), resumeDelayMs(0, 0.5), resumeDelayMs(100, 0.25)], [0, 5, 1002.5]);
});

Deno.test("fleet plan: related shards are exactly those that have a guild in common", () => {
  assertProperty(
    fc.property(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 40 }), (count, other) => {
      // Guilds repeat after `count * other` at the latest.
      const common = Array.from({ length: count }, () => new Set<number>());
      for (let guild = 0; guild < count * other; guild++) common[guild % count]!.add(guild % other);
      common.forEach((others, shardId) => {
        assertEquals(relatedShards(shardId, count, other), [...others].sort((a, b) => a - b));
      });
    }),
  );
});

Deno.test("fleet plan: a command goes to its guild's shard, a presence to each", () => {
  const guild_id = "613425648685547541";
  const shardId = shardIdOf(guild_id, 16);
  for (
    const command of [
      { op: 4, d: { guild_id, channel_id: null, self_mute: false, self_deaf: false } },
      { op: 8, d: { guild_id, query: "", limit: 0 } },
      { op: 43, d: { guild_id, fields: ["status"] } },
    ] as const
  ) {
    assertEquals(routeCommand(command, 16), [{ shardId, command }]);
  }
  const presence = { op: 3, d: { since: null, activities: [], status: "idle", afk: true } } as const;
  assertEquals(routeCommand(presence, 16), [{ shardId: null, command: presence }]);
});

Deno.test("fleet plan: a request about guilds of several shards is split", () => {
  const guild = (place: bigint) => `${place << 22n}`;
  assertEquals(
    routeCommand({ op: 31, d: { guild_ids: [0n, 1n, 2n, 3n, 4n].map(guild) } }, 2).map((
      { shardId, command },
    ) => [shardId, command.d]),
    [
      [0, { guild_ids: [guild(0n), guild(2n), guild(4n)] }],
      [1, { guild_ids: [guild(1n), guild(3n)] }],
    ],
  );
});

Deno.test("fleet plan: a guild id that is none is refused", () => {
  const command = { op: 8, d: { guild_id: "general", query: "", limit: 0 } } as const;
  assertThrows(() => routeCommand(command, 2), TypeError, "must be a string of digits");
});

// The steps of a reshard.

const UP: ReshardShard = {
  shardId: 0,
  stopped: false,
  liveSince: 1_000,
  parked: false,
  completeAt: 2_000,
  receivedAfter: -Infinity,
};
const DOWN: ReshardShard = { ...UP, liveSince: null };
const STOPPED: ReshardShard = { ...DOWN, stopped: true };

const HEARD: ReshardShard = { ...UP, receivedAfter: 13_000 };

function step(view: Partial<ReshardView>): unknown {
  const next = nextReshardStep({
    old: [UP],
    next: [UP],
    keptSince: null,
    overlapMs: 5_000,
    now: 10_000,
    ...view,
  });
  return next.do === "wait" ? next.at : next.do;
}

Deno.test("fleet plan: a reshard keeps events once every new shard is complete and every old one live", () => {
  assertEquals(step({}), "keep");
  assertEquals(step({ next: [UP, DOWN] }), Infinity);
  assertEquals(step({ next: [UP, { ...UP, completeAt: Infinity }] }), Infinity);
  assertEquals(step({ next: [UP, { ...UP, completeAt: 17_000 }] }), 17_000, "guilds in an outage");
  assertEquals(step({ old: [UP, DOWN] }), Infinity);
  assertEquals(step({ old: [UP, STOPPED] }), "keep", "nobody waits for one that has stopped");
});

Deno.test("fleet plan: a reshard switches after the overlap, and when every shard was heard from since", () => {
  const heard = HEARD;
  const kept = { keptSince: 8_000, now: 13_100, next: [HEARD] };
  assertEquals(step({ ...kept, old: [heard], now: 12_999 }), 13_000, "the overlap");
  assertEquals(step({ ...kept, old: [heard] }), "switch");
  assertEquals(
    step({ ...kept, old: [heard, { ...UP, receivedAfter: 12_999 }] }),
    13_350,
    "not heard from yet",
  );
  assertEquals(step({ ...kept, old: [heard], next: [heard, UP] }), 13_350, "nor from a new one");
  assertEquals(step({ ...kept, old: [heard, DOWN] }), Infinity);
  assertEquals(step({ ...kept, old: [heard, STOPPED] }), "switch");
  assertEquals(step({ ...kept, old: [{ ...heard, liveSince: 9_000 }] }), 14_000, "it was away meanwhile");
});

Deno.test("fleet plan: a new shard may be away at the switch if its session is parked, not otherwise", () => {
  const kept = { keptSince: 8_000, now: 13_100, old: [HEARD] };
  assertEquals(step({ ...kept, next: [{ ...DOWN, parked: true }] }), "switch");
  assertEquals(step({ ...kept, next: [DOWN] }), Infinity);
});

Deno.test("fleet plan: a reshard starts over if a new shard had to begin another session", () => {
  const kept = { keptSince: 8_000, now: 13_100, old: [HEARD] };
  assertEquals(step({ ...kept, next: [UP, { ...UP, completeAt: Infinity }] }), "start over");
  assertEquals(step({ ...kept, next: [UP, { ...UP, completeAt: 9_000 }] }), "start over");
});

Deno.test("fleet plan: a reshard gives up as soon as a new shard has stopped", () => {
  const next = [UP, { ...STOPPED, shardId: 7 }];
  for (const keptSince of [null, 8_000]) {
    const view = { old: [UP], next, keptSince, overlapMs: 0, now: 10_000 };
    assertEquals(nextReshardStep(view), { do: "give up", shardId: 7 });
  }
});

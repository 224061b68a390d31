import { assert, assertEquals } from "@std/assert";
import { FIRST_PLACE, PICTURE, picture, UNTIL_MS } from "./picture.ts";
import { CONSTANT_RESERVE } from "./policies/constant_reserve.ts";
import { THIS_LIMITER } from "./policies/this_limiter.ts";
import { LIMIT, type PolicyKind } from "./policy.ts";
import { saturate } from "./saturate.ts";
import { type Span, timeline } from "./timeline.ts";

function spansOf(policy: PolicyKind): Span[] {
  const { frames } = saturate(policy.make(PICTURE.intervalMs), { ...PICTURE, demandFromMs: 0 });
  return timeline(frames, UNTIL_MS);
}

Deno.test("timeline: spans follow each other, and each tells of all 120 places", () => {
  for (const policy of [THIS_LIMITER, CONSTANT_RESERVE]) {
    const spans = spansOf(policy);
    assertEquals([spans[0]?.from, spans.at(-1)?.to], [0, UNTIL_MS]);
    for (const [index, { from, to, commands, heartbeats, kept, wasted }] of spans.entries()) {
      assert(from < to);
      assertEquals(from, index === 0 ? 0 : spans[index - 1]?.to);
      assertEquals(commands + heartbeats + kept + wasted, LIMIT);
      assert(Math.min(commands, heartbeats, kept, wasted) >= 0);
    }
  }
});

Deno.test("timeline: with this limiter no place is ever wasted, and all 120 are taken again and again", () => {
  const spans = spansOf(THIS_LIMITER);
  assertEquals(spans.filter(({ wasted }) => wasted > 0), []);
  assert(spans.filter(({ kept }) => kept === 0).length > 3);
});

Deno.test("timeline: each place that this limiter keeps is taken by a heartbeat within 60 s", () => {
  const { frames } = saturate(THIS_LIMITER.make(PICTURE.intervalMs), { ...PICTURE, demandFromMs: 0 });
  for (const { from, to, kept } of timeline(frames, UNTIL_MS)) {
    const heartbeats = frames.filter(({ at, kind }) =>
      kind === "heartbeat" && at >= to && at < from + 60_000
    );
    assert(heartbeats.length >= kept, `${from}: ${kept} kept, ${heartbeats.length} come`);
  }
});

Deno.test("timeline: a constant reserve wastes a place at any time", () => {
  for (const { wasted } of spansOf(CONSTANT_RESERVE)) assert(wasted >= 1);
});

Deno.test("picture: what is not drawn are commands at all times, as it says", () => {
  for (const policy of [THIS_LIMITER, CONSTANT_RESERVE]) {
    for (const { commands } of spansOf(policy)) assert(commands >= FIRST_PLACE - 1);
  }
});

Deno.test("picture: the same each time, with a heart for each heartbeat and waste in the lower half alone", () => {
  const drawn = picture();
  assertEquals(drawn, picture());
  const hearts = drawn.match(/class="heart"/g)?.length;
  // One in the legend, and the same heartbeats in both halves.
  assertEquals(hearts, 1 + 2 * Math.ceil((UNTIL_MS - PICTURE.firstHeartbeatMs) / PICTURE.intervalMs));
  const [, upper = "", lower = ""] = drawn.split('class="name" text-anchor="end"');
  assert(!upper.includes('class="wasted"') && lower.includes('class="wasted"'));
});

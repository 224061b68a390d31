/** The default identify limiter: one per token and clock. */

import { assert, assertEquals, assertNotStrictEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { IdentifyRefusedError } from "../../../ratelimit/mod.ts";
import { sharedIdentifyLimiter } from "../../../shard/mod.ts";
import { VirtualClock } from "../../fake/mod.ts";

const FULL = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 1 };

Deno.test("shared identify limiter: one per token", () => {
  const clock = new VirtualClock();
  const limiter = sharedIdentifyLimiter("one", clock);
  assertStrictEquals(sharedIdentifyLimiter("one", clock), limiter);
  assertNotStrictEquals(sharedIdentifyLimiter("another", clock), limiter);
});

Deno.test("shared identify limiter: shards of a token wait for each other, those of another do not", async () => {
  const clock = new VirtualClock();
  const turns: string[] = [];
  const take = async (token: string, shardId: number) => {
    assert(await sharedIdentifyLimiter(token, clock).take(shardId));
    turns.push(`${token} ${shardId} at ${clock.now()}`);
  };
  const taken = [take("a", 0), take("a", 1), take("b", 0)];
  await clock.advance(60_000);
  await Promise.all(taken);
  assertEquals(turns, ["a 0 at 0", "b 0 at 0", "a 1 at 5250"]);
});

Deno.test("shared identify limiter: Discord's limits replace what was assumed", async () => {
  const clock = new VirtualClock();
  const limiter = sharedIdentifyLimiter("a", clock, { ...FULL, max_concurrency: 2 });
  await Promise.all([limiter.take(0), limiter.take(1)]);
  assertEquals(clock.now(), 0, "two keys, two turns at once");

  sharedIdentifyLimiter("a", clock, { ...FULL, remaining: 0, reset_after: 60_000 });
  const refusal = await assertRejects(() => limiter.take(0), IdentifyRefusedError);
  assertEquals(refusal.resetAfterMs, 60_000, "the budget is spent");
  await clock.advance(60_000);
  assert(await limiter.take(0));
});

Deno.test("shared identify limiter: each clock has its own, so simulations do not meet", async () => {
  const [one, other] = [new VirtualClock(), new VirtualClock()];
  assert(await sharedIdentifyLimiter("a", one).take(0));
  assert(await sharedIdentifyLimiter("a", other).take(0));
});

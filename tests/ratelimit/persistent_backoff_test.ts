import { assertEquals, assertRejects } from "@std/assert";
import { BackoffIdentifyLimiter } from "../../ratelimit/identify/backoff_limiter.ts";
import {
  IDENTIFY_BACKOFF,
  LAUNCH_BACKOFF,
  type PersistentBackoff,
  persistentBackoffMs,
} from "../../ratelimit/persistent_backoff.ts";
import { VirtualClock } from "../fake/mod.ts";

Deno.test("persistent backoff: the first are free, then the wait doubles up to its cap", () => {
  const waits = (backoff: PersistentBackoff) =>
    [0, 1, 2, 3, 4, 9, 1_000].map((count) => persistentBackoffMs(count, backoff));
  assertEquals(waits(IDENTIFY_BACKOFF), [0, 0, 5_000, 10_000, 20_000, 300_000, 300_000]);
  assertEquals(waits(LAUNCH_BACKOFF), [0, 0, 0, 1_000, 2_000, 60_000, 60_000]);
});

Deno.test("persistent backoff: an identify waits for it, is counted before it goes out, and not where the limiter refuses", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  const make = (permitted: boolean, identifiedAt: number) =>
    new BackoffIdentifyLimiter({
      limiter: { take: () => log.push(`${clock.now()} asked`) > 0 && permitted },
      last: () => ({ identifies: 3, identifiedAt }),
      count: () => void log.push(`${clock.now()} counted`),
      clock,
      wallClock: () => 1_000_000 + clock.now(),
    });
  const taking = make(true, 1_000_000 - 4_000).take(0);
  await clock.advance(60_000);
  assertEquals([await taking, log.splice(0)], [true, ["6000 asked", "6000 counted"]]);

  // A wall clock that was set back causes no wait longer than the backoff.
  const refused = make(false, 99_000_000).take(0);
  await clock.advance(10_000);
  assertEquals([await refused, log.splice(0)], [false, ["70000 asked"]]);

  const full = new Error("no room to store it");
  const released: string[] = [];
  const release = (outcome: string) => {
    released.push(outcome);
    return Promise.reject(new Error("nor to take it back"));
  };
  const uncounted = new BackoffIdentifyLimiter({
    limiter: { take: () => ({ release }) },
    last: () => ({ identifies: 0, identifiedAt: 0 }),
    count: () => {
      throw full;
    },
    clock,
    wallClock: () => clock.now(),
  });
  assertEquals([await uncounted.take(0).catch((error) => error), released], [full, ["unused"]]);

  const reason = new Error("the connection is gone");
  const controller = new AbortController();
  const aborted = assertRejects(() => make(true, 99_000_000).take(0, { signal: controller.signal }));
  controller.abort(reason);
  assertEquals([await aborted, clock.pending, log], [reason, 0, []]);
});

import { assertEquals, assertRejects } from "@std/assert";
import {
  IDENTIFY_PACE,
  LAUNCH_PACE,
  PacedIdentifyLimiter,
  paceMs,
} from "../../ratelimit/persistent_backoff.ts";
import { VirtualClock } from "../fake/mod.ts";

Deno.test("pace: the first are free, then the wait doubles up to its cap", () => {
  const waits = (pace: typeof IDENTIFY_PACE) => [0, 1, 2, 3, 4, 9, 1_000].map((count) => paceMs(count, pace));
  assertEquals(waits(IDENTIFY_PACE), [0, 0, 5_000, 10_000, 20_000, 300_000, 300_000]);
  assertEquals(waits(LAUNCH_PACE), [0, 0, 0, 1_000, 2_000, 60_000, 60_000]);
});

Deno.test("pace: an identify waits for it, is counted before it goes out, and not where the limiter refuses", async () => {
  const clock = new VirtualClock();
  const log: string[] = [];
  const make = (permitted: boolean, identifiedAt: number) =>
    new PacedIdentifyLimiter({
      limiter: { take: () => log.push(`${clock.now()} asked`) > 0 && permitted },
      last: () => ({ identifies: 3, identifiedAt }),
      count: () => void log.push(`${clock.now()} counted`),
      platform: clock,
      wallClock: () => 1_000_000 + clock.now(),
    });
  const taking = make(true, 1_000_000 - 4_000).take(0);
  await clock.advance(60_000);
  assertEquals([await taking, log.splice(0)], [true, ["6000 asked", "6000 counted"]]);

  // A wall clock that was set back makes nobody wait for longer than the pace.
  const refused = make(false, 99_000_000).take(0);
  await clock.advance(10_000);
  assertEquals([await refused, log.splice(0)], [false, ["70000 asked"]]);

  const full = new Error("no room to store it");
  const released: string[] = [];
  const release = (outcome: string) => {
    released.push(outcome);
    return Promise.reject(new Error("nor to take it back"));
  };
  const uncounted = new PacedIdentifyLimiter({
    limiter: { take: () => ({ release }) },
    last: () => ({ identifies: 0, identifiedAt: 0 }),
    count: () => {
      throw full;
    },
    platform: clock,
    wallClock: () => clock.now(),
  });
  assertEquals([await uncounted.take(0).catch((error) => error), released], [full, ["unused"]]);

  const reason = new Error("the connection is gone");
  const controller = new AbortController();
  const aborted = assertRejects(() => make(true, 99_000_000).take(0, { signal: controller.signal }));
  controller.abort(reason);
  assertEquals([await aborted, clock.pending, log], [reason, 0, []]);
});

/** A deadline around work that heeds a signal. */

import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { withDeadline } from "../../../shard/pipe/deadline.ts";
import { VirtualClock } from "../../fake/mod.ts";

/** Work that lasts until its signal is aborted. */
const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason));
  });

Deno.test("deadline: work that is done in time leaves no timer behind", async () => {
  const clock = new VirtualClock();
  const error = () => new Error("late");
  assertEquals(await withDeadline(() => Promise.resolve("done"), { clock, deadlineMs: 5, error }), "done");
  assertEquals(clock.pending, 0);
});

Deno.test("deadline: work that takes longer is aborted with the error", async () => {
  const clock = new VirtualClock();
  const late = new Error("late");
  const working = withDeadline(untilAborted, { clock, deadlineMs: 5, error: () => late });
  const failing = assertRejects(() => working);
  await clock.advance(5);
  assertStrictEquals(await failing, late);
});

Deno.test("deadline: the signal ends the work, before it begins and while it lasts", async () => {
  const clock = new VirtualClock();
  const reason = new Error("enough");
  const aborting = new AbortController();
  const error = () => new Error("late");
  const options = { clock, deadlineMs: 5, signal: aborting.signal, error };
  const working = assertRejects(() => withDeadline(untilAborted, options));
  aborting.abort(reason);
  assertStrictEquals(await working, reason);
  assertStrictEquals(await assertRejects(() => withDeadline(untilAborted, options)), reason);
  assertEquals(clock.pending, 0);
});

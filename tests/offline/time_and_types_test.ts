/** The stand-ins for `@std/async` and `@std/testing`; the same tests judge the real packages where JSR answers. */

import { assertThrows } from "@std/assert";
import { deadline, delay } from "@std/async";
import { FakeTime } from "@std/testing/time";
import {
  assertType,
  type Has,
  type IsAny,
  type IsExact,
  type IsNever,
  type IsUnknown,
  type NotHas,
} from "@std/testing/types";

Deno.test("stand-ins: delay and deadline give up when told to", async () => {
  await delay(1);
  if (await deadline(Promise.resolve(7), 1000) !== 7) throw new Error("another value");
  const reasons = await Promise.all([
    delay(60_000, { signal: AbortSignal.abort("stop") }).catch((reason) => reason),
    deadline(new Promise(() => {}), 1).catch((reason) => reason.name),
    deadline(new Promise(() => {}), 60_000, { signal: AbortSignal.abort("stop") }).catch((reason) => reason),
    deadline(Promise.reject("own"), 60_000).catch((reason) => reason),
  ]);
  if (reasons.join() !== "stop,TimeoutError,stop,own") throw new Error(`unexpected: ${reasons}`);
});

Deno.test("stand-ins: FakeTime runs timers in order, and only when told to", async () => {
  const real = globalThis.setTimeout;
  {
    using time = new FakeTime(1000);
    const log: string[] = [];
    setTimeout((name: string) => log.push(`${name}@${Date.now()}`), 20, "b");
    setTimeout(() => log.push(`a@${new Date().getTime()}`), 10);
    const cleared = setTimeout(() => log.push("never"), 5);
    clearTimeout(cleared);
    const every = setInterval(() => log.push(`i@${Date.now()}`), 15);
    setTimeout(() => setTimeout(() => log.push(`nested@${Date.now()}`), 1), 10);
    time.tick(9);
    if (log.length !== 0) throw new Error(`too early: ${log}`);
    time.tick(21);
    clearInterval(every);
    if (log.join() !== "a@1010,nested@1011,i@1015,b@1020,i@1030") throw new Error(`unexpected: ${log}`);
    const signal = AbortSignal.timeout(5);
    let resumed = false;
    delay(5).then(() => resumed = true);
    await time.tickAsync(5);
    await time.runMicrotasks();
    if (!signal.aborted || !resumed || time.now !== 1035) throw new Error("time did not reach everything");
    setTimeout(() => log.push("last"), 3_600_000);
    if (!time.next() || time.next() || Date.now() !== 3_601_035) {
      throw new Error("next() goes to the next timer");
    }
    assertThrows(() => new FakeTime(), Error, "already faked");
  }
  if (globalThis.setTimeout !== real || Date.now() < 1e12) throw new Error("time was not put back");
});

Deno.test("stand-ins: types are told apart", () => {
  assertType<IsExact<{ a: string }, { a: string }>>(true);
  assertType<IsExact<{ a: string } & { b: 1 }, { a: string; b: 1 }>>(true);
  assertType<IsExact<{ a: string }, { a: string | number }>>(false);
  assertType<IsExact<{ a: string }, { a?: string }>>(false);
  assertType<IsExact<{ a: { b: unknown } }, { a: { b: number } }>>(false);
  assertType<IsExact<string, unknown>>(false);
  assertType<IsExact<never, string>>(false);
  assertType<IsExact<"a" | "b", "b" | "a">>(true);
  assertType<IsExact<ReturnType<typeof JSON.parse>, string>>(false);
  assertType<IsExact<{ a: ReturnType<typeof JSON.parse> }, { a: string }>>(false);
  assertType<IsExact<{ a: ReturnType<typeof JSON.parse> }, { a: ReturnType<typeof JSON.parse> }>>(true);
  assertType<Has<"a" | "b", "a">>(true);
  assertType<Has<"a" | "b", "c">>(false);
  assertType<NotHas<"a" | "b", "c">>(true);
  assertType<IsNever<never>>(true);
  assertType<IsNever<string>>(false);
  assertType<IsAny<ReturnType<typeof JSON.parse>>>(true);
  assertType<IsAny<unknown>>(false);
  assertType<IsUnknown<unknown>>(true);
  assertType<IsUnknown<ReturnType<typeof JSON.parse>>>(false);
});

/** The one file that reads the runtime: its clock, timers, randomness and environment. */

import { assert, assertEquals } from "@std/assert";
import { environmentVariable, systemPlatform } from "../../../shard/mod.ts";
import { withEnvironment } from "./environment.ts";

Deno.test("platform: the clock never goes back", () => {
  let before = systemPlatform.now();
  for (let reading = 0; reading < 1_000; reading++) {
    const now = systemPlatform.now();
    assert(now >= before);
    before = now;
  }
});

Deno.test("platform: random numbers are in [0, 1)", () => {
  const numbers = Array.from({ length: 1_000 }, () => systemPlatform.random());
  assert(numbers.every((number) => number >= 0 && number < 1));
  assert(new Set(numbers).size > 900);
});

Deno.test("platform: a timer fires once, and one that was cleared does not", async () => {
  const fired: string[] = [];
  const cleared = systemPlatform.setTimeout(() => fired.push("cleared"), 0);
  await new Promise<void>((resolve) => {
    systemPlatform.setTimeout(() => {
      fired.push("fired");
      resolve();
    }, 0);
    systemPlatform.clearTimeout(cleared);
  });
  assertEquals(fired, ["fired"]);
});

Deno.test("platform: a timer that is due already fires next, one for the end of time does not", async () => {
  const fired: string[] = [];
  const timers = [Infinity, 2 ** 31, 30 * 86_400_000].map((delayMs) => {
    return systemPlatform.setTimeout(() => fired.push(`${delayMs}`), delayMs);
  });
  await new Promise<void>((resolve) => void systemPlatform.setTimeout(resolve, -5));
  await new Promise<void>((resolve) => void systemPlatform.setTimeout(resolve, 5));
  for (const timer of timers) systemPlatform.clearTimeout(timer);
  assertEquals(fired, []);
});

Deno.test("platform: its functions work on their own", () => {
  const { now, random } = systemPlatform;
  assertEquals([typeof now(), typeof random()], ["number", "number"]);
});

Deno.test({
  name: "platform: reads an environment variable that it may read",
  permissions: { env: ["DISCORD_API"] },
  fn: () => {
    withEnvironment({ DISCORD_API: "value", HOME: "/root" }, () => {
      assertEquals(environmentVariable("DISCORD_API"), "value");
      assertEquals(environmentVariable("HOME"), undefined, "another one is neither read nor asked for");
    });
    withEnvironment({}, () => assertEquals(environmentVariable("DISCORD_API"), undefined));
  },
});

import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { filesBelow } from "./gate/published.ts";
import {
  assertProperty,
  choose,
  DEFAULT_SEED,
  type PropertyOptions,
  searchOf,
  timeIsUp,
} from "./property.ts";

const chosen = (variables: Record<string, string> = {}) => choose((name) => variables[name]);

/** What a property of one number is tried on. */
function tried(variables: Record<string, string>, options: PropertyOptions<[number]> = {}): number[] {
  const values: number[] = [];
  const property = fc.property(fc.integer(), (value) => void values.push(value));
  fc.assert(property, searchOf(options, chosen(variables)).parameters);
  return values;
}

Deno.test("property: the same values each time, and others from another seed", () => {
  assertEquals(tried({}), tried({}));
  assertEquals(tried({}), tried({ PROPERTY_SEED: `${DEFAULT_SEED}` }));
  assertNotEquals(tried({}), tried({ PROPERTY_SEED: "21" }));
  assertNotEquals(tried({ PROPERTY_SEED: "random" }), tried({ PROPERTY_SEED: "random" }));
});

Deno.test("property: the number of runs is multiplied, and never 0", () => {
  assertEquals(tried({}).length, 100);
  assertEquals(tried({ PROPERTY_RUNS: "2.5" }, { numRuns: 10 }).length, 25);
  assertEquals(tried({ PROPERTY_RUNS: "0.001" }, { numRuns: 10 }).length, 1);
});

Deno.test("property: examples come first, and take no run away", () => {
  const values = tried({}, { numRuns: 3, examples: [[7], [8]] });
  assertEquals([values.length, values.slice(0, 2)], [5, [7, 8]]);
});

Deno.test("property: only where seconds are chosen does the clock have a say, and not in the usual runs", () => {
  let now = 100;
  const runsUntil = (variables: Record<string, string>) => {
    const { parameters: { timeout }, usualRuns } = searchOf({ numRuns: 2 }, chosen(variables));
    const isOver = timeIsUp(chosen(variables).limitMs, usualRuns, () => now);
    const over = [0, 200, 499, 500, 500].map((passed) => (now = 100 + passed, isOver()));
    now = 100;
    return [...over, timeout !== undefined];
  };
  assertEquals(runsUntil({}), [false, false, false, false, false, false]);
  assertEquals(runsUntil({ PROPERTY_SECONDS: "0.5" }), [false, false, false, true, true, true]);
  assertEquals(runsUntil({ PROPERTY_SECONDS: "0.1" }), [false, false, true, true, true, true]);
});

Deno.test("property: what cannot be used is said with its name", () => {
  for (
    const [name, value] of [
      ["PROPERTY_SEED", "1.5"],
      ["PROPERTY_SEED", "often"],
      ["PROPERTY_SEED", "4294967296"],
      ["PROPERTY_SEED", ""],
      ["PROPERTY_RUNS", "0"],
      ["PROPERTY_RUNS", "many"],
      ["PROPERTY_SECONDS", "-1"],
    ] as const
  ) assertThrows(() => chosen({ [name]: value }), TypeError, `${name} has to be`);
});

Deno.test("property: a failure names its seed, and a property that holds passes", () => {
  const asserted = (limit: number) => assertProperty(fc.property(fc.nat(), (value) => value < limit));
  asserted(2 ** 31);
  assertThrows(() => asserted(10), Error, "seed: ");
});

Deno.test("property: no test calls fast-check directly, with a random seed", () => {
  const own = filesBelow("tests/").filter((file) =>
    /_test\.ts$/.test(file) && file !== "tests/property_test.ts" &&
    /\bfc\.(assert|check|sample|statistics)\(/.test(
      Deno.readTextFileSync(new URL(`../${file}`, import.meta.url)),
    )
  );
  assertEquals(own, []);
  assert(filesBelow("tests/").length > 100, "the files are found");
});

/**
 * Through which every property of the tests is asserted: the same values each time, and others on demand.
 *
 * A change must not turn red by luck, on a fault that was there before. So the seed is fixed, and whoever wants to look
 * further chooses another, or lets `deno task explore` do so:
 *
 * - `PROPERTY_SEED`: a whole number of 32 bits, or `random`;
 * - `PROPERTY_RUNS`: by how much to multiply the number of runs;
 * - `PROPERTY_SECONDS`: after how long a property ends though it did not have all of those runs. What it found counts.
 */

import fc from "fast-check";

/** How a property is looked at; the rest is chosen in the environment. */
export interface PropertyOptions<Values> {
  /** How many values it is tried on, before the factor of the environment. */
  readonly numRuns?: number;
  /** Values on which it failed once. They are always tried, and come before the others. */
  readonly examples?: Values[];
  /** Reports the first counterexample as it is, where a smaller one would take too long to find. */
  readonly endOnFailure?: boolean;
}

/** What the environment chooses. */
export interface Choice {
  /** Where the values begin. */
  readonly seed: number;
  /** By how much the number of runs is multiplied. */
  readonly factor: number;
  /** After how many ms the additional runs end; `null` = with the last. */
  readonly limitMs: number | null;
}

/** The seed unless another is chosen. */
export const DEFAULT_SEED = 20;

const DEFAULT_RUNS = 100;

/** A run that is still going after so long will never end, and says so while its value is still known. */
const STUCK_MS = 120_000;

/** Reads the choice; throws a `TypeError` that names the variable which cannot be used. */
export function choose(variable: (name: string) => string | undefined): Choice {
  const seed = variable("PROPERTY_SEED") ?? `${DEFAULT_SEED}`;
  const seconds = variable("PROPERTY_SECONDS");
  const isSeed = seed === "random" || /^-?\d+$/.test(seed) && Number(seed) === (Number(seed) | 0);
  if (!isSeed) {
    throw new TypeError(`PROPERTY_SEED has to be "random" or a whole number of 32 bits: ${seed}`);
  }
  return {
    seed: seed === "random" ? Math.floor(Math.random() * 2 ** 31) : Number(seed),
    factor: positive("PROPERTY_RUNS", variable("PROPERTY_RUNS") ?? "1"),
    limitMs: seconds === undefined ? null : positive("PROPERTY_SECONDS", seconds) * 1000,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new TypeError(`${name} has to be a number above 0: ${text}`);
}

const chosen = choose((name) => Deno.env.get(name));
if (Deno.env.get("PROPERTY_SEED") === "random") console.log(`PROPERTY_SEED=${chosen.seed}`);

/** The seed of this process. */
export const SEED: number = chosen.seed;

/** How fast-check looks at a property, and after how many runs the clock may end that. */
export function searchOf<Values>(
  { numRuns: usual = DEFAULT_RUNS, examples = [], endOnFailure = false }: PropertyOptions<Values>,
  { seed, factor, limitMs }: Choice,
): { readonly parameters: fc.Parameters<Values>; readonly usualRuns: number } {
  // The examples are counted as runs.
  const numRuns = examples.length + Math.max(1, Math.round(usual * factor));
  return {
    parameters: { seed, examples, endOnFailure, numRuns, ...(limitMs !== null && { timeout: STUCK_MS }) },
    // A test may look where its usual runs went, so these are never cut short.
    usualRuns: examples.length + usual,
  };
}

/** Throws with the smallest counterexample, its seed and its path, unless the property holds for whatever it is tried on. */
export function assertProperty<Values>(
  property: fc.IAsyncProperty<Values>,
  options?: PropertyOptions<Values>,
): Promise<void>;
export function assertProperty<Values>(
  property: fc.IProperty<Values>,
  options?: PropertyOptions<Values>,
): void;
export function assertProperty<Values>(
  property: fc.IAsyncProperty<Values> | fc.IProperty<Values>,
  options: PropertyOptions<Values> = {},
): Promise<void> | void {
  const { parameters, usualRuns } = searchOf(options, chosen);
  const isOver = timeIsUp(chosen.limitMs, usualRuns, () => performance.now());
  return fc.assert(isAsync(property) ? asyncUntil(property, isOver) : until(property, isOver), parameters);
}

/** Says before each run whether no more should follow. */
export function timeIsUp(limitMs: number | null, usualRuns: number, now: () => number): () => boolean {
  if (limitMs === null) return () => false;
  const end = now() + limitMs;
  let runs = 0;
  return () => runs++ >= usualRuns && now() >= end;
}

function isAsync<Values>(
  property: fc.IAsyncProperty<Values> | fc.IProperty<Values>,
): property is fc.IAsyncProperty<Values> {
  return property.isAsync();
}

// fast-check's own limits break off in the middle of a run, which goes on and disturbs the tests that follow.
function asyncUntil<Values>(
  property: fc.IAsyncProperty<Values>,
  isOver: () => boolean,
): fc.IRawProperty<Values, true> {
  return {
    isAsync: () => true,
    generate: (random, runId) => property.generate(random, runId),
    shrink: (value) => property.shrink(value),
    run: async (value) => isOver() ? new fc.PreconditionFailure(true) : await property.run(value),
    runBeforeEach: () => property.runBeforeEach(),
    runAfterEach: () => property.runAfterEach(),
  };
}

function until<Values>(
  property: fc.IProperty<Values>,
  isOver: () => boolean,
): fc.IRawProperty<Values, false> {
  return {
    isAsync: () => false,
    generate: (random, runId) => property.generate(random, runId),
    shrink: (value) => property.shrink(value),
    run: (value) => isOver() ? new fc.PreconditionFailure(true) : property.run(value),
    runBeforeEach: () => property.runBeforeEach(),
    runAfterEach: () => property.runAfterEach(),
  };
}

/** Plays behaviours on the runtime that it runs on. */

import type { Behaviour } from "./behaviours/mod.ts";
import { type Abilities, Scene, type Surroundings } from "./scene.ts";
import { within } from "./timers.ts";

/** How one behaviour went, as plain JSON. */
export interface Result {
  /** Its name. */
  readonly name: string;
  /** Whether it was so. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** What went wrong. */
  readonly error?: string;
  /** What the runtime does not have. */
  readonly lacks?: keyof Abilities;
}

/** Far longer than any of them takes. */
const LIMIT_MS = 90_000;

/** Plays one behaviour. */
export async function play({ name, needs, run }: Behaviour, surroundings: Surroundings): Promise<Result> {
  if (needs !== undefined && surroundings.abilities[needs] === undefined) {
    return { name, outcome: "skipped", lacks: needs };
  }
  const scene = new Scene(surroundings);
  try {
    await within(LIMIT_MS, run(scene));
    await scene.end(true);
    return { name, outcome: "passed" };
  } catch (error) {
    await scene.end(false).catch(() => {});
    return {
      name,
      outcome: "failed",
      error: error instanceof Error ? error.stack ?? error.message : `${error}`,
    };
  }
}

/** Applies `act` to each item, a few at a time. */
export async function fewAtATime<Item>(
  items: readonly Item[],
  act: (item: Item) => Promise<void>,
): Promise<void> {
  const waiting = items.values();
  const worker = async () => {
    for (const item of waiting) await act(item);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

const AT_A_TIME = 6;

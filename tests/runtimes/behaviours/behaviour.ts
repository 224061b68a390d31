/** What the contract suite consists of. */

import type { Abilities, Scene } from "../scene.ts";

/** One thing that has to be so on every runtime, or on each that has what it needs. */
export interface Behaviour {
  /** What happens, in a few words: a row of the matrix. */
  readonly name: string;
  /** What only some runtimes have. */
  readonly needs?: keyof Abilities;
  /** Plays it; throws if it is not so. Public entry points and Web standards only. */
  readonly run: (scene: Scene) => Promise<void>;
}

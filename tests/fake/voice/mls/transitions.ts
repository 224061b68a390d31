/** DAVE transitions: announced with a number, confirmed by op 23, executed by op 22. */

import { VoiceOpcode } from "../../../../voice/wire/opcode.ts";
import { type DaveFaults, takeDaveFault } from "./dave_faults.ts";

interface Transition {
  readonly version: number;
  readonly waiting: Set<string>;
  readonly told: readonly string[];
  readonly executeBy: number;
}

/** What transitions are made from. */
export interface DaveTransitionsOptions {
  /** What goes wrong. */
  readonly faults: DaveFaults;
  /** How long a transition may wait for its confirmations, in ms. */
  readonly transitionTimeoutMs: number;
  /** The present, in ms. */
  readonly now: () => number;
  /** Sends a JSON message to a user. */
  readonly send: (userId: string, op: number, d: unknown) => void;
  /** A transition was executed: the call has this version. */
  readonly executed: (version: number) => void;
}

/** The transitions of one call. */
export class DaveTransitions {
  readonly #options: DaveTransitionsOptions;
  readonly #transitions = new Map<number, Transition>();
  #last = 0;

  /** There are none. */
  constructor(options: DaveTransitionsOptions) {
    this.#options = options;
  }

  /** How many wait for their execution. */
  get pending(): number {
    return this.#transitions.size;
  }

  /** When the first of them is executed without all confirmations, in ms; `Infinity` without one. */
  get deadline(): number {
    return Math.min(...[...this.#transitions.values()].map(({ executeBy }) => executeBy), Infinity);
  }

  /** Announces a transition to users. */
  start(
    userIds: readonly string[],
    version: number,
    tell: (userId: string, transitionId: number) => void,
  ): void {
    const id = this.#last = this.#last % 0xffff + 1;
    const executeBy = this.#options.now() + this.#options.transitionTimeoutMs;
    this.#transitions.set(id, { version, waiting: new Set(userIds), told: userIds, executeBy });
    for (const userId of userIds) tell(userId, id);
    this.#executeIfReady(id);
  }

  /** A user has confirmed a transition; `false` if it was never prepared. */
  confirm(userId: string, transitionId: number): boolean {
    if (transitionId === 0 || transitionId > this.#last) return false;
    this.#transitions.get(transitionId)?.waiting.delete(userId);
    this.#executeIfReady(transitionId);
    return true;
  }

  /** A user will confirm nothing any more. */
  forget(userId: string): void {
    for (const [id, { waiting }] of this.#transitions) {
      waiting.delete(userId);
      this.#executeIfReady(id);
    }
  }

  /** Executes those that have waited too long. */
  tick(now: number): void {
    for (const [id, { executeBy }] of this.#transitions) if (now >= executeBy) this.#execute(id);
  }

  /** Forgets all of them. */
  clear(): void {
    this.#transitions.clear();
  }

  #executeIfReady(id: number): void {
    if (this.#transitions.get(id)?.waiting.size === 0) this.#execute(id);
  }

  #execute(id: number): void {
    const transition = this.#transitions.get(id);
    this.#transitions.delete(id);
    if (!transition || takeDaveFault(this.#options.faults, "silentExecute")) return;
    for (const userId of transition.told) {
      this.#options.send(userId, VoiceOpcode.DaveExecuteTransition, { transition_id: id });
    }
    this.#options.executed(transition.version);
  }
}

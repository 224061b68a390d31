/**
 * Listeners get events besides the consumer: other parts of the program, such as a voice connection.
 *
 * They get each event as it comes in, before the queue does, and it need not be among the events that the user named.
 */

import type { EventName, GatewayDispatch } from "../../gateway/mod.ts";
import type { WantedNames } from "./wanted_names.ts";

interface Listener {
  readonly names: ReadonlySet<string>;
  readonly notify: (event: GatewayDispatch) => void;
}

/** All listeners of one shard. */
export class Listeners {
  readonly #listeners = new Set<Listener>();
  readonly #wanted: WantedNames;

  /** There are no listeners yet. Their events are added to the wanted names. */
  constructor(wanted: WantedNames) {
    this.#wanted = wanted;
  }

  /** Adds a listener; returns the function that removes it. */
  add<Name extends EventName>(
    names: readonly Name[],
    listener: (event: GatewayDispatch<Name>) => void,
  ): () => void {
    const entry: Listener = {
      names: new Set(names),
      // Only events of these names are passed on.
      notify: (event) => listener(event as GatewayDispatch<Name>),
    };
    const unwant = this.#wanted.want(names);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
      unwant();
    };
  }

  /** Passes an event to its listeners. */
  offer(event: GatewayDispatch): void {
    for (const { names, notify } of this.#listeners) if (names.has(event.t)) notify(event);
  }
}

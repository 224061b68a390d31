/**
 * Who hears events besides the consumer: parts that live next to it, such as a voice connection.
 *
 * They hear them as they come in, ahead of the queue, and need not be among the events that the user named.
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

  /** Nobody listens yet. What is listened to is added to the names that are wanted. */
  constructor(wanted: WantedNames) {
    this.#wanted = wanted;
  }

  /** Listens; returns how to stop. */
  add<Name extends EventName>(
    names: readonly Name[],
    hear: (event: GatewayDispatch<Name>) => void,
  ): () => void {
    const listener: Listener = {
      names: new Set(names),
      // Only events of these names are handed on.
      notify: (event) => hear(event as GatewayDispatch<Name>),
    };
    const unwant = this.#wanted.want(names);
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      unwant();
    };
  }

  /** An event came. */
  offer(event: GatewayDispatch): void {
    for (const { names, notify } of this.#listeners) if (names.has(event.t)) notify(event);
  }
}

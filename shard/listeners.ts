/**
 * Who hears events besides the consumer: parts that live next to it, such as a voice connection.
 *
 * They hear them as they come in, ahead of the queue, and need not be among the events that the user named.
 */

import type { EventName, GatewayDispatch } from "../gateway/mod.ts";

interface Listener {
  readonly names: ReadonlySet<string>;
  readonly hear: (event: GatewayDispatch) => void;
}

/** All listeners of one shard. */
export class Listeners {
  readonly #listeners = new Set<Listener>();
  readonly #wanted: Set<string> | null;
  readonly #userWants: ReadonlySet<string>;

  /**
   * Nobody listens yet.
   *
   * @param wanted The names that the connection hands out, `null` = all; what is listened to is added.
   */
  constructor(wanted: Set<string> | null) {
    this.#wanted = wanted;
    this.#userWants = new Set(wanted ?? []);
  }

  /** Listens; returns how to stop. */
  add<Name extends EventName>(
    names: readonly Name[],
    hear: (event: GatewayDispatch<Name>) => void,
  ): () => void {
    const wanted = new Set<string>(names);
    // Only events of these names are handed on.
    const listener: Listener = { names: wanted, hear: (event) => hear(event as GatewayDispatch<Name>) };
    this.#listeners.add(listener);
    for (const name of wanted) this.#wanted?.add(name);
    return () => {
      if (!this.#listeners.delete(listener)) return;
      for (const name of wanted) {
        const stillWanted = this.#userWants.has(name) ||
          [...this.#listeners].some(({ names }) => names.has(name));
        if (!stillWanted) this.#wanted?.delete(name);
      }
    };
  }

  /** An event came. */
  offer(event: GatewayDispatch): void {
    for (const { names, hear } of this.#listeners) if (names.has(event.t)) hear(event);
  }
}

/** Listeners of a slot: they follow it from one shard to the next. */

import type { GuildGatewayEvent } from "../voice_provider.ts";
import type { AnyShard } from "./options.ts";

interface Entry {
  readonly names: readonly GuildGatewayEvent["t"][];
  readonly listener: (event: GuildGatewayEvent) => void;
  stop: () => void;
}

/** Takes events besides the consumer, of whatever shard is in the slot. */
export class SlotListeners {
  readonly #entries = new Set<Entry>();

  /** Listens on the shard that is in the slot now, and on those that follow; returns how to stop that. */
  add(shard: AnyShard, names: Entry["names"], listener: Entry["listener"]): () => void {
    const entry: Entry = { names, listener, stop: listenOn(shard, { names, listener }) };
    this.#entries.add(entry);
    return () => {
      this.#entries.delete(entry);
      entry.stop();
    };
  }

  /** Another shard has come into the slot. */
  follow(shard: AnyShard): void {
    for (const entry of this.#entries) {
      entry.stop();
      entry.stop = listenOn(shard, entry);
    }
  }
}

function listenOn(shard: AnyShard, { names, listener }: Pick<Entry, "names" | "listener">): () => void {
  return shard.listen<GuildGatewayEvent["t"]>(names, listener);
}

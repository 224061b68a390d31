/**
 * Which events the connection delivers: those that the user named, and those that a listener or a request wants.
 *
 * Wants are counted: a listener and an open request may want the same name, and one of them ends first.
 */

/** The wanted names of one shard. */
export class WantedNames {
  /** The current names, read by the connection's state; `null` = every event is wanted. */
  readonly names: ReadonlySet<string> | null;
  readonly #names: Set<string> | null;
  /** How many want each name. */
  readonly #wants = new Map<string, number>();

  /** Begins with names that are always wanted; `null` = all. */
  constructor(names: Iterable<string> | null) {
    this.names = this.#names = names && new Set<string>();
    this.want(names ?? []);
  }

  /** Also wants these names; returns the function that ends it. */
  want(names: Iterable<string>): () => void {
    const own = new Set(names);
    for (const name of own) this.#count(name, 1);
    return () => {
      for (const name of own) this.#count(name, -1);
      own.clear();
    };
  }

  #count(name: string, by: number): void {
    const wants = (this.#wants.get(name) ?? 0) + by;
    this.#wants.set(name, wants);
    if (wants > 0) this.#names?.add(name);
    else this.#names?.delete(name);
  }
}

/** Orders that take several turns of the event loop, one after the other. */

/** Runs each order when the one before has settled. */
export class InOrder {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs an order; settles as it does. */
  run<T>(order: () => Promise<T>): Promise<T> {
    const done = this.#last.then(order);
    this.#last = done.catch(() => {});
    return done;
  }
}

/** Runs asynchronous work one at a time, in the order of the calls. */

/** A queue of asynchronous work. */
export class InOrder {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` once all earlier work has settled; settles as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}

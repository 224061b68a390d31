/** What a caller gives to a request and gets from it: options, and the responses as they come. */

/** Options of every request. */
export interface RequestOptions {
  /** Ends the request at any time; the iterator throws the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * How long to wait for the next response, in ms, from the moment the command was written and from each response.
   * `Infinity` waits as long as it takes.
   *
   * @default {30_000}
   */
  readonly deadlineMs?: number;
  /**
   * Commands of high priority go before those of low priority.
   *
   * @default {"low"}
   */
  readonly priority?: "high" | "low";
}

/**
 * The responses to a request as they come: for `for await`, or `Array.fromAsync`.
 *
 * Leaving the loop ends the request; so does `return()`, also while it waits for a response.
 */
export interface ResponseIterator<Item> extends AsyncIterableIterator<Item, void, void>, AsyncDisposable {
  /** The next response. */
  next(): Promise<IteratorResult<Item, void>>;
  /** Ends the request. */
  return(): Promise<IteratorResult<Item, void>>;
  /** The same object. */
  [Symbol.asyncIterator](): ResponseIterator<Item>;
  /** Ends the request. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The responses of a generator. `stop` ends it at once; its own `return()` would wait until the pending `next()` settles. */
export function responseIterator<Item>(
  generator: AsyncGenerator<Item, void, void>,
  stop: () => void,
): ResponseIterator<Item> {
  const responses: ResponseIterator<Item> = {
    next: () => generator.next(),
    return: () => {
      stop();
      return generator.return();
    },
    [Symbol.asyncIterator]: () => responses,
    [Symbol.asyncDispose]: async () => {
      await responses.return();
    },
  };
  return responses;
}

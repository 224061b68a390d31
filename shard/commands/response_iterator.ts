/** What whoever asks Discord something gives and gets: options, and the answers as they come. */

/** Options of every request. */
export interface RequestOptions {
  /** Ends the request at any time; the iterator throws the signal's reason. */
  readonly signal?: AbortSignal;
  /**
   * How long to wait for the next answer, in ms, from the moment the command was written and from each answer.
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
 * The answers to a request as they come: for `for await`, or `Array.fromAsync`.
 *
 * Leaving the loop ends the request; so does `return()`, also while an answer is waited for.
 */
export interface ResponseIterator<Answer> extends AsyncIterableIterator<Answer, void, void>, AsyncDisposable {
  /** The next answer. */
  next(): Promise<IteratorResult<Answer, void>>;
  /** Ends the request. */
  return(): Promise<IteratorResult<Answer, void>>;
  /** The same object. */
  [Symbol.asyncIterator](): ResponseIterator<Answer>;
  /** Ends the request. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Answers out of a generator that `stop` ends, also in the midst of a wait: by itself it would first wait to its end. */
export function answersOf<Answer>(
  generator: AsyncGenerator<Answer, void, void>,
  stop: () => void,
): ResponseIterator<Answer> {
  const answers: ResponseIterator<Answer> = {
    next: () => generator.next(),
    return: () => {
      stop();
      return generator.return();
    },
    [Symbol.asyncIterator]: () => answers,
    [Symbol.asyncDispose]: async () => {
      await answers.return();
    },
  };
  return answers;
}

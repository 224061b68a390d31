/** Events as a stream. */

/** Pulls from `iterator` whenever the stream is pulled from; cancelling the stream ends the iteration. */
export function eventStream<Event>(iterator: AsyncIterator<Event, void>): ReadableStream<Event> {
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: async () => {
      await iterator.return?.();
    },
  }, { highWaterMark: 0 });
}

/**
 * A status stream with many watchers: one status is requested for all of them, and none without watchers.
 *
 * Each status is a request to every shard, so a large fleet is asked less often.
 */

const EVERY_MS = 1_000;
const EVERY_MS_PER_SHARD = 25;
/** After a longer silence the page treats the connection as lost. */
const EVERY_MS_AT_MOST = 10_000;
/** A watcher with more unread statuses has disconnected; not every runtime reports that. */
const UNREAD_AT_MOST = 5;

/** Server-sent events for any number of watchers. */
export class StatusStream {
  readonly #status: () => Promise<{ readonly shards: readonly unknown[] }>;
  readonly #watchers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #last: Uint8Array | null = null;
  #isAsking = false;

  /** Creates a stream of what `status` returns. */
  constructor(status: () => Promise<{ readonly shards: readonly unknown[] }>) {
    this.#status = status;
  }

  /** Adds a watcher, and returns its stream of server-sent events. */
  response(): Response {
    let own: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        own = controller;
        if (this.#last) own.enqueue(this.#last);
        this.#watchers.add(own);
        if (!this.#isAsking) void this.#ask();
      },
      cancel: () => {
        this.#watchers.delete(own);
      },
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    while (this.#watchers.size > 0) {
      let status;
      try {
        status = await this.#status();
      } catch (error) {
        // The pages reconnect by themselves.
        this.#each((watcher) => {
          watcher.error(error);
          this.#watchers.delete(watcher);
        });
        break;
      }
      const bytes = this.#last = new TextEncoder().encode(`data: ${JSON.stringify(status)}\n\n`);
      this.#each((watcher) => {
        watcher.enqueue(bytes);
        if ((watcher.desiredSize ?? 0) > -UNREAD_AT_MOST) return;
        this.#watchers.delete(watcher);
        watcher.error(new Error("Cannot continue the stream: it is not read"));
      });
      const everyMs = Math.max(EVERY_MS, status.shards.length * EVERY_MS_PER_SHARD);
      await new Promise((resolve) => setTimeout(resolve, Math.min(everyMs, EVERY_MS_AT_MOST)));
    }
    this.#isAsking = false;
    this.#last = null;
  }

  #each(act: (watcher: ReadableStreamDefaultController<Uint8Array>) => void): void {
    for (const watcher of this.#watchers) {
      try {
        act(watcher);
      } catch {
        // The watcher has disconnected in the meantime.
        this.#watchers.delete(watcher);
      }
    }
  }
}

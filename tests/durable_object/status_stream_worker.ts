/** The worker of `status_stream_test.ts`: an object that streams its status and counts its requests. */

import { StatusStream } from "../../examples/durable_object/status_stream.ts";

/** Bindings. */
export interface Env {
  /** The one object. */
  readonly WATCHED: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

/** The object. */
export class Watched {
  #asked = 0;
  readonly #stream = new StatusStream(() => Promise.resolve({ shards: [], asked: ++this.#asked }));

  /** `/stream` is the stream, any other path returns the count. */
  fetch(request: Request): Response {
    return new URL(request.url).pathname === "/stream" ? this.#stream.response() : Response.json(this.#asked);
  }
}

export default {
  /** Forwards every request to the object. */
  fetch(request: Request, env: Env): Promise<Response> {
    return env.WATCHED.get(env.WATCHED.idFromName("watched")).fetch(request);
  },
};

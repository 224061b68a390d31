/**
 * The fake without a port: a dial and a fetch that stay in memory.
 *
 * As with a real socket, nothing arrives in the turn in which it was sent: frames come one by one, with turns in
 * between for whoever handles them, then the end.
 */

import { type Connection, Pipe } from "../../../shard/pipe/connection.ts";
import { type Dial, DialError } from "../../../shard/pipe/dial.ts";
import type { Backend, LinkInput } from "./backend.ts";
import type { GatewayPort } from "../gateway/links.ts";
import { toResponse } from "../rest/rest.ts";

/** What `GET /gateway/bot` names in memory. */
export const MEMORY_GATEWAY_URL = "wss://gateway.fake.invalid";
/** What READY names in memory. */
export const MEMORY_RESUME_URL = "wss://resume.gateway.fake.invalid";

const DEFAULT_DIAL_DEADLINE_MS = 30_000;
/** How many promise turns a client has between two frames. */
const TURNS_BETWEEN_FRAMES = 8;

/** A dial that leads to the fake, whatever the host in the URL. */
export function memoryDial(backend: Backend): Dial {
  return async (url, { signal, deadlineMs = DEFAULT_DIAL_DEADLINE_MS } = {}) => {
    const aborted = () =>
      new DialError("Cannot dial: aborted", { code: "ERR_DIAL_ABORTED", cause: signal?.reason });
    if (signal?.aborted) throw aborted();
    if (!URL.canParse(url)) throw new DialError("Cannot dial: this is no URL", { code: "ERR_DIAL_FAILED" });
    const fate = backend.dialFate(url);
    if (typeof fate === "number") {
      throw new DialError(`Cannot dial: the server answered with HTTP ${fate}`, { code: "ERR_DIAL_FAILED" });
    }
    if (fate === "black hole") return await blackHole(backend, deadlineMs, signal, aborted);
    return new MemoryPort(backend, url).connection;
  };
}

function blackHole(
  { clock }: Backend,
  deadlineMs: number,
  signal: AbortSignal | undefined,
  aborted: () => DialError,
): Promise<never> {
  return new Promise((_, reject) => {
    const onAbort = () => {
      clock.clearTimeout(timer);
      reject(aborted());
    };
    const timer = clock.setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      reject(new DialError(`Cannot dial: no response within ${deadlineMs} ms`, { code: "ERR_DIAL_TIMEOUT" }));
    }, deadlineMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** A frame, or the end. */
type Item = string | Uint8Array | { readonly code: number | null; readonly reason: string };

class MemoryPort implements GatewayPort {
  readonly #pipe: Pipe;
  readonly #input: LinkInput;
  #outbox: Item[] = [];
  #delivering = false;
  #deaf = false;

  constructor(backend: Backend, url: string) {
    this.#pipe = new Pipe({
      send: (frame) => this.#input.receive(frame),
      close: (code, reason) => {
        this.#outbox = [];
        this.#input.closed(code, reason);
      },
    });
    this.#input = backend.connect(this, { url, resumeUrl: MEMORY_RESUME_URL });
  }

  get connection(): Connection {
    return this.#pipe;
  }

  send(frame: string | Uint8Array): void {
    this.#put(frame);
  }

  close(code: number, reason: string): void {
    this.#put({ code, reason });
  }

  cut(): void {
    this.#put({ code: null, reason: "" });
  }

  stall(): void {
    this.#deaf = true;
    this.#outbox = [];
  }

  #put(item: Item): void {
    if (this.#deaf) return;
    this.#outbox.push(item);
    if (this.#delivering) return;
    this.#delivering = true;
    void this.#deliver();
  }

  async #deliver(): Promise<void> {
    for (let batch = this.#outbox; batch.length > 0; batch = this.#outbox) {
      for (const item of batch) {
        for (let turn = 0; turn < TURNS_BETWEEN_FRAMES; turn++) await null;
        // The client has closed or the connection has stalled meanwhile: what was under way is lost.
        if (this.#outbox !== batch) break;
        if (typeof item === "string" || item instanceof Uint8Array) this.#pipe.push(item);
        else this.#pipe.finish({ ...item, by: "remote" });
      }
      // All that was put while it was delivered is in the same array, and was delivered with it.
      if (this.#outbox === batch) this.#outbox = [];
    }
    this.#delivering = false;
  }
}

/** A `fetch` that leads to the fake's REST API, whatever the host in the URL. */
export function memoryFetch(backend: Backend): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    request.signal.throwIfAborted();
    const { pathname } = new URL(request.url);
    const response = backend.rest({
      method: request.method,
      path: pathname,
      authorization: request.headers.get("authorization"),
      body: await request.text(),
    }, MEMORY_GATEWAY_URL);
    return toResponse(response);
  };
}

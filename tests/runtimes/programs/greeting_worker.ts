/** The least worker with a Durable Object: it says on what it runs, and how often it was asked. */

interface Storage {
  readonly kv: { get(key: string): unknown; put(key: string, value: unknown): void };
}

/** Counts. */
export class Counter {
  readonly #storage: Storage;

  /** Made by the runtime. */
  constructor({ storage }: { readonly storage: Storage }) {
    this.#storage = storage;
  }

  /** Answers. */
  fetch(): Response {
    const count = Number(this.#storage.kv.get("count") ?? 0) + 1;
    this.#storage.kv.put("count", count);
    return new Response(`${navigator.userAgent} ${count}`);
  }
}

interface Environment {
  readonly COUNTER: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

const worker: { fetch(request: Request, environment: Environment): Promise<Response> } = {
  fetch: (request, { COUNTER }) => COUNTER.get(COUNTER.idFromName("the one")).fetch(request),
};

export default worker;

/** The contract over a real Durable Object's storage, in workerd. */

import { DurableObjectSessionStore, SESSION_KEY } from "@discordgateway/edge/stores";
import type { DurableObjectStateLike } from "@discordgateway/edge/durable-object";
import { brokenRules, SPOILT_VALUE } from "./contract.ts";

interface Env {
  readonly STORE: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

/** An object that puts its own storage to the test. */
export class Store {
  readonly #ctx: DurableObjectStateLike;

  /** As Cloudflare makes it. */
  constructor(ctx: DurableObjectStateLike) {
    this.#ctx = ctx;
  }

  /** Answers with the broken rules. */
  async fetch(): Promise<Response> {
    const { kv } = this.#ctx.storage;
    return Response.json(
      await brokenRules({
        open: () => new DurableObjectSessionStore(kv),
        spoil: (what) => kv.put(SESSION_KEY, SPOILT_VALUE[what]),
      }),
    );
  }
}

export default {
  /** Asks the one object. */
  fetch(request: Request, env: Env): Promise<Response> {
    return env.STORE.get(env.STORE.idFromName("store")).fetch(request);
  },
};

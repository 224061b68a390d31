/** The suite in a Durable Object: each request plays the behaviour that its path counts, and answers with the result. */

import { BEHAVIOURS } from "../behaviours/mod.ts";
import { play } from "../runner.ts";

/** Where a shard would live. */
export class Suite {
  /** Plays one. */
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const behaviour = BEHAVIOURS[Number(pathname.slice(1))];
    if (!behaviour) return new Response("there is no such behaviour", { status: 404 });
    return Response.json(
      await play(behaviour, { control: searchParams.get("control") ?? "", abilities: {} }),
    );
  }
}

interface Environment {
  readonly SUITE: {
    idFromName(name: string): unknown;
    get(id: unknown): { fetch(request: Request): Promise<Response> };
  };
}

const worker: { fetch(request: Request, environment: Environment): Promise<Response> } = {
  fetch: (request, { SUITE }) => SUITE.get(SUITE.idFromName("the one")).fetch(request),
};

export default worker;

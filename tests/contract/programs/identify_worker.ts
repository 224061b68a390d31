/**
 * workerd with coordinators in it, as a user would write them, and doors to them. Prints its URL; SIGTERM ends both.
 *
 * Its argument is the folder in which the objects keep what they have.
 */

import { Miniflare } from "miniflare";
import { bundle } from "../../runtimes/bundle.ts";

/** What only workerd can load: it imports `cloudflare:workers`. */
const WORKER = `
import { DurableObject } from "cloudflare:workers";
import { DurableObjectIdentifyLimiter, IdentifyCoordinator } from "./package.js";

export class Identifies extends DurableObject {
  #coordinator = new IdentifyCoordinator(this.ctx);
  exchange(request) { return this.#coordinator.exchange(request); }
  die() { this.ctx.abort("sabotage"); }
}

export class PlainIdentifies {
  #coordinator;
  constructor(state) { this.#coordinator = new IdentifyCoordinator(state); }
  fetch(request) { return this.#coordinator.fetch(request); }
}

export default {
  async fetch(request, env) {
    const [, door, name] = new URL(request.url).pathname.split("/");
    const stub = (namespace) => namespace.get(namespace.idFromName(name));
    if (door === "rpc") return Response.json(await stub(env.IDENTIFIES).exchange(await request.json()));
    if (door === "plain") return await stub(env.PLAIN).fetch(request);
    if (door === "die") return Response.json(await stub(env.IDENTIFIES).die().catch(String));
    // "take": what a shard in a Worker would do.
    const { shardIds, ...options } = await request.json();
    const limiter = new DurableObjectIdentifyLimiter(env.IDENTIFIES, { name, ...options });
    const order = [];
    await Promise.all(shardIds.map(async (shardId) => {
      await limiter.take(shardId);
      order.push(shardId);
    }));
    return Response.json(order);
  },
};
`;

const [folder = ""] = Deno.args;
const miniflare = new Miniflare({
  compatibilityDate: "2026-07-30",
  modules: [
    { type: "ESModule", path: "worker.js", contents: WORKER },
    {
      type: "ESModule",
      path: "package.js",
      contents: await bundle("ratelimit/identify/durable_object.ts"),
    },
  ],
  durableObjects: {
    IDENTIFIES: { className: "Identifies", useSQLite: true },
    PLAIN: { className: "PlainIdentifies", useSQLite: true },
  },
  durableObjectsPersist: folder,
});
Deno.addSignalListener("SIGTERM", async () => {
  await miniflare.dispose();
  Deno.exit();
});
console.log((await miniflare.ready).href);

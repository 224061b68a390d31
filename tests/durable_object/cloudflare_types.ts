/**
 * Cloudflare's own types are assignable to what a host and a store take. For the TypeScript compiler with
 * `@cloudflare/workers-types` in scope (`deno task ok portable`); Deno excludes this file, since it lacks those globals.
 */

import { ShardHost } from "../../shard/durable_object/mod.ts";
import { DurableObjectSessionStore } from "../../shard/stores/mod.ts";

/** As a user writes it; never called. */
export function hosted(ctx: DurableObjectState): ShardHost<"MESSAGE_CREATE"> {
  return new ShardHost(ctx, {
    token: "bot token",
    guildEvents: ["MESSAGE_CREATE"],
    handler: async (event, { signal }) => {
      if (event.t === "MESSAGE_CREATE") {
        await fetch(`https://example.com/${event.d.content}`, { method: "POST", signal });
      }
    },
  });
}

/** A store on Cloudflare's storage; never called. */
export function stored({ storage }: DurableObjectState): DurableObjectSessionStore {
  return new DurableObjectSessionStore(storage.kv, { key: "shard 0" });
}

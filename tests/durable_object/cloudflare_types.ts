/**
 * What Cloudflare's own types say is what a host and a store take. For the TypeScript compiler with
 * `@cloudflare/workers-types` in scope (`deno task ok portable`); those globals are none of Deno's, which leaves this file out.
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

/** A store of the real thing; never called. */
export function stored({ storage }: DurableObjectState): DurableObjectSessionStore {
  return new DurableObjectSessionStore(storage.kv, { key: "shard 0" });
}

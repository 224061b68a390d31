/** The contract over a real Deno KV, in a process of its own: it needs `--unstable-kv`. Prints the broken rules as JSON. */

import { type DenoKvLike, DenoKvSessionStore, SESSION_KEY } from "../../../shard/stores/mod.ts";
import { brokenRules, SPOILT_VALUE } from "./contract.ts";

interface Kv extends DenoKvLike {
  close(): void;
}

const { openKv }: { openKv?: (path: string) => Promise<Kv> } = Deno;
if (openKv === undefined) throw new Error("Run with --unstable-kv");
const [path = ":memory:"] = Deno.args;
const kv = await openKv(path);
const broken = await brokenRules({
  open: () => new DenoKvSessionStore(kv),
  spoil: async (what) => {
    await kv.set([SESSION_KEY], SPOILT_VALUE[what]);
  },
});
kv.close();
console.log(JSON.stringify(broken));

/** The contract in workerd, started from a process of its own: Miniflare leaves things behind. Prints the broken rules. */

import { Miniflare } from "miniflare";
import { bundle } from "../../runtimes/bundle.ts";

const miniflare = new Miniflare({
  modules: true,
  script: await bundle("tests/shard/stores/worker.ts"),
  compatibilityDate: "2026-07-30",
  durableObjects: { STORE: { className: "Store", useSQLite: true } },
});
const response = await fetch(await miniflare.ready);
console.log(await response.text());
await miniflare.dispose();

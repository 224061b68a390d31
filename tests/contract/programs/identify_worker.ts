/**
 * workerd with the worker of the Durable Object tests. Prints its URL; SIGTERM ends both.
 *
 * Its argument is the folder in which the objects keep what they have.
 */

import { serveWorker } from "../identify_worker.ts";

const [folder = ""] = Deno.args;
const miniflare = await serveWorker(folder);
Deno.addSignalListener("SIGTERM", async () => {
  await miniflare.dispose();
  Deno.exit();
});
console.log((await miniflare.ready).href);

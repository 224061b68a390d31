/** Runs one worker in miniflare: its description comes as a line on stdin, its URL goes out, and the end of stdin ends it. */

import { Miniflare } from "miniflare";

interface Description {
  readonly script: string;
  readonly compatibilityDate: string;
  readonly compatibilityFlags?: string[];
  readonly durableObjects?: Record<string, string>;
  readonly bindings?: Record<string, string>;
  readonly persist?: string;
  readonly trustedCertificates?: string[];
}

const input = Deno.stdin.readable.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
let text = "";
while (!text.includes("\n")) {
  const { done, value } = await input.next();
  if (done) throw new Error("Cannot start workerd: no description came");
  text += value;
}
const { script, durableObjects = {}, persist, trustedCertificates, ...rest }: Description = JSON.parse(text);
const miniflare = new Miniflare({
  // Listed rather than searched for: what the bundle has left outside is the runtime's own.
  modules: [{ type: "ESModule", path: "worker.mjs", contents: script }],
  ...rest,
  durableObjects: Object.fromEntries(
    Object.entries(durableObjects).map(([name, className]) => [name, { className, useSQLite: true }]),
  ),
  ...(persist !== undefined && { durableObjectsPersist: persist }),
  ...(trustedCertificates && {
    outboundService: {
      network: { allow: ["public", "private"], tlsOptions: { trustBrowserCas: true, trustedCertificates } },
    },
  }),
});
console.log((await miniflare.ready).href);
while (!(await input.next()).done);
await miniflare.dispose();
Deno.exit(0);

/** workerd, the runtime of Cloudflare Workers: the suite in a Durable Object. */

import { AFTERWARDS, BEHAVIOURS, TOGETHER } from "./behaviours/mod.ts";
import { fewAtATime, type Result } from "./runner.ts";
import { NO_WORD_OF_CERTIFICATES, type Runtime } from "./runtime.ts";
import { COMPATIBILITY_DATE, WorkerdServer } from "./workerd_server.ts";

/** workerd. */
export const workerd: Runtime = {
  name: `workerd ${COMPATIBILITY_DATE}`,
  lacks: {
    ws: "a worker's WebSocket is the runtime's own",
    setEnvironment: "a worker has bindings instead",
    disk: "a worker has no disk",
    dialNamesCertificate: NO_WORD_OF_CERTIFICATES,
    fetchNamesCertificate: "its fetch does not either",
    process: "a worker has no process of its own",
  },
  run: async ({ url: control, certificate }, report) => {
    await using server = await WorkerdServer.start("tests/runtimes/programs/suite_worker.ts", {
      durableObjects: { SUITE: "Suite" },
      trustedCertificates: [certificate],
    });
    const play = async (name: string, index: number): Promise<Result> => {
      const response = await fetch(new URL(`${index}?control=${encodeURIComponent(control)}`, server.url));
      const text = await response.text();
      return response.ok ? JSON.parse(text) : { name, outcome: "failed", error: text };
    };
    const playOne = async (behaviour: (typeof BEHAVIOURS)[number]) =>
      report(await play(behaviour.name, BEHAVIOURS.indexOf(behaviour)));
    await fewAtATime(TOGETHER, playOne);
    for (const behaviour of AFTERWARDS) await playOne(behaviour);
  },
};

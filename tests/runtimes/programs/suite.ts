/**
 * The suite as a program, for every runtime that has processes: a line of JSON for each behaviour, and then it has to end
 * by itself.
 *
 * Arguments: the URL of the remote control, the path of npm's `ws`, then "injected" where that is to be the WebSocket of
 * all behaviours, and "dialNamesCertificate" where the WebSocket says that it was the certificate.
 */

import * as files from "node:fs/promises";
import { tmpdir } from "node:os";
import process from "node:process";
import { AFTERWARDS, TOGETHER } from "../behaviours/mod.ts";
import { fewAtATime, play } from "../runner.ts";
import type { Surroundings } from "../scene.ts";

const [control = "", wsPath = "", ...words] = process.argv.slice(2);
const { default: ws } = await import(wsPath);
const surroundings: Surroundings = {
  control,
  abilities: {
    ws,
    setEnvironment: (name, value) => process.env[name] = value,
    disk: { folder: await files.mkdtemp(`${tmpdir()}/suite-`), files },
    fetchNamesCertificate: true,
    ...(words.includes("dialNamesCertificate") && { dialNamesCertificate: true }),
  },
  ...(words.includes("injected") && { WebSocket: ws }),
};
const report = (result: unknown) => console.log(JSON.stringify(result));

await fewAtATime(TOGETHER, async (behaviour) => report(await play(behaviour, surroundings)));
for (const behaviour of AFTERWARDS) report(await play(behaviour, surroundings));
await files.rm(surroundings.abilities.disk?.folder ?? "", { recursive: true });
report("over");

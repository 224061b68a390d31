/**
 * `deno task cost:voice`: what a packet of sound costs on each runtime with UDP, in microseconds, next to @discordjs/voice.
 *
 * A frame of 160 bytes, encrypted end to end by davey, sealed, and sent on the loopback. 50 packets go out between two
 * turns of the event loop, and those turns count. A packet is due every 20,000 µs.
 */

import { FakeDiscord } from "../fake/mod.ts";
import { bundle } from "../runtimes/bundle.ts";
import { npmBinary, VERSIONS } from "../runtimes/npm_binary.ts";
import { selfSigned } from "./certificate.ts";

interface Cost {
  readonly daveUs: number;
  readonly gcmUs: number;
  readonly xChaChaUs: number;
  readonly sendUs: number;
}

const PACKAGES = { "@discordjs/voice": "0.19.2", "@snazzah/davey": "0.1.12" };
const PEER = "discordjs_voice_cost.mjs";

if (import.meta.main) {
  const home = await installed();
  try {
    const runtimes = [
      [`Deno ${Deno.version.deno}`, Deno.execPath(), ["run", "-A", "--no-lock", "voice_cost.mjs"]],
      [`Bun ${VERSIONS.bun}`, await npmBinary("bun"), ["voice_cost.mjs"]],
      [`Node ${VERSIONS.node}`, await npmBinary("node"), ["voice_cost.mjs"]],
    ] as const;
    console.log("µs for a packet | DAVE | AES-256-GCM | XChaCha20 | send | all, AES | all, XChaCha20");
    for (const [name, program, args] of runtimes) {
      const { daveUs, gcmUs, xChaChaUs, sendUs }: Cost = await run(home, program, args);
      const columns = [
        daveUs,
        gcmUs,
        xChaChaUs,
        sendUs,
        daveUs + gcmUs + sendUs,
        daveUs + xChaChaUs + sendUs,
      ];
      console.log([name, ...columns.map((us) => us.toFixed(1))].join(" | "));
    }
    const { us } = await peerCost(home);
    const name = `@discordjs/voice ${PACKAGES["@discordjs/voice"]} on Node ${VERSIONS.node}, AES-256-GCM`;
    console.log(`${name}: all ${us.toFixed(1)}`);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** A folder with both programs, and the packages that they import. */
async function installed(): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "voice-cost-" });
  await Deno.writeTextFile(
    `${home}/package.json`,
    JSON.stringify({ type: "module", dependencies: PACKAGES }),
  );
  await Deno.writeTextFile(`${home}/deno.json`, JSON.stringify({ nodeModulesDir: "auto" }));
  await Deno.writeTextFile(`${home}/voice_cost.mjs`, await bundle("tests/contract/programs/voice_cost.ts"));
  await Deno.copyFile(new URL(`programs/${PEER}`, import.meta.url), `${home}/${PEER}`);
  const install = new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd: home });
  const { success, stderr } = await install.output();
  if (!success) throw new Error(`Cannot install: ${new TextDecoder().decode(stderr)}`);
  return home;
}

async function run<Result>(
  home: string,
  program: string,
  args: readonly string[],
  { input = "", env = {} }: { readonly input?: string; readonly env?: Record<string, string> } = {},
): Promise<Result> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: home,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`${input}\n`));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(`Cannot measure with ${program}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The same work by @discordjs/voice, which needs a server for it: the fake's, in this process. */
async function peerCost(home: string): Promise<{ readonly us: number }> {
  await using discord = new FakeDiscord({
    guilds: [{ channels: [{ name: "voice", type: 2 }], members: ["alice", "bob"] }],
  });
  const voice = await discord.openVoice();
  const tls = await selfSigned();
  await voice.listen({ tls });
  await Deno.writeTextFile(`${home}/ca.pem`, tls.cert);
  const credentials = { alice: voice.enter("alice"), bob: voice.enter("bob") };
  return await run(home, await npmBinary("node"), [PEER], {
    input: JSON.stringify(credentials),
    env: { NODE_EXTRA_CA_CERTS: `${home}/ca.pem` },
  });
}

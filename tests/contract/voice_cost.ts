/**
 * `deno task cost:voice [deno|bun|node …]`: what a packet of sound costs on each runtime with UDP, next to @discordjs/voice.
 *
 * A frame of 160 bytes, encrypted end to end by davey, sealed, and sent on the loopback: all of the way from the player to
 * the socket, in both. The two take turns in one process, in rounds, and the median round counts. Processor time is measured,
 * which does not depend on what else the machine does as much as a clock would, and which counts the other threads as well.
 * A packet is due every 20,000 µs.
 */

import davey from "@snazzah/davey";
import { dial } from "../../shard/mod.ts";
import { daveyProvider, type EncryptionMode, joinVoice } from "../../voice/mod.ts";
import { FakeDiscord } from "../fake/mod.ts";
import { openUdpServer } from "../fake/voice/media/udp_server.ts";
import { CONFIG } from "../gate/published.ts";
import { bundle } from "../runtimes/bundle.ts";
import { npmBinary, VERSIONS } from "../runtimes/npm_binary.ts";
import { selfSigned } from "./certificate.ts";
import type { VoiceCost } from "./programs/voice_cost.ts";

const PACKAGES = ["@discordjs/voice", "@snazzah/davey", "@noble/ciphers"];
const MODES: readonly EncryptionMode[] = ["aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize"];
const GUILD = "4000";
const CHANNELS = { ours: "4100", theirs: "4101" };
const MEMBERS = ["ours", "theirs", "hears ours", "hears theirs"];

if (import.meta.main) {
  const home = await installed();
  try {
    const runtimes = [
      [`Deno ${Deno.version.deno}`, Deno.execPath(), ["run", "-A", "--no-lock", "voice_cost.mjs"]],
      [`Bun ${VERSIONS.bun}`, await npmBinary("bun"), ["voice_cost.mjs"]],
      [`Node ${VERSIONS.node}`, await npmBinary("node"), ["voice_cost.mjs"]],
    ] as const;
    console.log(`µs of processor time for a packet, next to ${PACKAGES[0]} ${version("@discordjs/voice")}`);
    console.log(
      "runtime | mode | DAVE | seal | seal by WebCrypto | send | all of it | theirs, all of it | ratio | open",
    );
    for (const [name, program, args] of runtimes) {
      const isWanted = Deno.args.length === 0 || Deno.args.some((arg) => name.toLowerCase().startsWith(arg));
      if (!isWanted) continue;
      for (const mode of MODES) {
        const cost = await measure(home, mode, [program, ...args]);
        const { daveUs, sealUs, webSealUs, sendUs, openUs, oursUs, theirsUs } = cost;
        const [dave, seal, webSeal, send, open, ours, theirs] = [
          daveUs,
          sealUs,
          webSealUs,
          sendUs,
          openUs,
          oursUs,
          theirsUs,
        ].map((us) => us.toFixed(1));
        const ratio = (oursUs / theirsUs).toFixed(2);
        console.log([name, mode, dave, seal, webSeal, send, ours, theirs, ratio, open].join(" | "));
      }
    }
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** A folder with the program, and the packages that it imports. */
async function installed(): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "voice-cost-" });
  const dependencies = Object.fromEntries(PACKAGES.map((name) => [name, version(name)]));
  await Deno.writeTextFile(`${home}/package.json`, JSON.stringify({ type: "module", dependencies }));
  await Deno.writeTextFile(`${home}/deno.json`, JSON.stringify({ nodeModulesDir: "auto" }));
  await Deno.writeTextFile(`${home}/voice_cost.mjs`, await bundle("tests/contract/programs/voice_cost.ts"));
  const install = new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd: home });
  const { success, stderr } = await install.output();
  if (!success) throw new Error(`Cannot install: ${new TextDecoder().decode(stderr)}`);
  return home;
}

/** The version of a package that deno.json names. */
function version(name: string): string {
  const specifier = CONFIG.imports[name] ?? CONFIG.scopes["./tests/"]?.[name] ?? "";
  return specifier.slice(specifier.lastIndexOf("@") + 1);
}

/** Both clients in the process, each in a call with somebody who has no media, in this process with the fake. */
async function measure(home: string, mode: EncryptionMode, command: readonly string[]): Promise<VoiceCost> {
  const channels = Object.entries(CHANNELS).map(([name, id]) => ({ name, type: 2, id }));
  await using discord = new FakeDiscord({ guilds: [{ id: GUILD, channels, members: MEMBERS }] });
  const [voice, tls] = await Promise.all([discord.openVoice(), selfSigned()]);
  voice.faults.modes = [mode];
  await voice.listen({ tls });
  await Deno.writeTextFile(`${home}/ca.pem`, tls.cert);
  using client = Deno.createHttpClient({ caCerts: [tls.cert] });
  class TrustingWebSocket extends WebSocket {
    constructor(url: string) {
      super(url, { client });
    }
  }
  const hear = (name: string, channelId: string) =>
    joinVoice(voice.gatewayOf(name), {
      guildId: GUILD,
      channelId,
      dave: daveyProvider(davey),
      media: false,
      dial: (url, options) => dial(url, { ...options, WebSocket: TrustingWebSocket }),
    });
  await using _hearsOurs = await hear("hears ours", CHANNELS.ours);
  await using _hearsTheirs = await hear("hears theirs", CHANNELS.theirs);
  const sink = await openUdpServer("127.0.0.1", () => {});
  const input = {
    mode,
    sink: sink.address,
    ours: voice.enter("ours", { channelId: CHANNELS.ours }),
    theirs: voice.enter("theirs", { channelId: CHANNELS.theirs }),
  };
  const cost = await run(home, command, JSON.stringify(input));
  await sink.close();
  const violations = voice.journal.violations();
  if (violations.length > 0) throw new Error(`Rules were broken: ${JSON.stringify(violations.slice(0, 3))}`);
  return cost;
}

async function run(
  home: string,
  [program = "", ...args]: readonly string[],
  input: string,
): Promise<VoiceCost> {
  const child = new Deno.Command(program, {
    args,
    cwd: home,
    env: { NODE_EXTRA_CA_CERTS: `${home}/ca.pem`, DENO_CERT: `${home}/ca.pem` },
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

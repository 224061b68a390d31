/**
 * Sound on real sockets, on every runtime that has UDP: the example plays a file from one client to another through the
 * fake, end-to-end encrypted, and compares what was heard packet for packet. And what a runtime without UDP says.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FakeDiscord } from "../fake/mod.ts";
import { ROOT } from "../gate/process.ts";
import { CONFIG } from "../gate/published.ts";
import { bundle } from "../runtimes/bundle.ts";
import { npmBinary } from "../runtimes/npm_binary.ts";
import { npmPackage } from "../runtimes/npm_package.ts";
import { WorkerdServer } from "../runtimes/workerd_server.ts";

const DAVEY = (CONFIG.scopes["./tests/"]?.["@snazzah/davey"] ?? "").replace("npm:", "");

/** The native half of davey for this machine. */
function nativeDavey(): string {
  const cpu = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  const version = DAVEY.slice(DAVEY.lastIndexOf("@"));
  return `@snazzah/davey-${
    Deno.build.os === "linux" ? `linux-${cpu}-gnu` : `${Deno.build.os}-${cpu}`
  }${version}`;
}

/** The example as one script in a folder of its own, with its file, and with davey as npm installs it. */
async function installed(): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "voice-" });
  await Deno.mkdir(`${home}/assets`);
  await Deno.writeTextFile(`${home}/voice.mjs`, await bundle("examples/voice.ts"));
  await Deno.copyFile(new URL("examples/assets/speech.opus", ROOT), `${home}/assets/speech.opus`);
  for (const specifier of [DAVEY, nativeDavey()]) {
    const folder = await npmPackage(specifier);
    const to = `${home}/node_modules/${specifier.replace(/@[^@]+$/, "")}`;
    await Deno.mkdir(to, { recursive: true });
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile) await Deno.copyFile(new URL(name, folder), `${to}/${name}`);
    }
  }
  return home;
}

for (const name of ["node", "node22", "bun"] as const) {
  Deno.test(`voice: ${name} plays a file to another client, encrypted, and every packet arrives as it was`, async () => {
    const home = await installed();
    const { DISCORD_TOKEN: _token, DISCORD_API: _api, ...env } = Deno.env.toObject();
    const child = new Deno.Command(await npmBinary(name), {
      args: ["voice.mjs"],
      cwd: home,
      env: { ...env, TMPDIR: home },
      clearEnv: true,
      stdout: "piped",
      stderr: "piped",
    });
    const { code, stdout, stderr } = await child.output();
    const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    await Deno.remove(home, { recursive: true });
    assertEquals([code, errors], [0, ""], out);
    assertMatch(out ?? "", /458 of 458 packets are bit-equal to the file's/);
    assertMatch(out ?? "", /458 encrypted frames, and 0 in the clear/);
    assertMatch(out ?? "", /saw 0 broken rules/);
  });
}

for (const compatibilityFlags of [[], ["nodejs_compat"]]) {
  Deno.test(`voice: workerd with flags [${compatibilityFlags}] joins a voice gateway, and says at once that it has no media`, async () => {
    await using discord = new FakeDiscord({
      guilds: [{ id: "4000", channels: [{ name: "stage", type: 13, id: "4103" }] }],
    });
    const [{ api }, voice] = await Promise.all([discord.listen(), discord.openVoice()]);
    await voice.listen();
    await using worker = await WorkerdServer.start("tests/runtimes/programs/voice_worker.ts", {
      durableObjects: { VOICE: "Voice" },
      compatibilityFlags,
    });
    const url = new URL(`?${new URLSearchParams({ token: discord.token, api })}`, worker.url);
    const response = await fetch(url);
    const text = await response.text();
    assert(response.ok, text);
    assertEquals(JSON.parse(text), {
      joining: "ERR_VOICE_MEDIA_UNSUPPORTED",
      statuses: "joining dialing awaiting_hello identifying selecting live closed",
      playing: "ERR_VOICE_MEDIA_UNSUPPORTED",
      receiving: "ERR_VOICE_MEDIA_UNSUPPORTED",
    });
    // The join with media was told to nobody.
    assertEquals(discord.journal.of("frame").filter(({ op }) => op === 4).length, 2);
    assertEquals([...discord.journal.violations(), ...voice.journal.violations()], []);
    assertEquals(voice.journal.of("session").map(({ change }) => change), ["started", "ended"]);
  });
}

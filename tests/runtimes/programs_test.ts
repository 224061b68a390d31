/** The programs that other tests start are there, and are what they say. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { fileURLToPath } from "node:url";
import { ROOT } from "../gate/process.ts";
import { PACKAGES } from "../gate/imports.ts";
import { CONFIG, publishedSources } from "../gate/published.ts";
import { bundle, bundleText } from "./bundle.ts";
import { npmBinary } from "./npm_binary.ts";
import { npmPackage } from "./npm_package.ts";
import { RedisServer } from "./redis_server.ts";
import { WorkerdServer } from "./workerd_server.ts";

for (const [name, version] of [["bun", /^1\./], ["node", /^v24\./], ["node22", /^v22\./]] as const) {
  Deno.test(`programs: ${name} comes from npm and runs`, async () => {
    const { stdout } = await new Deno.Command(await npmBinary(name), { args: ["--version"] }).output();
    assertMatch(new TextDecoder().decode(stdout), version);
  });
}

for (const name of ["bun", "node", "node22"] as const) {
  Deno.test(`programs: ${name} imports every entry point as it is, without flags and without a word`, async () => {
    const home = await installed();
    const paths = Object.values(CONFIG.exports).map((path) => `${home}/${path}`);
    const program = `for (const path of ${
      JSON.stringify(paths)
    }) console.log(Object.keys(await import(path)).length > 0)`;
    const command = new Deno.Command(await npmBinary(name), { args: ["--eval", program], cwd: home });
    const { stdout, stderr } = await command.output();
    await Deno.remove(home, { recursive: true });
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assertEquals([text(stdout), text(stderr)], ["true\n".repeat(paths.length), ""]);
  });
}

/** The published sources in a folder of their own, with the packages that they import beside them, as npm has them. */
async function installed(): Promise<string> {
  const home = await Deno.makeTempDir({ prefix: "installed-" });
  for (const path of publishedSources()) {
    await Deno.mkdir(`${home}/${path}`.replace(/[^/]+$/, ""), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), `${home}/${path}`);
  }
  await Deno.writeTextFile(`${home}/package.json`, `{ "type": "module" }`);
  const imported = Object.values(PACKAGES).flat();
  for (const [name, specifier] of Object.entries(CONFIG.imports)) {
    if (!imported.some((path) => path.startsWith(`${name}/`))) continue;
    const folder = fileURLToPath(await npmPackage(specifier.replace(/^npm:|\^/g, "")));
    const link = `${home}/node_modules/${name}`;
    await Deno.mkdir(link.replace(/\/[^/]+$/, ""), { recursive: true });
    await Deno.symlink(folder.replace(/\/$/, ""), link);
  }
  return home;
}

Deno.test("programs: a bundle is one module without imports", async () => {
  const code = await bundle("mod.ts", { minify: true });
  assert(code.includes("ERR_SHARD_STOPPED"));
  // The word alone may stand in a text.
  assertEquals(code.match(/(?:^|[;}\n])import\b|\bimport\(/g), null);
});

Deno.test("programs: a bundle holds no table that its program does not read", async () => {
  const limiter = await bundleText(`export { CommandLimiter } from "@discordgateway/edge/ratelimit";`, {
    minify: true,
  });
  assert(limiter.includes("nextAvailableAt"));
  for (const word of ["The token is not valid", "MESSAGE_CREATE", "GUILD_MODERATION", "ERR_", "WebSocket"]) {
    assert(!limiter.includes(word), word);
  }
  const shard = await bundleText(`export { Shard } from "@discordgateway/edge";`, { minify: true });
  assert(shard.includes("The token is not valid"));
  assert(!shard.includes("developer portal"), "the explanations of close codes are for who asks for them");
  assert(!shard.includes("aead_"), "voice is for who joins");
  assert(shard.includes("ERR_MISSING_VOICE"), "but it says where to get it");
  const voice = await bundleText(`export { voice } from "@discordgateway/edge/voice";`, { minify: true });
  assert(voice.includes("aead_"));
});

Deno.test("programs: workerd runs a worker, and its Durable Objects keep what they stored", async () => {
  const persist = await Deno.makeTempDir({ prefix: "workerd-" });
  const options = { durableObjects: { COUNTER: "Counter" }, persist };
  const ask = async ({ url }: WorkerdServer) => await (await fetch(url)).text();
  {
    await using server = await WorkerdServer.start("tests/runtimes/programs/greeting_worker.ts", options);
    assertEquals([await ask(server), await ask(server)], ["Cloudflare-Workers 1", "Cloudflare-Workers 2"]);
  }
  await using server = await WorkerdServer.start("tests/runtimes/programs/greeting_worker.ts", options);
  assertEquals(await ask(server), "Cloudflare-Workers 3");
  await Deno.remove(persist, { recursive: true });
});

Deno.test("programs: a worker that cannot be loaded says why", async () => {
  await assertRejects(
    () =>
      WorkerdServer.start("tests/runtimes/programs/greeting_worker.ts", { compatibilityDate: "2999-01-01" }),
    Error,
    "Cannot start workerd: ",
  );
});

const noRedis = await RedisServer.missing();
if (noRedis) console.log(`skipped: ${noRedis}`);

Deno.test({
  name: "programs: a Redis starts, dies and starts again",
  ignore: noRedis !== null,
  fn: async () => {
    await using server = await RedisServer.start();
    const refused = () =>
      Deno.connect({ hostname: "127.0.0.1", port: server.port }).then((connection) => {
        connection.close();
        return false;
      }, (error) => error instanceof Deno.errors.ConnectionRefused);
    assertEquals(await refused(), false);
    await server.kill();
    assertEquals(await refused(), true);
    await server.restart();
    assertEquals(await refused(), false);
  },
});

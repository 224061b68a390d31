/**
 * Other runtimes and a bundler, from npm's platform packages: nothing is installed, and no install script runs.
 *
 * A package is downloaded once into Deno's own cache, as any npm import would be.
 */

/** A program that a platform package of npm holds. */
export type NpmBinary = "bun" | "node" | "esbuild";

/** What the tests were written against. */
const VERSIONS: { readonly [Name in NpmBinary]: string } = {
  bun: "1.4.5",
  node: "24.21.0",
  esbuild: "0.28.2",
};

/** The path of the program, downloaded if need be. */
export async function npmBinary(name: NpmBinary): Promise<string> {
  const specifier = `${packageName(name)}@${VERSIONS[name]}`;
  await deno("cache", "--no-lock", "--no-config", `npm:${specifier}`);
  const { npmCache }: { npmCache: string } = JSON.parse(await deno("info", "--json", "--no-config"));
  for await (const { name: registry } of Deno.readDir(npmCache)) {
    const path = `${npmCache}/${registry}/${specifier.replace(/@([^@]+)$/, "/$1")}/bin/${name}`;
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  throw new Error(
    `Cannot find ${name}: it is not in Deno's cache after ${specifier} was downloaded: ${npmCache}`,
  );
}

function packageName(name: NpmBinary): string {
  const { os, arch } = Deno.build;
  const isArm = arch === "aarch64";
  if (name === "bun") return `@oven/bun-${os}-${isArm ? "aarch64" : "x64"}`;
  const platform = `${os}-${isArm ? "arm64" : "x64"}`;
  return name === "node" ? `node-${platform}` : `@esbuild/${platform}`;
}

async function deno(...args: readonly string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], env: { NO_COLOR: "1" } });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`Cannot run deno ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

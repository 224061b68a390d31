/** Packages of npm as folders on this disk: nothing is installed, and no install script runs. */

/** A registry that fails is asked again after these waits, in ms. */
const WAITS_MS = [1_000, 5_000, 15_000];

const folders = new Map<string, Promise<URL>>();

/**
 * The folder of a package, such as `ws@8.23.0`, in Deno's own cache; downloaded once, as any npm import would be.
 *
 * @throws {Error} If it cannot be downloaded.
 */
export function npmPackage(specifier: string): Promise<URL> {
  const known = folders.get(specifier);
  if (known) return known;
  const folder = find(specifier);
  folders.set(specifier, folder);
  folder.catch(() => folders.delete(specifier));
  return folder;
}

async function find(specifier: string): Promise<URL> {
  await download(specifier);
  const { npmCache }: { npmCache: string } = JSON.parse(await deno("info", "--json", "--no-config"));
  for await (const { name: registry } of Deno.readDir(npmCache)) {
    const folder = `${npmCache}/${registry}/${specifier.replace(/@([^@]+)$/, "/$1")}/`;
    const url = new URL(`file://${encodeURI(folder)}`);
    if (await Deno.stat(url).then(({ isDirectory }) => isDirectory, () => false)) return url;
  }
  throw new Error(
    `Cannot find ${specifier}: it is not in Deno's cache after it was downloaded: ${npmCache}`,
  );
}

async function download(specifier: string): Promise<void> {
  for (const waitMs of [...WAITS_MS, null]) {
    try {
      await deno("cache", "--no-lock", "--no-config", `npm:${specifier}`);
      return;
    } catch (error) {
      if (waitMs === null) throw error;
      console.warn(`${error}\nTries again in ${waitMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

async function deno(...args: readonly string[]): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], env: { NO_COLOR: "1" } });
  const { success, stdout, stderr } = await command.output();
  if (!success) throw new Error(`Cannot run deno ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

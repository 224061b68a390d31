/** Other runtimes and a bundler, from npm's platform packages. */

import { fileURLToPath } from "node:url";
import { npmPackage } from "./npm_package.ts";

/** A program that a platform package of npm holds. */
export type NpmBinary = "bun" | "node" | "node22" | "esbuild";

/** What the tests were written against. */
export const VERSIONS: { readonly [Name in NpmBinary]: string } = {
  bun: "1.4.5",
  node: "24.21.0",
  // The oldest with a WebSocket and with types that it strips.
  node22: "22.23.3",
  esbuild: "0.28.2",
};

/** The path of the program, downloaded if need be. */
export async function npmBinary(name: NpmBinary): Promise<string> {
  const folder = await npmPackage(`${packageName(name)}@${VERSIONS[name]}`);
  return fileURLToPath(new URL(`bin/${name === "node22" ? "node" : name}`, folder));
}

function packageName(name: NpmBinary): string {
  const { os, arch } = Deno.build;
  const isArm = arch === "aarch64";
  if (name === "bun") return `@oven/bun-${os}-${isArm ? "aarch64" : "x64"}`;
  const platform = `${os}-${isArm ? "arm64" : "x64"}`;
  return name === "esbuild" ? `@esbuild/${platform}` : `node-${platform}`;
}

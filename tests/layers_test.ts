/** Holds the code to the table of rooms. */

import { assert, assertEquals } from "@std/assert";
import { measure } from "./gate/house.ts";
import { folderOf, type Layer, twoWayRows, unusedImports, violations } from "./gate/layers.ts";
import { mentions } from "./gate/mentions.ts";
import { ROOT } from "./gate/process.ts";
import { publishedSources, sourcesBelow } from "./gate/published.ts";
import { ROOMS, RUNTIME_FILES } from "./gate/rooms.ts";

Deno.test("layers: every file imports and names only what its layer may", () => {
  assertEquals(violations(read([...publishedSources(), ...sourcesBelow("examples/")]), ROOMS), []);
});

Deno.test("layers: no imports in a circle, types included", () => {
  assertEquals(measure(read(publishedSources())).circles, []);
});

Deno.test("layers: between two folders arrows go one way", () => {
  assertEquals(twoWayRows(ROOMS), []);
});

Deno.test("layers: every folder has one row, and every arrow that a row allows is there", () => {
  const sources = read([...publishedSources(), ...sourcesBelow("examples/")]);
  const folders = [...new Set([...sources.keys()].map(folderOf))].sort();
  assertEquals(ROOMS.map(({ path }) => path).sort(), folders);
  assertEquals(unusedImports(sources, ROOMS.filter(({ path }) => !path.startsWith("examples/"))), []);
});

Deno.test("layers: the table speaks of files that exist", () => {
  const files = publishedSources();
  const named = ROOMS.flatMap((room) => [...room.imports, ...Object.keys(room.files)]);
  const gone = named.filter((path) => path.endsWith(".ts") && !files.includes(path));
  assertEquals(gone, []);
});

Deno.test("layers: no file mentions a runtime but those made for it, which docs/runtimes.md names", () => {
  const page = Deno.readTextFileSync(new URL("docs/runtimes.md", ROOT));
  assertEquals(RUNTIME_FILES.filter((file) => !page.includes(`\`${file}\``)), []);
  assertEquals(mentions(read(publishedSources().filter((file) => !RUNTIME_FILES.includes(file)))), []);
  for (const file of RUNTIME_FILES) assert(mentions(read([file])).length > 0, `${file} needs no exception`);
});

Deno.test("layers: the check finds a planted mention of a runtime, but not in comments", () => {
  const found = (source: string) => mentions(new Map([["gateway/x.ts", source]])).length;
  for (
    const source of [
      `export const isDeno = "Deno" in globalThis;`,
      `if (navigator.userAgent === "Cloudflare-Workers") throw new Error();`,
      "throw new Error(`not on Node ${22}`);",
      `export * from "node:fs";`,
      `const { Bun } = globalThis; Bun;`,
      `/workerd/.test("");`,
    ]
  ) assert(found(source) > 0, source);
  assertEquals(
    found(`// On Deno and Node this waits.\nexport const bundle = "nodes of a tree, bunches, denote";`),
    0,
  );
});

Deno.test("layers: the check finds a planted import", () => {
  for (
    const [path, source, word] of [
      ["ratelimit/x.ts", `import { dial } from "../shard/dial.ts";`, "../shard/dial.ts"],
      ["ratelimit/x.ts", `import type { Session } from "../gateway/session.ts";`, "not even its types"],
      ["gateway/x.ts", `export * from "../shard/mod.ts";`, "../shard/mod.ts"],
      ["gateway/x.ts", `import { delay } from "@std/async";`, "@std/async"],
      ["gateway/x.ts", `import { GatewayOpcodes } from "discord-api-types/v10";`, "discord-api-types"],
      ["gateway/x.ts", `import { type APIUser } from "discord-api-types/v10";`, "discord-api-types"],
      ["shard/x.ts", `import "node:fs";`, "node:fs"],
      ["voice/x.ts", `import { xchacha20poly1305 } from "@noble/ciphers/chacha.js";`, "@noble/ciphers"],
      ["voice/x.ts", `import { GatewayState } from "../gateway/state.ts";`, "../gateway/state.ts"],
      ["gateway/x.ts", `import type { VoiceServer } from "../voice/mod.ts";`, "not even its types"],
      ["shard/x.ts", `import { fake } from "../tests/fake/mod.ts";`, "tests/fake"],
      ["shard/x.ts", `const fs = await import("node:fs"); fs;`, "import()"],
      ["shard/x.ts", `export let fs: import("node:fs").Stats;`, "import()"],
      ["tests/fake/x.ts", `import { createServer } from "node:http";`, "node:http"],
      ["mod.ts", `export * from "./shard/pipe/dial.ts";`, "./shard/pipe/dial.ts"],
      ["examples/x.ts", `import { dial } from "../shard/dial.ts";`, "../shard/dial.ts"],
      ["examples/x.ts", `import { createClient } from "@redis/client";`, "@redis/client"],
      ["examples/durable_object/worker.ts", `import { Miniflare } from "miniflare";`, "miniflare"],
      ["elsewhere/x.ts", `export const a = 1;`, "no layer"],
    ] as const
  ) {
    const found = violations(new Map([[path, source]]), ROOMS);
    assert(found.length === 1 && found[0]?.includes(word), `${path}: ${source}: ${found}`);
  }
});

Deno.test("layers: the check finds a planted name of a runtime", () => {
  for (
    const [name, source] of [
      ["WebSocket", "new WebSocket('wss://a');"],
      ["WebSocket", "export let socket: WebSocket | null = null;"],
      ["ReadableStream", "export interface A { a: ReadableStream<string> }"],
      ["setTimeout", "setTimeout(() => {}, 1);"],
      ["setTimeout", "export type Timer = ReturnType<typeof setTimeout>;"],
      ["Deno", "Deno.env.get('A');"],
      ["Bun", "Bun.version;"],
      ["process", "export const a = { process };"],
      ["Buffer", "Buffer.from('');"],
      ["fetch", "export const get = (f = fetch) => f;"],
      ["crypto", "{ const crypto = 1; crypto; } crypto.randomUUID();"],
      ["Math.random", "Math.random();"],
      ["Math.random", "const { random } = Math; random();"],
      ["Date", "export const at = new Date();"],
      ["performance", "performance.now();"],
      ["console", "console.log(1);"],
      ["navigator", "typeof navigator;"],
      ["setTimeout", "globalThis.setTimeout;"],
      ["WebSocket", "const { WebSocket: Socket } = globalThis; Socket;"],
      ["globalThis", "const { ...all } = globalThis; all;"],
      ["globalThis", "globalThis['setTimeout'];"],
      ["import.meta", "import.meta.url;"],
      ["declare global", "declare global { interface A { a: 1 } }"],
      ["eval", "eval('1');"],
    ] as const
  ) {
    const found = violations(new Map([["gateway/x.ts", `${source}\nexport {};`]]), ROOMS);
    assertEquals(found, [`gateway/x.ts:1: may not name ${name}`], source);
  }
});

Deno.test("layers: the check lets properties, shadowing names, comments and strings pass", () => {
  const source = `
    // WebSocket, Deno, setTimeout
    const text = "new WebSocket(Date.now())";
    export function go({ fetch, setTimeout: timer }: { fetch: () => void; setTimeout: () => void }): unknown {
      timer();
      return { Date: 1, process: fetch(), max: Math.max(1, 2) };
    }
    export class A { #performance = 1; console(): number { return this.#performance; } }
    export const signal: AbortSignal = new AbortController().signal;
    export interface Reader { readonly globalThis: unknown; readonly WebSocket?: unknown }
    export const words = [text, JSON.stringify(new URL("a:b")), BigInt(1), new TextEncoder(), Promise.resolve()];
  `;
  assertEquals(violations(new Map([["gateway/x.ts", source]]), ROOMS), []);
});

Deno.test("layers: the check lets the one file made for a name use it, and no other", () => {
  const source = "export const socket = new WebSocket('wss://a');";
  assertEquals(violations(new Map([["shard/pipe/dial.ts", source]]), ROOMS), []);
  assertEquals(violations(new Map([["shard/x.ts", source]]), ROOMS), [
    "shard/x.ts:1: may not name WebSocket",
  ]);
});

Deno.test("layers: the check finds a planted circle, and one of types alone", () => {
  const sources = new Map([
    ["gateway/a.ts", `import { b } from "./b.ts"; export const a = b;`],
    ["gateway/b.ts", `import { c } from "./c.ts"; export const b = c;`],
    ["gateway/c.ts", `export { a } from "./a.ts"; import type { D } from "./d.ts"; export const c: D = 1;`],
    ["gateway/d.ts", `import { c } from "./c.ts"; export type D = number; c;`],
  ]);
  assertEquals(measure(sources).circles, [
    "gateway/a.ts → gateway/b.ts → gateway/c.ts → gateway/a.ts",
    "gateway/c.ts → gateway/d.ts → gateway/c.ts",
  ]);
});

Deno.test("layers: the check finds a planted arrow back, types included, and lets a door be", () => {
  const sources = new Map([
    ["a/x.ts", `import { y } from "../b/y.ts"; export const x = y;`],
    ["b/y.ts", `export const y = 1;`],
    ["b/z.ts", `import type { X } from "../a/mod.ts"; export type Z = X;`],
    ["a/mod.ts", `export type { X } from "../b/y.ts";`],
  ]);
  const pairs = (more: string) =>
    measure(new Map([...sources, ["b/w.ts", more]])).pairs.map(({ from, to }) => `${from} ${to}`);
  assertEquals(pairs(`export {};`), ["a/ b/"]);
  assertEquals(pairs(`import type { X } from "../a/x.ts"; export type W = X;`), ["a/ b/", "b/ a/"]);
  const row = (path: string, imports: readonly string[]): Layer => ({
    path,
    imports,
    types: [],
    names: [],
    files: {},
  });
  assertEquals(twoWayRows([row("a/", ["a/", "b/"]), row("b/", ["b/"])]), []);
  assertEquals(twoWayRows([row("a/", ["a/", "b/"]), row("b/", ["a/x.ts"])]), [
    "a/ and b/ may import from each other",
  ]);
});

Deno.test("layers: the check finds an arrow that a row allows and nobody takes", () => {
  const sources = new Map([
    ["a/x.ts", `import { y } from "../b/y.ts"; export const x = y;`],
    ["b/y.ts", `export const y = 1;`],
  ]);
  const row: Layer = { path: "a/", imports: ["a/", "b/", "c/"], types: [], names: [], files: {} };
  assertEquals(unusedImports(sources, [row]), ["a/ makes no use of c/"]);
});

function read(paths: readonly string[]): Map<string, string> {
  return new Map(paths.map((path) => [path, Deno.readTextFileSync(new URL(path, ROOT))]));
}

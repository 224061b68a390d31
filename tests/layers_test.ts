/** The layers of the project, as a table, and the test that holds the code to it. */

import { assert, assertEquals } from "@std/assert";
import { BUILT_INS, PACKAGES } from "./gate/imports.ts";
import { cycles, type Layer, violations } from "./gate/layers.ts";
import { mentions } from "./gate/mentions.ts";
import { ROOT } from "./gate/process.ts";
import { CONFIG, publishedSources, sourcesBelow } from "./gate/published.ts";

/** What every runtime has and what neither does I/O nor reads the world. */
const EVERYWHERE = [
  "AbortController",
  "AbortSignal",
  "TextDecoder",
  "TextEncoder",
  "URL",
  "URLSearchParams",
  "queueMicrotask",
];

/** A package of which published code imports the types alone. */
const TYPES = ["discord-api-types"];

const LAYERS: readonly Layer[] = [
  {
    path: "ratelimit/",
    imports: ["ratelimit/"],
    types: TYPES,
    names: EVERYWHERE,
    files: {
      "ratelimit/identify/durable_object.ts": ["Response"],
      "ratelimit/identify/system.ts": ["Date", "Math.random", "clearTimeout", "crypto", "setTimeout"],
    },
  },
  { path: "gateway/", imports: ["gateway/", "ratelimit/"], types: TYPES, names: EVERYWHERE, files: {} },
  {
    path: "shard/",
    imports: ["shard/", "gateway/", "ratelimit/"],
    types: TYPES,
    names: EVERYWHERE,
    files: {
      "shard/pipe/connection.ts": ["ReadableStream", "WritableStream"],
      "shard/pipe/dial.ts": ["CloseEvent", "ErrorEvent", "Event", "MessageEvent", "WebSocket"],
      "shard/fleet/fleet.ts": ["ReadableStream"],
      "shard/connect/gateway_bot.ts": ["Headers", "Request", "RequestInit", "Response", "fetch"],
      "shard/pipe/platform.ts": [
        "Date",
        "Deno",
        "Math.random",
        "clearTimeout",
        "performance",
        "process",
        "setTimeout",
      ],
      "shard/events/event_stream.ts": ["ReadableStream"],
      "shard/shard.ts": ["ReadableStream"],
      "shard/durable_object/fleet/host.ts": ["Request", "Response"],
      "shard/durable_object/fleet/http.ts": ["Request", "Response"],
      "shard/durable_object/http.ts": ["Request", "Response"],
      "shard/durable_object/shard/host.ts": ["Request", "Response"],
      "shard/durable_object/shard/http.ts": ["Request", "Response"],
      "shard/user_id.ts": ["atob"],
    },
  },
  {
    path: "voice/",
    imports: [
      "voice/",
      "gateway/close_code.ts",
      "gateway/connection_state.ts",
      "gateway/heartbeat.ts",
      "gateway/intent.ts",
      "gateway/latency.ts",
      "gateway/payload.ts",
      "ratelimit/backoff.ts",
      "ratelimit/clock.ts",
      "shard/pipe/abortable.ts",
      "shard/pipe/connection.ts",
      "shard/pipe/dial.ts",
      "shard/pipe/platform.ts",
      "shard/commands/errors.ts",
      "shard/pipe/wait.ts",
      "shard/voice_provider.ts",
      "shard/pipe/timer.ts",
    ],
    types: TYPES,
    names: EVERYWHERE,
    files: {
      "voice/media/aead.ts": ["crypto"],
      "voice/connection.ts": ["ReadableStream"],
      "voice/audio/receive_streams.ts": ["ReadableStream", "ReadableStreamDefaultController"],
      "voice/media/built_in_crypto.ts": ["process"],
      "voice/media/udp.ts": ["Deno", "navigator", "process"],
    },
    modules: PACKAGES,
  },
  {
    path: "mod.ts",
    imports: ["gateway/mod.ts", "ratelimit/mod.ts", "shard/mod.ts"],
    types: [],
    names: [],
    files: {},
  },
  {
    path: "tests/fake/",
    imports: [
      "tests/fake/",
      "shard/",
      "gateway/",
      "ratelimit/",
      // Its tables alone: what is tested takes no part in the test.
      "voice/wire/close_code.ts",
      "voice/wire/opcode.ts",
      // And the shapes that it has to fit.
      "voice/media/datagram.ts",
      "voice/voice_gateway.ts",
    ],
    types: TYPES,
    names: "any",
    files: {},
    modules: { ...BUILT_INS, ...PACKAGES },
  },
  {
    path: "examples/",
    imports: ["examples/", CONFIG.name, "node:"],
    types: TYPES,
    names: "any",
    files: {},
    modules: {
      "examples/fanout_redis.ts": ["@redis/client"],
      "examples/durable_object/local_worker.ts": ["esbuild", "miniflare"],
      "examples/durable_object/worker.ts": ["cloudflare:workers"],
      "examples/ogg.ts": ["mediabunny"],
      "examples/voice_stage.ts": ["@snazzah/davey"],
    },
  },
];

/** The published files that may speak of a particular runtime, each named in DESIGN.md. */
const RUNTIME_FILES = [
  // The two clients are called after theirs.
  "ratelimit/identify/deno_kv.ts",
  "ratelimit/identify/redis.ts",
  "shard/pipe/platform.ts",
  "shard/stores/deno_kv.ts",
  "tests/fake/net/server.ts",
  "tests/fake/voice/media/udp_server.ts",
  "voice/media/built_in_crypto.ts",
  "voice/media/udp.ts",
];

Deno.test("layers: every file imports and names only what its layer may", () => {
  assertEquals(violations(read([...publishedSources(), ...sourcesBelow("examples/")]), LAYERS), []);
});

Deno.test("layers: no imports in a circle at run time", () => {
  assertEquals(cycles(read(publishedSources())), []);
});

Deno.test("layers: the table speaks of files that exist", () => {
  const files = publishedSources();
  const named = LAYERS.flatMap((layer) => [layer.path, ...layer.imports, ...Object.keys(layer.files)]);
  const gone = named.filter((path) => path.endsWith(".ts") && !files.includes(path));
  assertEquals(gone, []);
});

Deno.test("layers: no file mentions a runtime but those made for it, which DESIGN.md names", () => {
  const design = Deno.readTextFileSync(new URL("DESIGN.md", ROOT));
  assertEquals(RUNTIME_FILES.filter((file) => !design.includes(`\`${file.split("/").at(-1)}\``)), []);
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
      ["mod.ts", `export * from "./shard/dial.ts";`, "./shard/dial.ts"],
      ["examples/x.ts", `import { dial } from "../shard/dial.ts";`, "../shard/dial.ts"],
      ["examples/x.ts", `import { createClient } from "@redis/client";`, "@redis/client"],
      ["examples/durable_object/worker.ts", `import { Miniflare } from "miniflare";`, "miniflare"],
      ["elsewhere/x.ts", `export const a = 1;`, "no layer"],
    ] as const
  ) {
    const found = violations(new Map([[path, source]]), LAYERS);
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
    const found = violations(new Map([["gateway/x.ts", `${source}\nexport {};`]]), LAYERS);
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
  assertEquals(violations(new Map([["gateway/x.ts", source]]), LAYERS), []);
});

Deno.test("layers: the check lets the one file made for a name use it, and no other", () => {
  const source = "export const socket = new WebSocket('wss://a');";
  assertEquals(violations(new Map([["shard/pipe/dial.ts", source]]), LAYERS), []);
  assertEquals(violations(new Map([["shard/x.ts", source]]), LAYERS), [
    "shard/x.ts:1: may not name WebSocket",
  ]);
});

Deno.test("layers: the check finds a planted circle", () => {
  const sources = new Map([
    ["gateway/a.ts", `import { b } from "./b.ts"; export const a = b;`],
    ["gateway/b.ts", `import { c } from "./c.ts"; export const b = c;`],
    ["gateway/c.ts", `export { a } from "./a.ts"; import type { D } from "./d.ts"; export const c: D = 1;`],
    ["gateway/d.ts", `import { c } from "./c.ts"; export type D = number; c;`],
  ]);
  assertEquals(cycles(sources), ["gateway/a.ts → gateway/b.ts → gateway/c.ts → gateway/a.ts"]);
});

function read(paths: readonly string[]): Map<string, string> {
  return new Map(paths.map((path) => [path, Deno.readTextFileSync(new URL(path, ROOT))]));
}

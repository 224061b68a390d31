/**
 * The house as a table: a row for each folder, with what it owns, what it may import and what it may name of a runtime.
 *
 * `tests/layers_test.ts` holds the code to it, `deno task house` measures it, and DESIGN.md shows it. Between two folders
 * arrows go one way, types included: a row that allows an arrow forbids its reverse.
 */

import { BUILT_INS, PACKAGES } from "./imports.ts";
import type { Layer } from "./layers.ts";
import { CONFIG } from "./published.ts";

/** A folder, without those below it. */
export interface Room extends Layer {
  /** What it is for, in a few words. */
  readonly owns: string;
}

/** Folders and files that a room may import, besides itself and what a barrel re-exports from below it. */
type Imports = readonly string[];

/** What only one file of a room may name of a runtime. */
type Names = Layer["files"];

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

/** A room of published code: it names what every runtime has, and the rest in the one file made for it. */
function room(path: string, owns: string, imports: Imports = [], files: Names = {}): Room {
  return {
    path,
    owns,
    imports: [path, ...imports],
    types: TYPES,
    names: EVERYWHERE,
    files,
    modules: PACKAGES,
  };
}

/** A room of the fake Discord, which may name anything. */
function fakeRoom(path: string, owns: string, imports: Imports = []): Room {
  return { ...room(path, owns, imports), names: "any", modules: { ...BUILT_INS, ...PACKAGES } };
}

/** A folder of examples, which import what their users import. */
function exampleRoom(path: string, owns: string, modules: NonNullable<Layer["modules"]>): Room {
  return { ...room(path, owns, ["examples/", CONFIG.name, "node:"]), names: "any", modules };
}

/** Every folder of the published sources and of the examples. */
export const ROOMS: readonly Room[] = [
  {
    ...room("", "the entry point `.`", ["gateway/", "ratelimit/", "shard/", "shard/stores/"]),
    types: [],
    names: [],
  },

  room("ratelimit/", "clock, backoff, errors"),
  room("ratelimit/commands/", "the command limiter and its queues", []),
  room("ratelimit/identify/", "identify limiters, in memory and on shared stores", ["ratelimit/"], {
    "ratelimit/identify/durable_object.ts": ["Response"],
    "ratelimit/identify/system.ts": ["Date", "Math.random", "clearTimeout", "crypto", "setTimeout"],
  }),

  room("gateway/", "the core: tables, payloads, state, verdict", ["ratelimit/"]),

  room("shard/pipe/", "the pipe, its dial, clock and timers", ["gateway/", "ratelimit/"], {
    "shard/pipe/connection.ts": ["ReadableStream", "WritableStream"],
    "shard/pipe/dial.ts": ["WebSocket"],
    "shard/pipe/platform.ts": [
      "Date",
      "Deno",
      "Math.random",
      "clearTimeout",
      "performance",
      "process",
      "setTimeout",
    ],
  }),
  room("shard/events/", "events, their queue and their consumers", ["gateway/", "ratelimit/"], {
    "shard/events/event_stream.ts": ["ReadableStream"],
  }),
  room("shard/commands/", "commands and requests", [
    "gateway/",
    "ratelimit/",
    "ratelimit/commands/",
    "shard/events/",
    "shard/pipe/",
  ]),
  room(
    "shard/connect/",
    "from a URL to the end of one connection",
    ["gateway/", "ratelimit/", "ratelimit/identify/", "shard/pipe/"],
    {
      "shard/connect/gateway_bot.ts": ["fetch"],
    },
  ),
  room(
    "shard/",
    "the shard: one session over many connections",
    ["gateway/", "ratelimit/", "shard/commands/", "shard/connect/", "shard/events/", "shard/pipe/"],
    { "shard/shard.ts": ["ReadableStream"], "shard/user_id.ts": ["atob"] },
  ),
  room("shard/stores/", "session stores, and a shard that uses one", [
    "gateway/",
    "ratelimit/",
    "shard/",
    "shard/events/",
    "shard/pipe/",
  ]),
  room("shard/fleet/", "many shards as one bot", [
    "gateway/",
    "ratelimit/",
    "shard/",
    "shard/commands/",
    "shard/connect/",
    "shard/events/",
    "shard/pipe/",
  ], { "shard/fleet/fleet.ts": ["ReadableStream"] }),
  room("shard/delivery/", "events to a handler, again after a failure", [
    "ratelimit/",
    "shard/events/",
    "shard/pipe/",
  ]),
  room("shard/durable_object/", "what both hosts share", [
    "gateway/",
    "ratelimit/",
    "shard/commands/",
    "shard/delivery/",
    "shard/stores/",
  ], { "shard/durable_object/http.ts": ["Request", "Response"] }),
  room("shard/durable_object/shard/", "ShardHost: a shard in a Durable Object", [
    "gateway/",
    "ratelimit/",
    "ratelimit/identify/",
    "shard/",
    "shard/commands/",
    "shard/connect/",
    "shard/delivery/",
    "shard/durable_object/",
    "shard/events/",
    "shard/pipe/",
    "shard/stores/",
  ], {
    "shard/durable_object/shard/host.ts": ["Request", "Response"],
    "shard/durable_object/shard/http.ts": ["Request", "Response"],
  }),
  room("shard/durable_object/fleet/", "FleetHost: the coordinator of many ShardHosts", [
    "gateway/",
    "ratelimit/",
    "ratelimit/identify/",
    "shard/commands/",
    "shard/connect/",
    "shard/durable_object/",
    "shard/durable_object/shard/",
    "shard/fleet/",
    "shard/pipe/",
    "shard/stores/",
  ], {
    "shard/durable_object/fleet/host.ts": ["Request", "Response"],
    "shard/durable_object/fleet/http.ts": ["Request", "Response"],
  }),

  room("voice/wire/", "the voice gateway's messages and codes", ["gateway/errors.ts", "gateway/field.ts"]),
  room("voice/dave/", "end-to-end encryption", [
    "gateway/errors.ts",
    "ratelimit/",
    "voice/media/media_error.ts",
    "voice/wire/",
  ]),
  room("voice/gateway/", "the voice gateway's core: state, verdict", [
    "gateway/errors.ts",
    "gateway/field.ts",
    "gateway/heartbeat.ts",
    "gateway/latency.ts",
    "gateway/machine.ts",
    "voice/dave/",
    "voice/wire/",
  ]),
  room("voice/media/", "UDP, RTP, transport encryption", ["ratelimit/", "shard/pipe/", "voice/wire/"], {
    "voice/media/aead.ts": ["crypto"],
    "voice/media/built_in_crypto.ts": ["process"],
    "voice/media/udp.ts": ["Deno", "navigator", "process"],
  }),
  room("voice/audio/", "frames played and received", ["ratelimit/", "voice/dave/", "voice/media/"], {
    "voice/audio/receive_streams.ts": ["ReadableStream", "ReadableStreamDefaultController"],
  }),
  room("voice/", "the voice connection: join, sessions, what is played", [
    "gateway/close_code.ts",
    "gateway/intent.ts",
    "gateway/latency.ts",
    "gateway/payload.ts",
    "ratelimit/",
    "shard/commands/errors.ts",
    "shard/pipe/",
    "shard/voice_provider.ts",
    "voice/audio/",
    "voice/dave/",
    "voice/gateway/",
    "voice/media/",
    "voice/wire/",
  ], { "voice/connection.ts": ["ReadableStream"] }),

  fakeRoom("tests/fake/base/", "clock, journal, faults", ["shard/pipe/"]),
  fakeRoom("tests/fake/world/", "guilds, channels, members, messages", ["gateway/"]),
  fakeRoom("tests/fake/gateway/", "the gateway's side of the protocol", [
    "gateway/",
    "tests/fake/base/",
    "tests/fake/world/",
  ]),
  fakeRoom("tests/fake/rest/", "the REST routes", [
    "tests/fake/base/",
    "tests/fake/gateway/",
    "tests/fake/world/",
  ]),
  fakeRoom("tests/fake/net/", "in memory, and on a port", [
    "shard/pipe/",
    "tests/fake/base/",
    "tests/fake/gateway/",
    "tests/fake/rest/",
  ]),
  fakeRoom("tests/fake/voice/mls/", "DAVE's delivery service", ["voice/wire/opcode.ts"]),
  fakeRoom("tests/fake/voice/gateway/", "the voice gateway's side of the protocol", [
    "tests/fake/base/",
    "tests/fake/gateway/",
    "tests/fake/voice/mls/",
    // Its tables, and the shape that it has to fit: what is tested takes no part in the test.
    "voice/voice_gateway.ts",
    "voice/wire/close_code.ts",
    "voice/wire/opcode.ts",
  ]),
  fakeRoom("tests/fake/voice/media/", "the UDP server", [
    "shard/pipe/",
    "tests/fake/base/",
    "tests/fake/voice/gateway/",
    "tests/fake/voice/mls/",
  ]),
  fakeRoom("tests/fake/voice/", "the voice side in a box", [
    "shard/pipe/",
    "tests/fake/base/",
    "tests/fake/net/",
    "tests/fake/voice/gateway/",
    "tests/fake/voice/media/",
    "tests/fake/world/",
    "voice/media/datagram.ts",
    "voice/wire/close_code.ts",
  ]),
  fakeRoom("tests/fake/", "the fake Discord, published as `./testing`", [
    "gateway/",
    "ratelimit/",
    "shard/pipe/",
    "tests/fake/base/",
    "tests/fake/gateway/",
    "tests/fake/net/",
    "tests/fake/rest/",
    "tests/fake/voice/",
    "tests/fake/world/",
  ]),

  exampleRoom("examples/", "programs to copy", {
    "examples/fanout_redis.ts": ["@redis/client"],
    "examples/ogg.ts": ["mediabunny"],
    "examples/voice_stage.ts": ["@snazzah/davey"],
  }),
  exampleRoom("examples/durable_object/", "a bot in a Durable Object", {
    "examples/durable_object/local_worker.ts": ["esbuild", "miniflare"],
    "examples/durable_object/worker.ts": ["cloudflare:workers"],
  }),
];

/** The published files that may speak of a particular runtime; the two clients are called after theirs. */
export const RUNTIME_FILES: readonly string[] = [
  "ratelimit/identify/deno_kv.ts",
  "ratelimit/identify/redis.ts",
  "shard/pipe/platform.ts",
  "shard/stores/deno_kv.ts",
  "tests/fake/net/server.ts",
  "tests/fake/voice/media/udp_server.ts",
  "voice/media/built_in_crypto.ts",
  "voice/media/udp.ts",
];

/** The most lines that a file may have, in the source folders and in the fake Discord. */
export const MOST_LINES = 300;

/** The most files that a folder may have there. */
export const MOST_FILES = 24;

/** Files that are longer, three at most, each with the reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {
  // The public classes: most of their lines are the documentation and the examples of their members.
  "shard/fleet/fleet.ts": "the public class Fleet, two thirds of it documentation",
  "shard/shard.ts": "the public class Shard, two thirds of it documentation",
};

/** The most pairs of folders with an arrow between them. */
export const MOST_PAIRS: Readonly<Record<string, number>> = { "shard/": 40, "voice/": 15 };

/** The most files at a folder's root, where it is less than elsewhere. */
export const MOST_FILES_OF: Readonly<Record<string, number>> = { "shard/": 10 };

/** The most values that an entry point may export: a person reads its index. */
export const MOST_VALUES: Readonly<Record<string, number>> = { ".": 30, "./voice": 20 };

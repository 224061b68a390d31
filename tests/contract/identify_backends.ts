/** The three shared identify limiters by name, so that a process can be told on its command line which one it has. */

import type { StoredIdentifyLimiter, StoredIdentifyLimiterOptions } from "../../ratelimit/mod.ts";
import { DenoKvIdentifyLimiter } from "../../ratelimit/identify/deno_kv.ts";
import { DurableObjectIdentifyLimiter } from "../../ratelimit/identify/durable_object.ts";
import { RedisIdentifyLimiter } from "../../ratelimit/identify/redis.ts";
import { RedisServer } from "../runtimes/redis_server.ts";
import { IdentifyWorker, NamespaceBehind } from "./identify_worker.ts";
import { until } from "./until.ts";

/** The shared backends. */
export const BACKENDS = ["Redis", "Deno KV", "a Durable Object"] as const;

/** One of them. */
export type Backend = typeof BACKENDS[number];

/** Where a limiter's record is, and how the limiter behaves. */
export interface LimiterAddress {
  /** What holds the record. */
  readonly backend: Backend;
  /** Its URL, or the path of its file. */
  readonly address: string;
  /** How the limiter behaves. */
  readonly limits: StoredIdentifyLimiterOptions;
}

/** A limiter, connected. */
export interface ConnectedLimiter extends AsyncDisposable {
  /** The limiter. */
  readonly limiter: StoredIdentifyLimiter;
}

/** Connects to a backend. */
export async function connectLimiter(
  { backend, address, limits }: LimiterAddress,
): Promise<ConnectedLimiter> {
  if (backend === "Redis") {
    const { Redis } = await import("ioredis");
    const client = new Redis(address);
    // What is lost comes out of the limiter; unheard here, ioredis would print it.
    client.on("error", () => {});
    return connected(new RedisIdentifyLimiter(client, limits), () => client.disconnect());
  }
  if (backend === "Deno KV") {
    const kv = await Deno.openKv(address);
    return connected(new DenoKvIdentifyLimiter(kv, limits), () => kv.close());
  }
  const namespace = new NamespaceBehind(address, "rpc");
  const limiter = new DurableObjectIdentifyLimiter(namespace, { ...limits, over: "fetch" });
  return connected(limiter, () => until("no request is under way", () => namespace.pending === 0));
}

function connected(limiter: StoredIdentifyLimiter, close: () => void | Promise<void>): ConnectedLimiter {
  return { limiter, [Symbol.asyncDispose]: async () => await close() };
}

/** A backend with nothing in it, for processes to connect to. */
export interface RunningBackend extends AsyncDisposable {
  /** Its URL, or the path of its file. */
  readonly address: string;
}

/** Why a backend cannot run on this machine; `null` where it can. */
export function missingBackend(backend: Backend): Promise<string | null> {
  return backend === "Redis" ? RedisServer.missing() : Promise.resolve(null);
}

/** Starts one. */
export async function startBackend(backend: Backend): Promise<RunningBackend> {
  if (backend === "Redis") {
    const server = await RedisServer.start();
    return { address: server.url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  }
  const folder = await Deno.makeTempDir();
  const worker = backend === "Deno KV" ? null : await IdentifyWorker.start(folder);
  return {
    address: worker?.url ?? `${folder}/kv`,
    [Symbol.asyncDispose]: async () => {
      await worker?.[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

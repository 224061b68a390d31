/**
 * An identify limiter for Cloudflare: a coordinator that lives in a Durable Object, and the client for everybody else.
 *
 * Durable Objects are single-threaded and their storage is synchronous, so an exchange is atomic by itself; the reply
 * leaves only once the record is written. Nothing else is in memory: an object that is evicted, restarted or moved goes on
 * where it was. No call waits in it for a permit: a process that waits sleeps at the caller's side and asks again, which is a
 * request of a few ms each time.
 *
 * Nothing of `cloudflare:workers` is imported; the worker extends the class itself:
 *
 * ```ts ignore
 * import { DurableObject } from "cloudflare:workers";
 * import { IdentifyCoordinator, type IdentifyRequest } from "@discordgateway/edge/ratelimit/durable-object";
 *
 * export class Identifies extends DurableObject {
 *   #coordinator = new IdentifyCoordinator(this.ctx);
 *   exchange(request: IdentifyRequest) {
 *     return this.#coordinator.exchange(request);
 *   }
 * }
 * ```
 *
 * and a shard takes `new DurableObjectIdentifyLimiter(env.IDENTIFIES)`.
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import {
  type IdentifyBudgetState,
  type IdentifyReply,
  type IdentifyRequest,
  isIdentifyRequest,
  newIdentifyRecord,
  readIdentifyRecord,
} from "./record.ts";
import { exchangeIdentifies } from "./schedule.ts";
import type { IdentifyStore, StoredIdentifyLimiterOptions } from "./store.ts";
import { StoredIdentifyLimiter } from "./stored_limiter.ts";
import { uniqueName, wallClock } from "./system.ts";

export type { IdentifyBudgetState, IdentifyReply, IdentifyRequest } from "./record.ts";

/** What is used of a `DurableObjectState`: the synchronous storage of a class with SQLite. */
export interface CoordinatorState {
  /** The object's storage. */
  readonly storage: {
    /** Its key-value part. */
    readonly kv: {
      /** Reads a value. */
      get(key: string): unknown;
      /** Writes one. */
      put(key: string, value: unknown): void;
    };
  };
}

/** Options of an {@linkcode IdentifyCoordinator}. */
export interface IdentifyCoordinatorOptions {
  /**
   * Where in the object's storage the record is.
   * @default {"discordgateway:identify"}
   */
  readonly key?: string;
  /** The object's clock; the wall clock by default. */
  readonly clock?: Pick<Clock, "now">;
}

/**
 * The record of a token's identifies in a Durable Object: one object for each bot.
 *
 * @see https://developers.cloudflare.com/durable-objects/
 *
 * @example
 * ```ts
 * import { IdentifyCoordinator } from "@discordgateway/edge/ratelimit/durable-object";
 *
 * const values = new Map<string, unknown>();
 * const kv = { get: (key: string) => values.get(key), put: (key: string, value: unknown) => void values.set(key, value) };
 * const coordinator = new IdentifyCoordinator({ storage: { kv } }); // this.ctx
 *
 * const question = { client: "a", keep: [], drop: [], known: null, limits: null };
 * const reply = coordinator.exchange({ ...question, ask: [{ ticket: "a.0", shardId: 0 }] });
 * if (reply.granted[0] !== "a.0" || values.size !== 1) throw new Error("unexpected");
 * ```
 */
export class IdentifyCoordinator {
  readonly #state: CoordinatorState;
  readonly #key: string;
  readonly #clock: Pick<Clock, "now">;

  /** Takes the object's state, `this.ctx`. */
  constructor(state: CoordinatorState, options: IdentifyCoordinatorOptions = {}) {
    const { key = "discordgateway:identify", clock = wallClock } = options;
    this.#state = state;
    this.#key = key;
    this.#clock = clock;
  }

  /** The limits, and what is left of them; `null` before the first request. */
  get budget(): IdentifyBudgetState | null {
    const record = readIdentifyRecord(this.#state.storage.kv.get(this.#key));
    const nothing = { client: "", ask: [], keep: [], drop: [], known: null, limits: null };
    // What is read is a copy: looking changes nothing, and costs no row.
    return record && exchangeIdentifies(record, nothing, this.#clock.now()).budget;
  }

  /**
   * Answers a request; the method that the object's own `exchange` forwards to.
   *
   * @throws {TypeError} where the storage holds something else under the key.
   */
  exchange(request: IdentifyRequest): IdentifyReply {
    const { kv } = this.#state.storage;
    const now = this.#clock.now();
    const record = readIdentifyRecord(kv.get(this.#key)) ??
      newIdentifyRecord(`${request.client}@${now}`, now);
    const reply = exchangeIdentifies(record, request, now);
    kv.put(this.#key, record);
    return reply;
  }

  /**
   * The same over HTTP, for a class that does not extend `DurableObject` and so has no RPC: a POST of JSON. Whatever else
   * comes is answered with status 400, and changes nothing.
   */
  async fetch(request: { json(): Promise<unknown> }): Promise<Response> {
    const question = await request.json().catch(() => null);
    if (!isIdentifyRequest(question)) {
      return new Response("Cannot answer: this is no request", { status: 400 });
    }
    return Response.json(this.exchange(question));
  }
}

/** What is used of a `DurableObjectNamespace` whose class has an `exchange` method. */
export interface CoordinatorNamespace<Id = unknown> {
  /** The id that belongs to a name. */
  idFromName(name: string): Id;
  /** The object with this id. */
  get(id: Id): CoordinatorStub;
}

/** What is used of a `DurableObjectStub`. */
export interface CoordinatorStub {
  /** Calls the object's method. */
  exchange?(request: IdentifyRequest): PromiseLike<IdentifyReply>;
  /** Sends it a request. */
  fetch(url: string, init: { method: "POST"; body: string }): Promise<CoordinatorResponse>;
}

/** What is used of a `Response`. */
export interface CoordinatorResponse {
  /** HTTP status. */
  readonly status: number;
  /** The body, parsed. */
  json(): Promise<unknown>;
}

/** Options of a {@linkcode DurableObjectIdentifyLimiter}. */
export interface DurableObjectIdentifyLimiterOptions extends StoredIdentifyLimiterOptions {
  /**
   * The name of the object: one for each bot.
   * @default {"identify"}
   */
  readonly name?: string;
  /**
   * How the object is called: its `exchange` method, or its `fetch`, for a class without RPC.
   * @default {"rpc"}
   */
  readonly over?: "rpc" | "fetch";
  /** Timers, and the time for them; the runtime's by default. */
  readonly clock?: Clock;
}

/**
 * An identify limiter over an {@linkcode IdentifyCoordinator}, for shards in other Durable Objects or in Workers.
 *
 * @example
 * ```ts
 * import { DurableObjectIdentifyLimiter, IdentifyCoordinator } from "@discordgateway/edge/ratelimit/durable-object";
 * import type { CoordinatorNamespace } from "@discordgateway/edge/ratelimit/durable-object";
 *
 * // An object in this process; a worker takes `env.IDENTIFIES`.
 * const values = new Map<string, unknown>();
 * const kv = { get: (key: string) => values.get(key), put: (key: string, value: unknown) => void values.set(key, value) };
 * const coordinator = new IdentifyCoordinator({ storage: { kv } });
 * const namespace: CoordinatorNamespace<string> = {
 *   idFromName: (name) => name,
 *   get: () => ({ fetch: (url, init) => coordinator.fetch(new Request(url, init)) }),
 * };
 *
 * const limiter = new DurableObjectIdentifyLimiter(namespace, { over: "fetch", maxConcurrency: 16 });
 * await Promise.all([limiter.take(0), limiter.take(1)]);
 * ```
 */
export class DurableObjectIdentifyLimiter extends StoredIdentifyLimiter {
  /**
   * Makes a limiter; the object is not asked yet.
   *
   * @throws {RangeError} where an option is out of range, `maxConcurrency` 0 for one.
   */
  constructor(namespace: CoordinatorNamespace, options: DurableObjectIdentifyLimiterOptions = {}) {
    const { name = "identify", over = "rpc", clock = wallClock, ...rest } = options;
    // A stub that has failed once may fail for ever, so each exchange takes a new one.
    const stub = () => namespace.get(namespace.idFromName(name));
    const store: IdentifyStore = {
      exchange: (request) => over === "rpc" ? byCall(stub(), request) : byFetch(stub(), request),
    };
    super(store, { ...rest, clock, client: uniqueName() });
  }
}

async function byCall(stub: CoordinatorStub, request: IdentifyRequest): Promise<IdentifyReply> {
  if (!stub.exchange) throw new TypeError("Cannot call the coordinator: its class has no exchange method");
  return await stub.exchange(request);
}

async function byFetch(stub: CoordinatorStub, request: IdentifyRequest): Promise<IdentifyReply> {
  const response = await stub.fetch("https://identify/", { method: "POST", body: JSON.stringify(request) });
  if (response.status !== 200) throw new Error(`Cannot ask the coordinator: status ${response.status}`);
  const reply = await response.json();
  if (typeof reply === "object" && reply !== null && "granted" in reply && "budget" in reply) {
    return reply as IdentifyReply;
  }
  throw new TypeError("Cannot read the coordinator's answer: it is not one");
}

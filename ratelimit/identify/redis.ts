/**
 * An identify limiter for processes that share a Redis or Valkey.
 *
 * One script on one key does it all, by the server's clock. The client is yours, and taken as it is: that of ioredis or
 * iovalkey, of node-redis, of Deno and Upstash, or any function that sends a command. A client that keeps commands while
 * it has lost the server does no harm: a process that waits for a response longer than `deadlineMs` gives up, and what is granted
 * later is given back.
 *
 * @example
 * ```ts
 * import { type RedisClient, RedisIdentifyLimiter } from "@discordgateway/edge/ratelimit/redis";
 * import { Shard } from "@discordgateway/edge";
 *
 * function shard(token: string, id: number, redis: RedisClient) {
 *   const identifyLimiter = new RedisIdentifyLimiter(redis);
 *   return new Shard({ token, shard: [id, 16], guildEvents: ["MESSAGE_CREATE"], identifyLimiter });
 * }
 * ```
 *
 * @module
 */

import type { Clock } from "../clock.ts";
import type { IdentifyReply, IdentifyRequest } from "./record.ts";
import { IDENTIFY_SCRIPT } from "./redis_script.ts";
import type { IdentifyStore, StoredIdentifyLimiterOptions } from "./store.ts";
import { StoredIdentifyLimiter } from "./stored_limiter.ts";
import { sha1Of, uniqueName, wallClock } from "./system.ts";

/** A client in the shape of ioredis and iovalkey. */
export interface IoRedisClient {
  /** Sends any command. */
  call(command: string, ...args: string[]): Promise<unknown>;
}

/** A client in the shape of node-redis: a single one, a cluster or a pool. */
export interface NodeRedisClient {
  /** Runs a script. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Runs a script that the server knows. */
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client in the shape of Deno's `@db/redis` and of `@upstash/redis`. */
export interface DenoRedisClient {
  /** Runs a script. */
  eval(script: string, keys: string[], args: string[]): Promise<unknown>;
  /** Runs a script that the server knows. */
  evalsha(sha1: string, keys: string[], args: string[]): Promise<unknown>;
}

/** A function that sends a command: `(...command) => client.send(command[0], command.slice(1))` for Bun's client. */
export type RedisSend = (...command: string[]) => Promise<unknown>;

/** Any of the usual clients. */
export type RedisClient = IoRedisClient | NodeRedisClient | DenoRedisClient | RedisSend;

/** Options of a {@linkcode RedisIdentifyLimiter}. */
export interface RedisIdentifyLimiterOptions extends StoredIdentifyLimiterOptions {
  /**
   * Where the record is: one for each bot.
   * @default {"discordgateway:identify"}
   */
  readonly key?: string;
  /** Timers, and the time for them; the runtime's by default. */
  readonly clock?: Clock;
}

/**
 * An identify limiter over Redis or Valkey, shared by all processes that use the same server and key.
 *
 * @example
 * ```ts
 * import { type RedisClient, RedisIdentifyLimiter } from "@discordgateway/edge/ratelimit/redis";
 * import { IdentifyLimiterError } from "@discordgateway/edge/ratelimit";
 *
 * const outOfReach: RedisClient = () => Promise.reject(new Error("connect ECONNREFUSED"));
 * const limiter = new RedisIdentifyLimiter(outOfReach, { key: "my bot", maxConcurrency: 16 });
 * const error = await limiter.take(0).catch((error) => error);
 * if (!(error instanceof IdentifyLimiterError)) throw error;
 * ```
 */
export class RedisIdentifyLimiter extends StoredIdentifyLimiter {
  /**
   * Makes a limiter; the server is not asked yet.
   *
   * @throws {RangeError} where an option is out of range, `maxConcurrency` 0 for one.
   */
  constructor(client: RedisClient, options: RedisIdentifyLimiterOptions = {}) {
    const { key = "discordgateway:identify", clock = wallClock, ...rest } = options;
    const run = scriptRunner(client, key);
    const store: IdentifyStore = {
      exchange: async (request: IdentifyRequest) => replyOf(await run(JSON.stringify(request))),
    };
    super(store, { ...rest, clock, client: uniqueName() });
  }
}

type ScriptCommand = "EVAL" | "EVALSHA";

/**
 * Runs the script by its hash, and in full where the server does not know it: the first time, and after a restart.
 */
function scriptRunner(client: RedisClient, key: string): (argument: string) => Promise<unknown> {
  let sha1: string | null = null;
  return async (argument) => {
    sha1 ??= await sha1Of(IDENTIFY_SCRIPT);
    try {
      return await send(client, "EVALSHA", sha1, key, argument);
    } catch (error) {
      if (!isNoScript(error)) throw error;
      return await send(client, "EVAL", IDENTIFY_SCRIPT, key, argument);
    }
  };
}

function send(
  client: RedisClient,
  command: ScriptCommand,
  ...[script, key, argument]: [script: string, key: string, argument: string]
): Promise<unknown> {
  if (typeof client === "function") return client(command, script, "1", key, argument);
  if ("call" in client) return client.call(command, script, "1", key, argument);
  if ("evalSha" in client) {
    const options = { keys: [key], arguments: [argument] };
    return command === "EVALSHA" ? client.evalSha(script, options) : client.eval(script, options);
  }
  return command === "EVALSHA"
    ? client.evalsha(script, [key], [argument])
    : client.eval(script, [key], [argument]);
}

/** All clients hand the server's own words through, some with more before them. */
function isNoScript(error: unknown): boolean {
  return error instanceof Error && error.message.includes("NOSCRIPT");
}

/** @throws {TypeError} where the script answered something else: the client changes answers, or is no client. */
function replyOf(answer: unknown): IdentifyReply {
  if (!Array.isArray(answer)) throw unreadable();
  const [granted, refused, retryAfterMs, id, maxConcurrency, total, remaining, resetAfterMs, periodMs] =
    answer;
  return {
    granted: texts(granted),
    refused: texts(refused),
    retryAfterMs: orNull(retryAfterMs),
    budget: {
      id: `${id}`,
      maxConcurrency: whole(maxConcurrency),
      total: whole(total),
      remaining: whole(remaining),
      resetAfterMs: orNull(resetAfterMs),
      periodMs: whole(periodMs),
    },
  };
}

function texts(list: unknown): string[] {
  if (!Array.isArray(list)) throw unreadable();
  return list.map((text) => `${text}`);
}

function whole(number: unknown): number {
  if (!Number.isSafeInteger(number)) throw unreadable();
  return Number(number);
}

function orNull(number: unknown): number | null {
  return whole(number) === -1 ? null : whole(number);
}

function unreadable(): TypeError {
  return new TypeError(
    "Cannot read the result of the script: the client gave something else than arrays of numbers and texts",
  );
}

/**
 * A bot on Cloudflare: a coordinator, an object per shard, and routes that control them.
 *
 * Deploy it with `wrangler deploy`, after `wrangler secret put DISCORD_TOKEN` and `wrangler secret put CONTROL_SECRET`.
 * Then open the worker's address, sign in with the control secret, and press *Start*.
 */

// @ts-types="./cloudflare_workers.d.ts"
import { DurableObject } from "cloudflare:workers";
import { type GatewayCommand, GatewayIntent } from "@discordgateway/edge";
import {
  FleetHost,
  type HostedShard,
  ShardHost,
  type ShardHostStatus,
} from "@discordgateway/edge/durable-object";
import {
  type CoordinatorStub,
  DurableObjectIdentifyLimiter,
  type IdentifyReply,
  type IdentifyRequest,
} from "@discordgateway/edge/ratelimit/durable-object";
import { handle } from "./handler.ts";
import { statusPage } from "./page.ts";
import { isAuthorized } from "./secret.ts";
import { StatusStream } from "./status_stream.ts";

/** A Durable Object namespace whose stubs have these methods. */
interface Objects<Stub> {
  idFromName(name: string): unknown;
  get(id: unknown): Stub & { fetch(request: Request): Promise<Response> };
}

/** The bindings in `wrangler.jsonc`, and the secrets. */
export interface Env {
  /** The one coordinator. */
  readonly COORDINATOR: Objects<CoordinatorStub>;
  /** The shards. */
  readonly SHARD: Objects<HostedShard>;
  /** The bot's token, a secret. */
  readonly DISCORD_TOKEN: string;
  /** Authorizes the control routes, a secret. */
  readonly CONTROL_SECRET: string;
  /** Base URL of the REST API if it is not Discord's, such as a proxy's. */
  readonly DISCORD_API?: string;
  /** Time between two alarms of a shard, in ms: the longest time until a shard restarts after a crash. */
  readonly ALARM_EVERY_MS?: string;
  /** How long, in ms, both sets of a reshard deliver events. */
  readonly OVERLAP_MS?: string;
}

const DISCORD_API = "https://discord.com/api/v10";

/** One shard of the bot. */
export class ShardObject extends DurableObject<Env> {
  readonly #host = new ShardHost(this.ctx, {
    token: this.env.DISCORD_TOKEN,
    api: this.env.DISCORD_API ?? DISCORD_API,
    guildEvents: ["MESSAGE_CREATE"],
    directMessageEvents: ["MESSAGE_CREATE"],
    intents: GatewayIntent.MESSAGE_CONTENT,
    alarmEveryMs: Number(this.env.ALARM_EVERY_MS ?? 30_000),
    identifyLimiter: new DurableObjectIdentifyLimiter(this.env.COORDINATOR, { name: "coordinator" }),
    handler: async (event, { signal }) => {
      if (event.t !== "MESSAGE_CREATE") return;
      await handle(event, {
        token: this.env.DISCORD_TOKEN,
        api: this.env.DISCORD_API ?? DISCORD_API,
        signal,
      });
    },
  });

  /** Called by the coordinator. */
  async start(options: { readonly shard: readonly [id: number, count: number] }): Promise<void> {
    await this.#host.start(options);
  }

  /** Called by the coordinator. */
  async stop(options: { readonly keepSession: boolean }): Promise<void> {
    await this.#host.stop(options);
  }

  /** Called by the coordinator. */
  async retire(): Promise<void> {
    await this.#host.retire();
  }

  /** Called by the coordinator. */
  status(): Promise<ShardHostStatus> {
    return Promise.resolve(this.#host.status);
  }

  /** Called by the coordinator. */
  trySend(command: GatewayCommand): ReturnType<HostedShard["trySend"]> {
    return this.#host.trySend(command);
  }

  /** Restarts the shard if this object has ended. */
  override alarm(): Promise<void> {
    return this.#host.alarm();
  }
}

/** Starts and stops the shards, and decides when each may identify. */
export class Coordinator extends DurableObject<Env> {
  readonly #fleet = new FleetHost(this.ctx, {
    token: this.env.DISCORD_TOKEN,
    api: this.env.DISCORD_API ?? DISCORD_API,
    overlapMs: Number(this.env.OVERLAP_MS ?? 15_000),
    shard: (id, count) => this.env.SHARD.get(this.env.SHARD.idFromName(`${id} of ${count}`)),
  });
  readonly #statusStream = new StatusStream(() => this.#fleet.status());

  /** Orders that the worker has authorized. */
  override async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/status/events") return this.#statusStream.response();
    return await this.#fleet.fetch(request);
  }

  /** Called by the shards' identify limiter. */
  exchange(request: IdentifyRequest): IdentifyReply {
    return this.#fleet.exchange(request);
  }

  /** Continues pending orders. */
  override alarm(): Promise<void> {
    return this.#fleet.alarm();
  }
}

/** Routes that require the secret, and the method of each. */
const CONTROL: Readonly<Record<string, "GET" | "POST">> = {
  "/status": "GET",
  "/status/events": "GET",
  "/start": "POST",
  "/stop": "POST",
  "/reshard": "POST",
  "/restart": "POST",
  "/send": "POST",
};

export default {
  /** Serves the public page; every other route requires the secret. */
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/" && ["GET", "HEAD"].includes(request.method)) return statusPage();
    // Without the secret, a response does not even show which routes exist.
    if (!await isAuthorized(request, env.CONTROL_SECRET)) {
      return failure(401, "ERR_UNAUTHORIZED", "Unauthorized");
    }
    const method = CONTROL[pathname];
    if (!method) return failure(404, "ERR_NOT_FOUND", `Cannot answer: there is no such route: ${pathname}`);
    if (request.method !== method) {
      return failure(405, "ERR_METHOD", `Cannot answer: ${pathname} takes ${method}: ${request.method}`);
    }
    return await env.COORDINATOR.get(env.COORDINATOR.idFromName("coordinator")).fetch(request);
  },
};

function failure(status: number, code: string, message: string): Response {
  const headers = { "cache-control": "no-store", ...(status === 401 && { "www-authenticate": "Bearer" }) };
  return Response.json({ error: { name: "HttpError", code, message } }, { status, headers });
}

/** The HTTP face of a hosted shard: JSON in, JSON out, and every failure typed. */

import { CommandError, PayloadTooLargeError } from "../gateway/mod.ts";
import { type ErrorReport, ShardHostError, type ShardHostStatus } from "./shard_host_options.ts";

/** What is reached over HTTP. */
export interface HttpSubject {
  /** What it is doing. */
  readonly status: ShardHostStatus;
  /** Starts it. */
  start(options: { readonly shard?: readonly [id: number, count: number] }): Promise<ShardHostStatus>;
  /** Stops it. */
  stop(options: { readonly keepSession?: boolean }): Promise<void>;
  /** Sends a command, which it checks. */
  send(command: { readonly op: unknown; readonly d: unknown }): Promise<void>;
}

type Method = "GET" | "POST";

/** A request that cannot be understood. */
class RequestError extends Error {
  override readonly name = "RequestError";
  readonly code = "ERR_REQUEST";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const ROUTES: Readonly<Record<string, { readonly method: Method; readonly act: Act }>> = {
  status: { method: "GET", act: (host) => host.status },
  start: { method: "POST", act: (host, body) => host.start(startOptions(body)) },
  stop: {
    method: "POST",
    act: async (host, body) => {
      await host.stop({ keepSession: body.keepSession === true });
      return host.status;
    },
  },
  send: {
    method: "POST",
    act: async (host, body) => {
      await host.send({ op: body.op, d: body.d });
      return {};
    },
  },
};

type Body = Readonly<Record<string, unknown>>;
type Act = (host: HttpSubject, body: Body) => unknown;

/** Answers one request; never rejects. */
export async function respond(
  host: HttpSubject,
  request: Request,
  report: (error: unknown) => ErrorReport,
): Promise<Response> {
  try {
    const name = new URL(request.url).pathname.split("/").at(-1) ?? "";
    const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
    if (!route) {
      throw new RequestError(
        404,
        `Cannot answer: the path ends in one of ${Object.keys(ROUTES).join(", ")}: ${name}`,
      );
    }
    if (request.method !== route.method) {
      throw new RequestError(405, `Cannot answer: ${name} takes ${route.method}: ${request.method}`);
    }
    return Response.json(await route.act(host, route.method === "GET" ? {} : await bodyOf(request)));
  } catch (error) {
    return Response.json({ error: report(error) }, { status: statusOf(error) });
  }
}

/** An object; nothing at all counts as an empty one. */
async function bodyOf(request: Request): Promise<Body> {
  const text = await request.text();
  if (text === "") return {};
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RequestError(400, "Cannot answer: the body has to be JSON");
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new RequestError(
      400,
      `Cannot answer: the body has to be an object: ${JSON.stringify(body).slice(0, 40)}`,
    );
  }
  return { ...body };
}

function startOptions({ shard }: Body): { readonly shard?: readonly [id: number, count: number] } {
  if (shard === undefined) return {};
  if (!Array.isArray(shard)) {
    throw new RequestError(400, "Cannot start: shard is a list of a number and a count");
  }
  // The numbers are checked by `start`.
  const [id, count] = shard;
  return { shard: [id, count] };
}

function statusOf(error: unknown): number {
  if (error instanceof RequestError) return error.status;
  if (error instanceof CommandError || error instanceof PayloadTooLargeError || error instanceof RangeError) {
    return 400;
  }
  if (error instanceof ShardHostError) return error.code === "ERR_SHARD_HOST_DEADLINE" ? 504 : 503;
  return 500;
}

/** The HTTP face of a hosted shard: JSON in, JSON out, and every failure typed. */

import { booleanField, HttpError, type JsonBody, respondTo, type Route } from "../http.ts";
import type { ShardHostStatus } from "./options.ts";
import type { ErrorReport } from "../errors.ts";

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

const ROUTES: Readonly<Record<string, Route<HttpSubject>>> = {
  status: { method: "GET", act: (host) => host.status },
  start: { method: "POST", fields: ["shard"], act: (host, body) => host.start(startOptions(body)) },
  stop: {
    method: "POST",
    fields: ["keepSession"],
    act: async (host, body) => {
      await host.stop({ keepSession: booleanField(body, "keepSession") });
      return host.status;
    },
  },
  send: { method: "POST", fields: ["op", "d"], act: (host, body) => host.send({ op: body.op, d: body.d }) },
};

/** Answers one request; never rejects. */
export function respond(
  subject: HttpSubject,
  request: Request,
  report: (error: unknown) => ErrorReport,
): Promise<Response> {
  return respondTo(request, { subject, routes: ROUTES, report });
}

function startOptions({ shard }: JsonBody): { readonly shard?: readonly [id: number, count: number] } {
  if (shard === undefined) return {};
  if (!Array.isArray(shard)) {
    throw new HttpError(400, "Cannot start: shard is a list of a number and a count");
  }
  // The numbers are checked by `start`.
  const [id, count] = shard;
  return { shard: [id, count] };
}

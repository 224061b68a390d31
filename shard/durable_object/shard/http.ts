/** The HTTP routes of a hosted shard. */

import { booleanField, HttpError, type JsonBody, respondTo, type Route } from "../http.ts";
import type { ShardHostStatus } from "./options.ts";
import type { ErrorReport } from "../errors.ts";

/** The methods of a `ShardHost` that have routes. */
export interface HttpSubject {
  /** The shard's status. */
  readonly status: ShardHostStatus;
  /** Starts the shard. */
  start(options: { readonly shard?: readonly [id: number, count: number] }): Promise<ShardHostStatus>;
  /** Stops the shard. */
  stop(options: { readonly keepSession?: boolean }): Promise<void>;
  /** Checks and sends a command. */
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

/** Responds to one request; never rejects. */
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
  // `start` checks the numbers.
  const [id, count] = shard;
  return { shard: [id, count] };
}

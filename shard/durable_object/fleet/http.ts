/** The HTTP routes of a hosted fleet. */

import type { GatewayCommand } from "../../../gateway/mod.ts";
import { IdentifyBudgetError } from "../../fleet/errors.ts";
import type { FleetHostStatus } from "./options.ts";
import { type ErrorReport, HostError } from "../errors.ts";
import { MAX_HOSTED_SHARDS } from "./record.ts";
import { GatewayBotError } from "../../connect/errors.ts";
import { booleanField, integerField, objectField, respondTo, type Route } from "../http.ts";

/** The methods of a `FleetHost` that have routes. */
export interface FleetSubject {
  /** The fleet's status. */
  status(): Promise<FleetHostStatus>;
  /** Starts the shards. */
  start(options: { readonly shards?: number }): Promise<void>;
  /** Stops the shards. */
  stop(options: { readonly keepSession: boolean }): Promise<void>;
  /** Changes the number of shards. */
  reshard(shards: number): Promise<void>;
  /** Restarts one shard. */
  restart(shardId: number): Promise<void>;
  /** Checks and sends a command. */
  send(command: GatewayCommand, options: { readonly shardId?: number }): Promise<void>;
}

const ROUTES: Readonly<Record<string, Route<FleetSubject>>> = {
  status: { method: "GET", act: (fleet) => fleet.status() },
  start: {
    method: "POST",
    fields: ["shards"],
    act: (fleet, body) =>
      fleet.start(
        body.shards === undefined ? {} : { shards: integerField(body, "shards", 1, MAX_HOSTED_SHARDS) },
      ),
  },
  stop: {
    method: "POST",
    fields: ["keepSession"],
    act: (fleet, body) => fleet.stop({ keepSession: booleanField(body, "keepSession") }),
  },
  reshard: {
    method: "POST",
    fields: ["shards"],
    act: (fleet, body) => fleet.reshard(integerField(body, "shards", 1, MAX_HOSTED_SHARDS)),
  },
  restart: {
    method: "POST",
    fields: ["shard"],
    act: (fleet, body) => fleet.restart(integerField(body, "shard", 0)),
  },
  send: {
    method: "POST",
    fields: ["command", "shard"],
    act: (fleet, body) => {
      const command = objectField(body, "command");
      integerField(command, "op", 0);
      const shard = body.shard === undefined ? {} : { shardId: integerField(body, "shard", 0) };
      return fleet.send({ op: command.op, d: command.d } as GatewayCommand, shard);
    },
  },
};

/** Responds to one request; never rejects. */
export function respondFleet(
  subject: FleetSubject,
  request: Request,
  report: (error: unknown) => ErrorReport,
): Promise<Response> {
  return respondTo(request, { subject, routes: ROUTES, report, statusOf });
}

function statusOf(error: unknown): number | null {
  if (error instanceof IdentifyBudgetError) return 429;
  if (error instanceof GatewayBotError) return 502;
  // A report is about the command or about the shard's state. Without one, the shard does not exist.
  const isOfShard = error instanceof HostError && error.report !== null;
  return isOfShard && !/^ERR_(COMMAND|PAYLOAD)/.test(error.report.code ?? "") ? 503 : null;
}

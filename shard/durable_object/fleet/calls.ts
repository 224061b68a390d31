/** Calls from a fleet's coordinator to its shards' objects: each may fail, hang, or be made twice. */

import type { GatewayCommand } from "../../../gateway/mod.ts";
import type { ErrorLog } from "../error_log.ts";
import type { FleetHostOptions, HostedShardStatus } from "./options.ts";
import { type ErrorReport, HostError } from "../errors.ts";
import type { HostedShardId, PendingCall } from "./record.ts";
import { abortable } from "../../pipe/abortable.ts";
import { withDeadline } from "../../pipe/deadline.ts";
import type { Platform } from "../../pipe/platform.ts";

const DEFAULT_CALL_DEADLINE_MS = 10_000;

/** Options of {@linkcode ShardCalls}. */
export interface ShardCallsOptions {
  /** Finds the objects, and how long a call may take. */
  readonly options: Pick<FleetHostOptions, "shard" | "callDeadlineMs">;
  /** Timers. */
  readonly platform: Platform;
  /** Records failures. */
  readonly errors: ErrorLog;
}

/** Calls the objects of shards. */
export class ShardCalls {
  readonly #options: Pick<FleetHostOptions, "shard" | "callDeadlineMs">;
  readonly #platform: Platform;
  readonly #errors: ErrorLog;

  /** Makes no call yet. */
  constructor({ options, platform, errors }: ShardCallsOptions) {
    this.#options = options;
    this.#platform = platform;
    this.#errors = errors;
  }

  /** Makes one call of an order. `false` if it failed. */
  async make(call: PendingCall): Promise<boolean> {
    const [id, count] = call.shard;
    try {
      const shard = this.#options.shard(id, count);
      if (call.do === "retire") await this.#within(shard.retire());
      else {
        if (call.do !== "start") await this.#within(shard.stop({ keepSession: call.do !== "stop" }));
        if (call.do === "start" || call.do === "restart") {
          await this.#within(shard.start({ shard: [id, count] }));
        }
      }
      return true;
    } catch (error) {
      this.#errors.note(error);
      return false;
    }
  }

  /** The status of a shard, or why its object does not respond. Never rejects. */
  async statusOf([shardId, shardCount]: HostedShardId): Promise<HostedShardStatus> {
    try {
      const status = await this.#within(this.#options.shard(shardId, shardCount).status());
      return { shardId, shardCount, status, error: null };
    } catch (error) {
      return { shardId, shardCount, status: null, error: this.#errors.report(error) };
    }
  }

  /** Sends a command through a shard, within the shard's own `sendDeadlineMs`. */
  async send([id, count]: HostedShardId, command: GatewayCommand): Promise<void> {
    const refuse = (why: string, rest: { readonly report?: ErrorReport; readonly cause?: unknown }) =>
      new HostError(`Cannot send op ${command.op} through shard ${id} of ${count}: ${why}`, {
        code: rest.report ? "ERR_FLEET_HOST_SHARD" : "ERR_FLEET_HOST_UNREACHABLE",
        ...rest,
      });
    const result = await Promise.resolve(this.#options.shard(id, count).trySend(command)).catch((cause) => {
      throw refuse("its object does not respond", { cause });
    });
    if (!result.ok) throw refuse(result.error.message, { report: result.error });
  }

  #within<T>(call: PromiseLike<T>): Promise<T> {
    const { callDeadlineMs: deadlineMs = DEFAULT_CALL_DEADLINE_MS } = this.#options;
    return withDeadline((signal) => abortable(Promise.resolve(call), signal), {
      clock: this.#platform,
      deadlineMs,
      error: () =>
        new HostError(`Cannot reach a shard's object: no response within ms: ${deadlineMs}`, {
          code: "ERR_FLEET_HOST_UNREACHABLE",
        }),
    });
  }
}

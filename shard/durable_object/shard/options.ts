/** The options and the status of a hosted shard. */

import type { ErrorReport } from "../errors.ts";
import type { DirectMessageEventName, GuildEventName, UngatedEventName } from "../../../gateway/mod.ts";
import type { CommandBudget } from "../../commands/budget.ts";
import type { DeadLetter, DeliveryHandler } from "../../delivery/delivery.ts";
import type { ShardEvent, WantedName } from "../../events/event.ts";
import type { ShardOptions } from "../../options.ts";
import type { ShardStatus } from "../../status.ts";

/** Options of a `ShardHost`: those of a shard, and how its events are handled. */
export interface ShardHostOptions<
  Guild extends GuildEventName = never,
  DirectMessage extends DirectMessageEventName = never,
  Ungated extends UngatedEventName = never,
> extends Omit<ShardOptions<Guild, DirectMessage, Ungated>, "session" | "shard" | "onStatus" | "voice"> {
  /**
   * Receives the events, one at a time. An event counts as handled when this returns, or when the returned promise
   * resolves. If it throws, or takes longer than `handlerDeadlineMs`, it is called again with the same event.
   */
  readonly handler: DeliveryHandler<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>;
  /**
   * How long the handler may take for an event, in ms. After that its signal is aborted, its result is ignored, and it is
   * called again with the same event.
   *
   * @default {60_000}
   */
  readonly handlerDeadlineMs?: number;
  /** Takes events on which the handler keeps failing. Without it they are retried until the handler succeeds. */
  readonly deadLetter?: DeadLetter<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>;
  /**
   * Time between two writes of the sequence, in ms: events handled since the last write are delivered again after a crash.
   * With 0 the sequence is written after every event, in the same turn of the event loop: it commits atomically with what
   * a synchronous handler writes to the object's storage. Each write is a row.
   *
   * @default {5_000}
   */
  readonly saveEveryMs?: number;
  /**
   * Time between two alarms, in ms. They keep the object in memory, and start it again after it has ended. Cloudflare
   * evicts an object that gets no event for 70 s. Each alarm costs a request and a row.
   *
   * @default {30_000}
   */
  readonly alarmEveryMs?: number;
  /**
   * How long a command may wait in the queue, in ms.
   *
   * @default {30_000}
   */
  readonly sendDeadlineMs?: number;
  /** Called whenever the status changes. An error that it throws becomes the status' `lastError`. */
  readonly onStatus?: (status: ShardHostStatus) => void;
  /** The wall clock in ms since the epoch, by which alarms are set; the runtime's by default. */
  readonly wallClock?: () => number;
}

/** Options of `ShardHost.start`. */
export interface ShardHostStartOptions {
  /** The shard's number and the shard count; by default the previous ones, or `[0, 1]`. Others end the old session. */
  readonly shard?: readonly [id: number, count: number];
}

/** The result of a command, as JSON. */
export type ShardHostSendResult = { readonly ok: true } | { readonly ok: false; readonly error: ErrorReport };

/** The status of a hosted shard, as JSON for RPC and HTTP. It contains no secret. */
export interface ShardHostStatus {
  /** Whether the shard has to run. */
  readonly running: boolean;
  /** The shard's number and the shard count; `null` before the first start. */
  readonly shard: readonly [id: number, count: number] | null;
  /** The shard's state; `"stopped"` if it does not have to run, `"waiting"` before it is restarted. */
  readonly state: ShardStatus["state"] | "stopped" | "waiting";
  /** When the status last changed, in ms since the epoch. */
  readonly since: number;
  /** Why the last connection ended; `null` while there is one. */
  readonly why: string | null;
  /** How long Discord took to acknowledge heartbeats on this connection, in ms; `null` before the first. */
  readonly latency: { readonly meanMs: number; readonly lastMs: number } | null;
  /** Events in this incarnation of the object. */
  readonly events: {
    /** Events handled so far. */
    readonly handled: number;
    /** Events handled per second, over the last minute. */
    readonly perSecond: number;
    /** Events in the queue now. */
    readonly queued: number;
    /** Calls of the handler that failed. */
    readonly failures: number;
  };
  /** The remaining command budget; `null` while no shard runs. */
  readonly commands: CommandBudget | null;
  /** The event on which the handler is failing; `null` if there is none. */
  readonly failing: {
    /** The event's name. */
    readonly event: string;
    /** Its sequence number. */
    readonly sequence: number | null;
    /** Failed attempts so far. */
    readonly attempts: number;
    /** The error of the last attempt. */
    readonly error: ErrorReport;
  } | null;
  /** The last handled sequence number, and the stored one; `null` without a session. */
  readonly sequence: { readonly handled: number; readonly saved: number | null } | null;
  /** How often the object was restarted while its shard had to run, since the last start. */
  readonly restarts: number;
  /** The last error in this incarnation of the object; `null` if there was none. */
  readonly lastError: ErrorReport & { readonly at: number } | null;
}

/** The default of `sendDeadlineMs`, in ms. */
export const DEFAULT_SEND_DEADLINE_MS = 30_000;

const DEFAULT_ALARM_EVERY_MS = 30_000;

/**
 * Checks the intervals and deadlines of a host.
 *
 * @throws {RangeError} `alarmEveryMs` or `handlerDeadlineMs` below 1, or `saveEveryMs` below 0.
 */
export function checkHostOptions(
  { alarmEveryMs = DEFAULT_ALARM_EVERY_MS, saveEveryMs = 0, handlerDeadlineMs = 1 }: Pick<
    ShardHostOptions,
    "alarmEveryMs" | "saveEveryMs" | "handlerDeadlineMs"
  >,
): { readonly alarmEveryMs: number } {
  if (alarmEveryMs >= 1 && saveEveryMs >= 0 && handlerDeadlineMs >= 1) return { alarmEveryMs };
  throw new RangeError(
    "Cannot host a shard: alarmEveryMs and handlerDeadlineMs are at least 1, saveEveryMs at least 0: " +
      `${alarmEveryMs}, ${handlerDeadlineMs}, ${saveEveryMs}`,
  );
}

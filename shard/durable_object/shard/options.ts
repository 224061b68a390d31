/** What a hosted shard is made from, and its status. */

import type { ErrorReport } from "../errors.ts";
import type { DirectMessageEventName, GuildEventName, UngatedEventName } from "../../../gateway/mod.ts";
import type { CommandBudget } from "../../commands/budget.ts";
import type { DeadLetter, DeliveryHandler } from "../../delivery/delivery.ts";
import type { ShardEvent, WantedName } from "../../events/event.ts";
import type { ShardOptions } from "../../options.ts";
import type { ShardStatus } from "../../status.ts";

/** What a `ShardHost` is made from: a shard's options, and how its events are handled. */
export interface ShardHostOptions<
  Guild extends GuildEventName = never,
  DirectMessage extends DirectMessageEventName = never,
  Ungated extends UngatedEventName = never,
> extends Omit<ShardOptions<Guild, DirectMessage, Ungated>, "session" | "shard" | "onStatus" | "voice"> {
  /**
   * Gets the events, one at a time. An event counts as handled when this returns, or when what it returns resolves. If it
   * throws, or takes longer than `handlerDeadlineMs`, the event comes again, until it is handled.
   */
  readonly handler: DeliveryHandler<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>;
  /**
   * How long the handler may take for an event, in ms. What it does after that is its own affair: its signal is aborted,
   * and the event comes again.
   *
   * @default {60_000}
   */
  readonly handlerDeadlineMs?: number;
  /** Where events go that the handler has failed on too often. Without it they are tried for ever, and nothing is lost. */
  readonly deadLetter?: DeadLetter<ShardEvent<WantedName<Guild, DirectMessage, Ungated>>>;
  /**
   * Time between two writes of the sequence, in ms: what is handled in it comes again after a crash. With 0 it is written
   * after every event, in the same turn: what a synchronous handler writes to the object's storage commits with it, or
   * not at all. Each write is a row.
   *
   * @default {5_000}
   */
  readonly saveEveryMs?: number;
  /**
   * Time between two alarms, in ms. They keep the object in memory, and bring it back. Cloudflare evicts an object that
   * gets no event for 70 s. Each alarm is a request and a row.
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
  /** Called whenever the status changes. What it throws shows as the status' last error. */
  readonly onStatus?: (status: ShardHostStatus) => void;
  /** The wall clock in ms since the epoch, by which alarms are set; the runtime's by default. */
  readonly wallClock?: () => number;
}

/** Which shard a `ShardHost` starts. */
export interface ShardHostStartOptions {
  /** Its number and how many there are; the last ones, or `[0, 1]`. Other ones than before end the old session. */
  readonly shard?: readonly [id: number, count: number];
}

/** What came of a command, as JSON. */
export type ShardHostSendResult = { readonly ok: true } | { readonly ok: false; readonly error: ErrorReport };

/** What a hosted shard is doing, as JSON: it passes RPC and HTTP as it is. There is no secret in it. */
export interface ShardHostStatus {
  /** Whether the shard is to run. */
  readonly running: boolean;
  /** The shard's number and how many there are; `null` before the first start. */
  readonly shard: readonly [id: number, count: number] | null;
  /** What the shard is doing; `"stopped"` where it is not to run, `"waiting"` before it is started anew. */
  readonly state: ShardStatus["state"] | "stopped" | "waiting";
  /** Since when, in ms since the epoch. */
  readonly since: number;
  /** Why the last connection ended; `null` while there is one. */
  readonly why: string | null;
  /** How long heartbeats took to be acknowledged on this connection, in ms; `null` before the first. */
  readonly latency: { readonly meanMs: number; readonly lastMs: number } | null;
  /** Events of this incarnation of the object. */
  readonly events: {
    /** Handled so far. */
    readonly handled: number;
    /** Handled per second, over the last minute. */
    readonly perSecond: number;
    /** In the queue now. */
    readonly queued: number;
    /** Attempts of the handler that failed. */
    readonly failures: number;
  };
  /** What is left of the budget of commands; `null` while there is no shard. */
  readonly commands: CommandBudget | null;
  /** The event that is being tried again, `null` where all goes well. */
  readonly failing: {
    /** The event's name. */
    readonly event: string;
    /** Its sequence number. */
    readonly sequence: number | null;
    /** Attempts that failed. */
    readonly attempts: number;
    /** What the last one failed of. */
    readonly error: ErrorReport;
  } | null;
  /** The session's last handled sequence, and the one that is stored; `null` without a session. */
  readonly sequence: { readonly handled: number; readonly saved: number | null } | null;
  /** How often the object was made anew while its shard was to run, since the last start. */
  readonly restarts: number;
  /** The last thing that went wrong, `null` where nothing has in this incarnation of the object. */
  readonly lastError: ErrorReport & { readonly at: number } | null;
}

/** The default of `sendDeadlineMs`, in ms. */
export const DEFAULT_SEND_DEADLINE_MS = 30_000;

const DEFAULT_ALARM_EVERY_MS = 30_000;

/**
 * Checks the times of a host.
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
